"""Software and hardware of the run, and the maximum rates of the device."""

import contextlib
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from bench.gpu_sections.context import Context
from bench.gpu_sections.timing import free_memory, rate

PACKAGES = (
    *("torch", "torchvision", "timm", "triton", "numpy", "scipy", "pandas", "scikit-learn", "safetensors"),
    *("torcheval", "captum", "pydantic", "optuna"),
)
NVIDIA_SMI = "driver_version,clocks.sm,clocks.max.sm,compute_mode,utilization.gpu"


def versions(context: Context) -> None:
    """Record versions, GPU and commit."""
    figures: dict[str, Any] = {"python": sys.version.split()[0], "cores": os.cpu_count()}
    for name in PACKAGES:
        try:
            figures[name] = version(name)
        except PackageNotFoundError:
            figures[name] = None
    if context.on_gpu:
        figures |= _gpu()
    figures["commit"] = _output(["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]) or None
    context.recorder.put("versions", figures)
    context.recorder.line("  " + ", ".join(f"{name} {value}" for name, value in figures.items()))


def _gpu() -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(0)
    return {
        "gpu": properties.name,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "multiprocessors": properties.multi_processor_count,
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "nvidia-smi": _output(["nvidia-smi", f"--query-gpu={NVIDIA_SMI}", "--format=csv,noheader"]),
    }


def _output(command: list[str]) -> str:
    """Standard output of a command; empty if it can't run."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout.strip()
    return ""


def ceilings(context: Context) -> None:
    """Measure the maximum rates: a copy, matrix products, kernel launches, and transfers."""
    copy = _copy(context)
    context.recorder.put("ceilings", {"copy_bytes_per_second": copy})
    free_memory()
    products = _products(context)
    launch = _launch(context)
    context.recorder.put("ceilings", {"flops_per_second": products, "launch_us": launch})
    if context.on_gpu:
        transfers = _transfers(context)
        context.recorder.put("ceilings", {"transfer_bytes_per_second": transfers})
        context.recorder.line("  " + ", ".join(f"{name} {value / 1e9:.1f} GB/s" for name, value in transfers.items()))
    text = ", ".join(f"{name} {value / 1e12:.1f} TFLOP/s" for name, value in products.items())
    context.recorder.line(f"  copy {copy / 1e12:.2f} TB/s; {text}; {launch:.1f} us per launch")


def _copy(context: Context) -> float:
    """Bytes that a copy within the device reads and writes per second."""
    source = torch.empty(2**20 if context.quick else 2**30, dtype=torch.float32, device=context.device).normal_()
    target = torch.empty_like(source)
    return 2 * source.nbytes * rate(lambda: target.copy_(source), 1, context.seconds)


def _products(context: Context) -> dict[str, float]:
    """Floating-point operations per second of a large matrix product, by precision."""
    side = 512 if context.quick else 8192
    flops = {}
    for name, dtype in (("bfloat16", torch.bfloat16), ("tf32", torch.float32), ("float32", torch.float32)):
        torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
        x, y = (torch.randn(side, side, device=context.device).to(dtype) for _ in range(2))
        flops[name] = 2 * side**3 * rate(lambda x=x, y=y: x @ y, 1, context.seconds)  # type: ignore[misc]
    torch.backends.cuda.matmul.allow_tf32 = False
    return flops


def _launch(context: Context) -> float:
    """Microseconds of the launch of a small kernel."""
    value = torch.zeros(1, device=context.device)

    def thousand() -> None:
        for _ in range(1000):
            value.add_(1)

    return 1e6 / rate(thousand, 1000, context.seconds)


def _transfers(context: Context) -> dict[str, float]:
    """Bytes per second between host and device."""
    host = torch.empty(2**28, dtype=torch.uint8)
    device = torch.empty_like(host, device=context.device)
    pinned = host.pin_memory()
    calls = {
        "pageable to device": lambda: device.copy_(host),
        "pinned to device": lambda: device.copy_(pinned, non_blocking=True),
        "device to pageable": lambda: host.copy_(device),
        "device to pinned": lambda: pinned.copy_(device, non_blocking=True),
    }
    return {name: host.nbytes * rate(call, 1, context.seconds) for name, call in calls.items()}
