"""Accuracy and speed of the spectrograms."""

import os
from typing import Any

import torch

from bench.contenders import SPECTROGRAMS
from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import digest, format_mib, free_memory, peak_mib, rate
from bench.store import run
from bench.transforms import make_transform, noise_windows

MAX_DB = 0.01
"""Difference from double precision above which a line of the report is marked CHECK."""
N_THREADS = 3


def spectrograms(context: Context) -> None:
    """Compare every transform with double precision on the CPU, and measure it alone and with writing to disk."""
    torch.set_num_threads(min(8, os.cpu_count() or 1))
    for name in SPECTROGRAMS:
        with context.recorder.guard("spectrograms", name), torch.inference_mode():
            _transform(context, name)
    hours = 0.05 if context.quick else 12.0
    for name in SPECTROGRAMS:
        with context.recorder.guard("spectrograms", f"{name} to disk"):
            figures = run(name, hours, N_THREADS, context.device, None, False)
            context.recorder.put("spectrograms", {f"{name} to disk": figures})
            context.recorder.line(
                f"  {name} to disk, {N_THREADS} threads: {figures['per_second']:.0f} windows/s "
                f"({figures['windows']} windows)"
            )


def _transform(context: Context, name: str) -> None:
    few = torch.from_numpy(noise_windows(2))
    on_cpu = make_transform(name, check_finite=False)
    expected, single = on_cpu(few.double()), on_cpu(few)
    module = make_transform(name, check_finite=False).to(context.device)
    levels = module(few.to(context.device))
    difference = (levels.cpu().double() - expected).abs()
    figures: dict[str, Any] = {
        "cpu_max_db": float((single.double() - expected).abs().max()),
        "gpu_max_db": float(difference.max()),
        "gpu_mean_db": float(difference.mean()),
    }
    count = 4 if context.quick else 512
    x = torch.from_numpy(noise_windows(count)).to(context.device)
    free_memory()
    speed = rate(lambda: module(x), count, context.seconds)
    minimum_bytes = 4 * (x[0].numel() + levels[0].numel())
    bandwidth = context.recorder.figures.get("ceilings", {}).get("copy_bytes_per_second")
    figures |= {
        "windows_per_second": speed,
        "bandwidth_share": round(speed * minimum_bytes / bandwidth, 4) if bandwidth else None,
        "peak_mib": peak_mib(),
        "same_bytes_twice": digest([module(x[:128])]) == digest([module(x[:128])]),
    }
    context.recorder.put("spectrograms", {name: figures})
    verdict = "ok" if figures["gpu_max_db"] < MAX_DB else "CHECK"
    share = "unknown" if bandwidth is None else f"{100 * figures['bandwidth_share']:.1f} %"
    context.recorder.line(
        f"  {name}: maximum difference {figures['gpu_max_db']:.2g} dB {verdict} (CPU {figures['cpu_max_db']:.2g}), "
        f"{speed:.0f} windows/s, fraction of the copy bandwidth {share}, {format_mib(figures['peak_mib'])}"
    )
