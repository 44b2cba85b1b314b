"""Memory and speed of the largest ViT of the full configuration."""

from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import format_mib, free_memory, peak_mib, rate
from bench.gpu_sections.trainings import LABELS, Determinism, configure, limit_epoch
from bench.study import trainer as make_trainer

# The upper end of the search space of vit in config/full.yaml: 625 tokens.
LARGEST = {"patch_freqs": 4, "patch_times": 4, "heads": 8, "width": 256, "depth": 8}
QUICK = LARGEST | {"width": 64, "depth": 2}


def largest(context: Context) -> None:
    """Train the largest ViT of config/full.yaml, 625 tokens with a batch size of 128, by determinism."""
    for determinism, label in LABELS.items():
        with context.recorder.guard("largest", label):
            _measure(context, determinism, label)
        free_memory()


def _measure(context: Context, determinism: Determinism, label: str) -> None:
    configure(context.device, determinism)
    free_memory()
    parameters, batch_size = (QUICK, 8) if context.quick else (LARGEST, 128)
    trainer = make_trainer("vit", context.trainings.loader("mel"), parameters, batch_size=batch_size)
    n_windows = 8 if context.quick else 384
    limit_epoch(trainer, n_windows)
    speed = rate(lambda: trainer.epoch([]), n_windows, 0.1, min_calls=1)
    peak = peak_mib()
    context.recorder.put("largest", {label: {"windows_per_second": speed, "peak_mib": peak}})
    context.recorder.line(f"  {label}: {speed:.0f} windows/s, {format_mib(peak)}")
