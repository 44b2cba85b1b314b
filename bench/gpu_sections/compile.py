"""Speed of compiled training steps."""

import time
from typing import Any

import torch

from bench.gpu_sections.context import Context
from bench.gpu_sections.graphs import MeasuredStep, captured_epoch
from bench.gpu_sections.timing import free_memory, rate, seconds_of
from bench.gpu_sections.trainings import NOTEBOOK_VIT, configure, set_batch_size


def compiled(context: Context) -> None:
    """Measure `torch.compile` with the settings of the trainer, and a CUDA graph of a step with fixed shapes."""
    if context.skip_without_gpu("compiled"):
        return
    sizes = context.batch_sizes
    models = {NOTEBOOK_VIT: sizes} if context.quick else {NOTEBOOK_VIT: sizes, "transcnn": sizes[:1]}
    for name, batch_sizes in models.items():
        with context.recorder.guard("compiled", name):
            _trainer(context, name, batch_sizes)
        free_memory()
    for batch_size in (sizes[0], sizes[-1]):
        with context.recorder.guard("compiled", f"graph of a compiled step, batch {batch_size}"):
            _graph(context, batch_size)
        free_memory()


def _trainer(context: Context, name: str, batch_sizes: tuple[int, ...]) -> None:
    """Windows per second of the trainer's own use of `torch.compile`, and the seconds of the first epoch."""
    configure(context.device, "free")
    trainer = context.trainings.trainer(name, compile=True)
    row: dict[str, Any] = {}
    for batch_size in batch_sizes:
        set_batch_size(trainer, batch_size)
        first = seconds_of(lambda: trainer.epoch([]))
        row[str(batch_size)] = rate(lambda: trainer.epoch([]), context.n_windows, context.seconds)
        row[f"{batch_size} first epoch s"] = round(first, 1)
        context.recorder.put("compiled", {f"{name}, trainer": row})
    context.recorder.line(f"  {name}, trainer with compile: {row}")


def _graph(context: Context, batch_size: int) -> None:
    """Windows per second of replays of a compiled step, and the seconds of its compilation."""
    torch.compiler.reset()
    configure(context.device, "free")
    trainer = context.trainings.trainer(NOTEBOOK_VIT)
    trainer.network = torch.compile(trainer.classifier.network, dynamic=False)
    start = time.perf_counter()
    captured = MeasuredStep(trainer, batch_size)
    seconds = time.perf_counter() - start
    call, count = captured_epoch(captured, context.n_windows)
    speed = rate(call, count, context.seconds)
    figures = {"windows_per_second": speed, "compilation_s": round(seconds, 1)}
    context.recorder.put("compiled", {f"graph of a compiled step, batch {batch_size}": figures})
    context.recorder.line(
        f"  {NOTEBOOK_VIT}, graph of a compiled step, batch {batch_size}: {speed:.0f} windows/s (compiled in "
        f"{seconds:.0f} s)"
    )
