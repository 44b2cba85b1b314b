"""The training step as a CUDA graph: its bytes, its speed, and several of them at the same time."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch

from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import digest, free_memory, rate
from bench.gpu_sections.trainings import LABELS, NOTEBOOK_VIT, TRAINED, Determinism, configure
from eegwf.compute.random_state import RandomState
from eegwf.training.captured_step import CapturedStep
from eegwf.training.trainer import Trainer

VARIANTS: list[tuple[Determinism, bool, str, str]] = [
    ("deterministic", False, "auto", "bfloat16"),
    ("free", False, "auto", "bfloat16"),
    ("free", True, "float32", "tf32"),
]
"""Determinism, TF32, precision setting, and the name of the precision."""
N_STEPS = 6  # of the comparisons of bytes
RATE = 1e-4


class MeasuredStep(CapturedStep):
    """A captured step that can start again.

    Parameters
    ----------
    trainer
        Trainer with resident windows.
    batch_size
        Windows per step.
    own_generator
        Whether the random numbers are drawn from a generator state of its own, so that other captured steps may run
        in between.
    """

    def __init__(self, trainer: Trainer, batch_size: int, own_generator: bool = False):
        self._initial = {name: value.clone() for name, value in trainer.classifier.state_dict().items()}
        self._random_state = RandomState("cuda") if own_generator else None
        with self._random():
            super().__init__(trainer, batch_size)

    def _random(self) -> AbstractContextManager[None]:
        return self._random_state.active() if self._random_state else nullcontext()

    @torch.no_grad()
    def restart(self, seed: int) -> None:
        """Reset weights and optimizer to their initial state, and set the random seed."""
        torch.cuda.synchronize()
        for name, value in self.trainer.classifier.state_dict().items():
            value.copy_(self._initial[name])
        for state in self.trainer.optimizer.state.values():
            for value in state.values():
                value.zero_()
        with self._random():
            torch.manual_seed(seed)
        torch.cuda.synchronize()

    def digest(self) -> str:
        """Digest of the weights."""
        torch.cuda.synchronize()
        return digest(self.trainer.classifier.state_dict().values())


def captured_epoch(captured: MeasuredStep, n_windows: int) -> tuple[Callable[[], None], int]:
    """Make an epoch of full batches by replays.

    Parameters
    ----------
    captured
        The captured step.
    n_windows
        Number of windows; those that do not fill a batch are left out.

    Returns
    -------
    call : Callable
        Function that runs the epoch.
    count : int
        Windows of the epoch.
    """
    size = captured.batch_size
    order = torch.randperm(n_windows, device=captured.trainer.device)
    batches = [rows for rows in order.split(size) if len(rows) == size]

    def epoch() -> None:
        for rows in batches:
            captured.replay(rows, RATE)

    return epoch, size * len(batches)


def graphs(context: Context) -> None:
    """Compare captured steps with ordinary ones, measure them, and run several trainings concurrently."""
    if context.skip_without_gpu("graphs"):
        return
    size = context.batch_sizes[0]
    batches = [
        torch.arange(step * size, (step + 1) * size, device=context.device) % context.n_windows
        for step in range(N_STEPS)
    ]
    with context.recorder.guard("graphs", "same bytes"):
        _compare_with_ordinary_steps(context, batches)
    free_memory()
    with context.recorder.guard("graphs", "same bytes, concurrent"):
        _compare_concurrent(context, batches)
    free_memory()
    for determinism, tf32, setting, precision in VARIANTS:
        for batch_size in context.batch_sizes:
            key = f"{NOTEBOOK_VIT}, {LABELS[determinism]}, {precision}, batch {batch_size}"
            _measure(context, key, NOTEBOOK_VIT, batch_size, determinism, tf32, setting)
    for name in TRAINED:
        if name != NOTEBOOK_VIT:
            _measure(context, f"{name}, {LABELS['free']}, batch {size}", name, size, "free", False, "auto")
    for number in (2, 4, 8, 16):
        with context.recorder.guard("graphs", f"{number} concurrent"):
            _measure_concurrent(context, number)
        free_memory()


def _compare_with_ordinary_steps(context: Context, batches: list[torch.Tensor]) -> None:
    configure(context.device, "deterministic")
    captured = MeasuredStep(context.trainings.trainer(NOTEBOOK_VIT), context.batch_sizes[0])
    digests = []
    for use_graph in (False, True):
        captured.restart(5)
        for rows in batches:
            if use_graph:
                captured.replay(rows, RATE)
            else:
                with torch.cuda.stream(captured.stream):
                    captured.load(rows, RATE)
                    captured.step()
        digests.append(captured.digest())
    same = digests[0] == digests[1]
    context.recorder.put("graphs", {"same_bytes": same})
    context.recorder.line(
        f"  {NOTEBOOK_VIT}: {N_STEPS} steps with and without the graph: {'same bytes' if same else 'DIFFERENT BYTES'}"
    )


def _compare_concurrent(context: Context, batches: list[torch.Tensor]) -> None:
    """Compare four interleaved trainings, each with its own generator, with the same trainings one after the other."""
    configure(context.device, "deterministic")
    size = context.batch_sizes[0]
    trainings = [MeasuredStep(context.trainings.trainer(NOTEBOOK_VIT), size, own_generator=True) for _ in range(4)]
    sequential = []
    for seed, captured in enumerate(trainings):
        captured.restart(seed)
        for rows in batches:
            captured.replay(rows, RATE)
        sequential.append(captured.digest())
    for seed, captured in enumerate(trainings):
        captured.restart(seed)
    _interleave(trainings, batches)
    same = [captured.digest() for captured in trainings] == sequential
    distinct = len(set(sequential))
    context.recorder.put("graphs", {"same_bytes_concurrent": same, "distinct": distinct})
    verdict = "same bytes" if same else "DIFFERENT BYTES"
    context.recorder.line(
        f"  4 concurrent trainings with generators of their own: {verdict} as one after the other ({distinct} distinct)"
    )


def _interleave(trainings: list[MeasuredStep], batches: list[torch.Tensor]) -> None:
    """Make one step of each training after the other, each on its own stream."""
    for rows in batches:
        for captured in trainings:
            with torch.cuda.stream(captured.stream):
                captured.replay(rows, RATE)


def _measure(
    context: Context, key: str, name: str, batch_size: int, determinism: Determinism, tf32: bool, precision: str
) -> None:
    """Windows per second by replays."""
    with context.recorder.guard("graphs", key):
        configure(context.device, determinism, tf32)
        captured = MeasuredStep(context.trainings.trainer(name, precision=precision), batch_size)
        call, count = captured_epoch(captured, context.n_windows)
        seconds = context.seconds if name == NOTEBOOK_VIT else 0.5 * context.seconds
        speed = rate(call, count, seconds)
        context.recorder.put("graphs", {key: speed})
        context.recorder.line(f"  {key}: {speed:.0f} windows/s by replays")
    free_memory()


def _measure_concurrent(context: Context, number: int) -> None:
    """Windows per second of several trainings in one process, each on its own stream."""
    configure(context.device, "free")
    size = context.batch_sizes[0]
    trainings = [MeasuredStep(context.trainings.trainer(NOTEBOOK_VIT), size) for _ in range(number)]
    order = torch.randperm(context.n_windows, device=context.device)
    batches = [rows for rows in order.split(size) if len(rows) == size]
    count = number * len(batches) * size
    speed = rate(lambda: _interleave(trainings, batches), count, 0.5 * context.seconds)
    context.recorder.put("graphs", {f"{number} concurrent": speed})
    context.recorder.line(
        f"  {number} concurrent trainings, {LABELS['free']}, batch {size}: {speed:.0f} windows/s in total"
    )
