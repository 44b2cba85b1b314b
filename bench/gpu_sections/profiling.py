"""Profile of a training step: launched kernels, and the time that the GPU is busy."""

from typing import Any

from torch.profiler import ProfilerActivity
from torch.profiler import profile as profiler

from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import free_memory, seconds_of
from bench.gpu_sections.trainings import LABELS, NOTEBOOK_VIT, Determinism, configure, limit_epoch

NOT_KERNELS = ("Optimizer.", "ProfilerStep")
N_TABLE, N_TOP = 12, 10


def profile(context: Context) -> None:
    """Count the kernels of a step of the ViT and the LSTM, and list the most expensive ones."""
    variants: tuple[Determinism, ...] = ("deterministic", "free")
    for name in (NOTEBOOK_VIT, "lstm"):
        for determinism in variants:
            key = f"{name}, {LABELS[determinism]}"
            with context.recorder.guard("profile", key):
                _profile(context, name, determinism, key)
            free_memory()


def _profile(context: Context, name: str, determinism: Determinism, key: str) -> None:
    configure(context.device, determinism)
    size = context.batch_sizes[0]
    steps = 2 if context.quick else 8
    trainer = context.trainings.trainer(name, batch_size=size)
    limit_epoch(trainer, steps * size)
    trainer.epoch([])
    unprofiled = seconds_of(lambda: trainer.epoch([]))
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if context.on_gpu else [])]
    with profiler(activities=activities) as profiled:
        seconds_of(lambda: trainer.epoch([]))
    averages: Any = profiled.key_averages()
    kernels = [event for event in profiled.events() or [] if _is_kernel(event)]
    busy = sum(event.time_range.elapsed_us() for event in kernels) / 1e6
    sort_key = "self_device_time_total" if context.on_gpu else "self_cpu_time_total"
    context.recorder.table(key, averages.table(sort_by=sort_key, row_limit=N_TABLE, max_name_column_width=60))
    top = sorted(averages, key=lambda event: -getattr(event, sort_key))[:N_TOP]
    row = {
        "ms_per_step": round(1e3 * unprofiled / steps, 3),
        "kernels_per_step": round(len(kernels) / steps, 1),
        "busy_ms_per_step": round(1e3 * busy / steps, 3),
        "top": {event.key[:80]: [event.count, round(getattr(event, sort_key) / 1e3, 2)] for event in top},
    }
    context.recorder.put("profile", {key: row})
    context.recorder.line(
        f"  {key}, batch size {size}: {row['ms_per_step']} ms per step, {row['kernels_per_step']} kernels and copies, "
        f"GPU busy for {row['busy_ms_per_step']} ms"
    )
    context.recorder.line(
        "    " + "; ".join(f"{event.key[:46]} {getattr(event, sort_key) / 1e3:.2f} ms" for event in top[:5])
    )


def _is_kernel(event: Any) -> bool:
    """Whether an event is a kernel or a copy on the GPU."""
    return (
        "cuda" in str(event.device_type).lower()
        and not getattr(event, "is_user_annotation", False)
        and not event.name.startswith(NOT_KERNELS)
    )
