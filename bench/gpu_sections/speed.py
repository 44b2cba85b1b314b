"""Speed of training and prediction of every model."""

import time
from typing import Any

import numpy as np

from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import allocated_mib, format_mib, free_memory, peak_mib, rate
from bench.gpu_sections.trainings import LABELS, MODELS, NOTEBOOK_VIT, TRAINED, Determinism, configure, set_batch_size
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.classifier import predict

ALL_SIZES = (NOTEBOOK_VIT, "vit", "lstm")
"""Models that are measured with every batch size; the others with the two smallest."""
Variant = tuple[Determinism, bool, str, str]
VARIANTS: list[Variant] = [("deterministic", False, "auto", "bfloat16"), ("free", False, "auto", "bfloat16")]
"""Determinism, TF32, precision setting, and the name of the precision."""
VIT_VARIANTS: list[Variant] = [
    ("strict", False, "auto", "bfloat16"),
    ("deterministic", False, "float32", "float32"),
    ("free", False, "float32", "float32"),
    ("free", True, "float32", "tf32"),
]


def speed(context: Context) -> None:
    """Measure training of every model by determinism and batch size, prediction, and the loading of windows."""
    for name in TRAINED:
        for variant in VARIANTS + (VIT_VARIANTS if name == NOTEBOOK_VIT else []):
            determinism, _, _, precision = variant
            key = f"{name}, {LABELS[determinism]}, {precision}"
            with context.recorder.guard("speed", key):
                _training(context, name, variant, key)
            free_memory()
    with context.recorder.guard("speed", "predict"):
        _prediction(context)
    for label, resident in (("resident", None), ("streamed", False)):
        with context.recorder.guard("speed", f"windows {label}"):
            _windows(context, label, context.trainings.loader("mel", resident=resident))


def _training(context: Context, name: str, variant: Variant, key: str) -> None:
    """Windows per second and peak memory of an epoch without validation."""
    determinism, tf32, setting, _ = variant
    configure(context.device, determinism, tf32)
    start = time.perf_counter()
    trainer = context.trainings.trainer(name, precision=setting)
    row: dict[str, Any] = {"construction_s": round(time.perf_counter() - start, 3)}
    sizes = context.batch_sizes if name in ALL_SIZES else context.batch_sizes[:2]
    for size in sizes:
        free_memory()
        before = allocated_mib()
        set_batch_size(trainer, size)
        row[str(size)] = rate(lambda: trainer.epoch([]), context.n_windows, 0.5 * context.seconds)
        row[f"{size} MiB"] = peak_mib(before)
    context.recorder.put("speed", {key: row})
    text = ", ".join(f"{size}: {row[str(size)]:.0f} ({format_mib(row[f'{size} MiB'])})" for size in sizes)
    context.recorder.line(f"  {key}: {text}; constructed in {row['construction_s']:.2f} s")


def _prediction(context: Context) -> None:
    """Windows per second of the prediction in float32, for every model."""
    configure(context.device, "deterministic")
    row = {}
    for name, (_, kind, _) in MODELS.items():
        loader, classifier = context.trainings.loader(kind), context.trainings.classifier(name)
        row[name] = rate(
            lambda classifier=classifier, loader=loader: predict(classifier, loader.dataset, loader.rows, loader),  # type: ignore[misc]
            context.n_windows,
            0.3 * context.seconds,
        )
    context.recorder.put("speed", {"predict": row})
    context.recorder.line("  predict, float32: " + ", ".join(f"{name} {value:.0f}" for name, value in row.items()))


def _windows(context: Context, label: str, loader: BatchLoader) -> None:
    """Windows per second of a loader by itself, and of a training with it."""
    configure(context.device, "free")
    order = np.random.default_rng(0).permutation(context.n_windows)
    parts = np.array_split(order, context.n_windows // context.batch_sizes[0])

    def read_all() -> None:
        for _ in loader.stream(parts):
            pass

    loading = rate(read_all, context.n_windows, context.seconds)
    trainer = context.trainings.trainer(NOTEBOOK_VIT, loader=loader)
    size = context.batch_sizes[1]
    set_batch_size(trainer, size)
    training = rate(lambda: trainer.epoch([]), context.n_windows, context.seconds)
    context.recorder.put("speed", {f"windows {label}": {"loading": loading, "training_vit": training}})
    context.recorder.line(
        f"  windows {label}: {loading:.0f} windows/s loading only, {training:.0f} training the ViT, batch size {size}"
    )
