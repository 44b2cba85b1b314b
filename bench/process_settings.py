"""Settings of torch under which a function is measured: those of the workflow's jobs, or torch's defaults."""

import contextlib
import ctypes
from collections.abc import Callable

import torch

from eegwf.compute.device import prepare


def synchronize(device: str) -> None:
    """Wait until the device has finished its work."""
    if device == "cuda":
        torch.cuda.synchronize()


def with_workflow_settings(call: Callable[[], object], device: str, n_threads: int = 1) -> Callable[[], None]:
    """Wrap a function so that it runs with the settings of the workflow's jobs.

    Parameters
    ----------
    call
        The function.
    device
        `cpu` or `cuda`.
    n_threads
        Number of threads of torch on the CPU.

    Returns
    -------
    Callable
        Function that returns when the device has finished.
    """

    def run() -> None:
        prepare(device, n_threads)
        call()
        synchronize(device)

    return run


def with_torch_defaults(call: Callable[[], object], device: str, n_threads: int = 1) -> Callable[[], None]:
    """Wrap a function so that it runs with the default settings of torch and of the C library.

    Parameters
    ----------
    call
        The function.
    device
        `cpu` or `cuda`.
    n_threads
        Number of threads of torch on the CPU.

    Returns
    -------
    Callable
        Function that returns when the device has finished.
    """

    def run() -> None:
        torch.set_num_threads(n_threads)
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = False
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = True
        for enable in (
            torch.backends.cuda.enable_flash_sdp,
            torch.backends.cuda.enable_mem_efficient_sdp,
            torch.backends.cuda.enable_cudnn_sdp,
        ):
            enable(True)
        _reset_malloc()
        call()
        synchronize(device)

    return run


def _reset_malloc() -> None:
    """Set glibc to the thresholds that it reaches by itself after arrays of many sizes.

    Arrays of 32 MB and more are mapped, and more than 64 MB of free memory is returned to the kernel.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(-1, 64 << 20)  # M_TRIM_THRESHOLD
        library.mallopt(-4, 65536)  # M_MMAP_MAX
        library.mallopt(-3, 32 << 20)  # M_MMAP_THRESHOLD
