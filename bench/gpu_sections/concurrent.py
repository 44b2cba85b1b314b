"""Concurrent trainings in one process, as a worker runs its trials: the same bytes as alone, and their throughput."""

from typing import Any

from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import digest, free_memory
from bench.gpu_sections.trainings import LABELS, MODELS, NOTEBOOK_VIT, configure
from bench.study import split
from eegwf.config.training import Training
from eegwf.training.concurrency import Concurrency, Turns, run_alone
from eegwf.training.loop import TrainingResult, training_turns
from eegwf.tuning.trials_at_once import CANDIDATES, N_MEASURED_TURNS, N_WARMUP_TURNS, throughput

COMPARED = (NOTEBOOK_VIT, "transcnn")
N_COMPARED, N_EPOCHS = 4, 3
# More than any measurement takes.
MANY_EPOCHS = N_WARMUP_TURNS + N_MEASURED_TURNS


def concurrent(context: Context) -> None:
    """Compare trainings that run at once with the same trainings one after the other, and measure their throughput."""
    graphs = (False, True) if context.on_gpu else (False,)
    for name in COMPARED:
        for cuda_graph in graphs:
            with context.recorder.guard("concurrent", name):
                _compare(context, name, cuda_graph)
            free_memory()
    for cuda_graph in graphs:
        for number in CANDIDATES[:2] if context.quick else CANDIDATES:
            with context.recorder.guard("concurrent", f"{number} at once"):
                _measure(context, number, cuda_graph)
            free_memory()


def _turns(context: Context, name: str, seed: int, n_windows: int, **settings: Any) -> Turns[TrainingResult]:
    """A training on random windows."""
    model, kind, parameters = MODELS[name]
    dataset, parts = context.trainings.datasets[kind], split(n_windows)
    training = Training(batch_size=context.batch_sizes[0], **settings)
    return training_turns(model, dataset, parts, parameters, training, seed=seed, device=context.device)


def _compare(context: Context, name: str, cuda_graph: bool) -> None:
    configure(context.device, "deterministic")
    n_windows = min(256, context.n_windows)
    digests: dict[int, list[str]] = {1: [], N_COMPARED: []}
    for at_once, found in digests.items():
        results: dict[int, TrainingResult] = {}
        waiting = list(range(N_COMPARED))

        def train(seed: int, results: dict[int, TrainingResult] = results) -> Turns[None]:
            results[seed] = yield from _turns(
                context, name, seed, n_windows, epochs=N_EPOCHS, patience=N_EPOCHS, cuda_graph=cuda_graph
            )

        def start(waiting: list[int] = waiting) -> Turns[None] | None:
            return train(waiting.pop(0)) if waiting else None

        if at_once == 1:
            for seed in waiting:
                run_alone(train(seed))
        else:
            Concurrency(context.device, at_once).run(start)
        found += [digest(results[seed].classifier.state_dict().values()) for seed in sorted(results)]
    same, distinct = digests[1] == digests[N_COMPARED], len(set(digests[1]))
    key = f"{name}, {'CUDA graph' if cuda_graph else 'ordinary steps'}"
    context.recorder.put("concurrent", {key: {"same_bytes": same, "distinct": distinct}})
    verdict = "same bytes" if same else "DIFFERENT BYTES"
    context.recorder.line(
        f"  {key}: {N_COMPARED} trainings at once: {verdict} as one after the other ({distinct} distinct)"
    )


def _measure(context: Context, number: int, cuda_graph: bool) -> None:
    """Windows per second of trainings that run at once, with their validation."""
    configure(context.device, "free")

    def start() -> Turns[TrainingResult]:
        settings = {"epochs": MANY_EPOCHS, "patience": MANY_EPOCHS, "cuda_graph": cuda_graph}
        return _turns(context, NOTEBOOK_VIT, 1, context.n_windows, **settings)

    turns = throughput(start, number, context.device)
    speed = turns * context.n_windows  # an epoch of fewer than STEPS_PER_TURN steps is one turn
    key = f"{number} at once, {'CUDA graph' if cuda_graph else 'ordinary steps'}"
    context.recorder.put("concurrent", {key: speed})
    context.recorder.line(f"  {key}, {LABELS['free']}: {speed:.0f} windows/s in total")
