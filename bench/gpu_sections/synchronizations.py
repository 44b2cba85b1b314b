"""Number of times that a training waits for the GPU."""

import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import free_memory, synchronize
from bench.gpu_sections.trainings import AUGMENTATION, TRAINED, configure, limit_epoch
from eegwf.training.trainer import scores_of

MAX_PLACES = 12  # that are recorded for a model


def syncs(context: Context) -> None:
    """Count the synchronizations of a step, an epoch of 8 steps and a validation, with the lines that cause them."""
    if context.skip_without_gpu("syncs"):
        return
    for name in TRAINED:
        with context.recorder.guard("syncs", name):
            _count(context, name)
        free_memory()


def _count(context: Context, name: str) -> None:
    configure(context.device, "deterministic")
    size = context.batch_sizes[0]
    trainer = context.trainings.trainer(name, batch_size=size, **AUGMENTATION)
    n_steps = min(8, context.n_windows // size)
    limit_epoch(trainer, n_steps * size)
    trainer.epoch([])
    x, target = trainer.loader.read(np.arange(size)), trainer.label[:size]
    trainer.classifier.train()
    calls = {
        "step": lambda: trainer.step(x, target, trainer.patient[:size], 1e-3),
        f"epoch of {n_steps} steps": lambda: trainer.epoch([]),
        "validation": lambda: scores_of(trainer.validation_logits(), trainer.split.validation),
    }
    counts: dict[str, int] = {}
    places: Counter[str] = Counter()
    for part, call in calls.items():
        lines = synchronizing_lines(call)
        counts[part] = len(lines)
        places.update(f"{part}: {line}" for line in lines)
    context.recorder.put("syncs", {name: counts | {"lines": dict(places.most_common(MAX_PLACES))}})
    in_step = ", ".join(f"{place} x{count}" for place, count in places.items() if place.startswith("step"))
    context.recorder.line(f"  {name}: {counts}" + (f"; {in_step}" if in_step else ""))


def synchronizing_lines(call: Callable[[], object]) -> list[str]:
    """File and line of every synchronization with the GPU within a call."""
    synchronize()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return [
        f"{'/'.join(Path(warning.filename).parts[-2:])}:{warning.lineno}"
        for warning in caught
        if "synchronizing" in str(warning.message)
    ]
