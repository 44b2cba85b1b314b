"""Synchronized timing, GPU memory, and comparison of tensors."""

import gc
import hashlib
import statistics
import time
from collections.abc import Callable, Iterable

import torch

MAX_CALLS = 200


def synchronize() -> None:
    """Wait until the GPU has finished its work, if this process uses one."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def seconds_of(call: Callable[[], object]) -> float:
    """Synchronized seconds of a call."""
    synchronize()
    start = time.perf_counter()
    call()
    synchronize()
    return time.perf_counter() - start


def rate(call: Callable[[], object], count: float, seconds: float, min_calls: int = 3) -> float:
    """Measure a rate as the median over several calls, after one call for warming up.

    Parameters
    ----------
    call
        Function to measure.
    count
        Items, such as windows, that a call processes.
    seconds
        Calls are repeated for at least this time.
    min_calls
        Minimum number of calls.

    Returns
    -------
    float
        Items per second.
    """
    seconds_of(call)
    times: list[float] = []
    start = time.perf_counter()
    while len(times) < min_calls or time.perf_counter() - start < seconds:
        times.append(seconds_of(call))
        if len(times) >= MAX_CALLS:
            break
    return round(count / statistics.median(times), 1)


def free_memory() -> None:
    """Free unused memory and reset the recorded peak of the GPU's memory."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def allocated_mib() -> float:
    """Memory allocated on the GPU in MiB; 0 without a GPU."""
    return torch.cuda.memory_allocated() / 2**20 if torch.cuda.is_initialized() else 0.0


def peak_mib(baseline: float = 0.0) -> float | None:
    """Peak of the memory allocated on the GPU, less a baseline, in MiB; None without a GPU."""
    if not torch.cuda.is_initialized():
        return None
    return round(torch.cuda.max_memory_allocated() / 2**20 - baseline, 1)


def format_mib(mib: float | None) -> str:
    """Amount of memory for the report."""
    return "GPU memory not measured" if mib is None else f"{mib} MiB"


def digest(tensors: Iterable[torch.Tensor]) -> str:
    """SHA-256 of the bytes of tensors, shortened to 16 hexadecimal digits."""
    sha256 = hashlib.sha256()
    for tensor in tensors:
        sha256.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return sha256.hexdigest()[:16]


def relative_difference(measured: torch.Tensor, expected: torch.Tensor) -> float:
    """Norm of the difference, divided by the norm of the expected values, in float64 on the CPU.

    Parameters
    ----------
    measured, expected
        Tensors of the same shape, on any device.

    Returns
    -------
    float
        The relative difference.
    """
    measured, expected = measured.detach().double().cpu(), expected.detach().double().cpu()
    return float((measured - expected).norm() / expected.norm().clamp_min(1e-300))
