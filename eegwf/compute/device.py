"""Device, threads and deterministic algorithms of a job."""

import contextlib
import ctypes
import logging
import os
import signal
import sys
import warnings
from types import FrameType

import torch

from eegwf.compute.deferred_compiler import defer_compiler
from eegwf.compute.gpu import check_gpu, claim_gpu

logger = logging.getLogger(__name__)

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h of glibc

# TorchEval uses deprecated functions of torch, which users can't change.
warnings.filterwarnings("ignore", message=".*torch.jit.script.* is deprecated", category=FutureWarning)
warnings.filterwarnings("ignore", message="The reduce argument of torch.scatter", category=UserWarning)


def choose_device(device: str, key: str = "device") -> str:
    """Choose the device of a job and, on a machine with several GPUs, a GPU that no other job uses.

    Parameters
    ----------
    device
        `auto`, `cpu` or `cuda`.
    key
        Configuration key of the device, for errors.

    Returns
    -------
    str
        `cpu` or `cuda`.

    Raises
    ------
    InputError
        If a GPU was requested, or assigned by a scheduler, and torch sees none.
    """
    if device == "cpu" or not check_gpu(device, key):
        return "cpu"
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is not deterministic without it
    n_gpus = torch.cuda.device_count()
    if n_gpus > 1:
        torch.cuda.set_device(claim_gpu([str(torch.cuda.get_device_properties(gpu).uuid) for gpu in range(n_gpus)]))
    return "cuda"


def prepare(device: str, threads: int, deterministic: bool = True) -> str:
    """Choose the device, set threads and algorithms, and handle SIGTERM and SIGUSR1.

    Parameters
    ----------
    device
        `auto`, `cpu` or `cuda`.
    threads
        Number of threads of torch on the CPU.
    deterministic
        Whether results on a GPU must be reproducible byte for byte; results on the CPU always are.

    Returns
    -------
    str
        `cpu` or `cuda`.

    Raises
    ------
    InputError
        If a GPU was requested, or assigned by a scheduler, and torch sees none.
    """
    defer_compiler()
    device = choose_device(device)
    torch.set_num_threads(threads)
    _keep_memory()
    if deterministic or device == "cpu":
        # Equals use_deterministic_algorithms(True, warn_only=True), without its import of torch's compiler (1.2 s).
        torch.set_deterministic_debug_mode("warn")
        # Filling new tensors with NaN takes time, and no code reads them before it writes them.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # missing in the stub
    if device == "cuda":
        torch.backends.cudnn.benchmark = not deterministic  # chooses algorithms by measured time
        # Computations in float32 keep its full precision; bfloat16 is the faster alternative, on request.
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        # These attention kernels sum gradients in varying order, which `warn_only=True` permits; so they are disabled.
        for enable in (
            torch.backends.cuda.enable_flash_sdp,
            torch.backends.cuda.enable_mem_efficient_sdp,
            torch.backends.cuda.enable_cudnn_sdp,
        ):
            enable(not deterministic)
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _stop)
    return device


def _keep_memory() -> None:
    """Configure the C library to keep freed memory for the next training step, which allocates the same sizes.

    Otherwise, large arrays are returned to the kernel at every step, which clears their pages when they are allocated
    again; this can take most of the time of a step. Only glibc supports this setting.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_TRIM_THRESHOLD, -1)
        library.mallopt(M_MMAP_MAX, 0)


def device_name(device: str) -> str:
    """Name of a device for users: `cpu`, or the model of the GPU."""
    return torch.cuda.get_device_name() if device == "cuda" else device


def effective_precision(device: torch.device | str, precision: str) -> str:
    """Precision of the matrix products of a network in training.

    Parameters
    ----------
    device
        Device of the network.
    precision
        `float32`, `bfloat16`, or `auto`: bfloat16 on a GPU of compute capability 8.0 or higher, which supports it in
        hardware.

    Returns
    -------
    str
        `float32` or `bfloat16`; always `float32` on the CPU.
    """
    device = torch.device(device)
    if device.type == "cpu":
        return "float32"
    if precision == "auto":
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float32"
    return precision


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Autocast context of a network in training.

    Parameters
    ----------
    device, precision
        As in `effective_precision`.

    Returns
    -------
    torch.autocast
        The context; disabled for float32.
    """
    enabled = effective_precision(device, precision) == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def _stop(number: int, frame: FrameType | None) -> None:
    """Exit at once; the next start continues from the last checkpoint, which is recent."""
    for each in (signal.SIGTERM, signal.SIGUSR1):  # a second signal must not interrupt the end
        signal.signal(each, signal.SIG_IGN)
    logger.warning("stopped by %s; the last checkpoint is kept, rerun to continue", signal.Signals(number).name)
    sys.exit(128 + number)
