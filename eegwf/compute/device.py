"""Where and with how many threads a job computes."""

import contextlib
import ctypes
import os
import signal
import sys
import warnings

import torch

from eegwf.compute.gpu import check_gpu, own_gpu

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h of glibc

# TorchEval still uses what torch has deprecated; users can do nothing about that.
warnings.filterwarnings("ignore", message=".*torch.jit.script.* is deprecated", category=FutureWarning)
warnings.filterwarnings("ignore", message="The reduce argument of torch.scatter", category=UserWarning)


def prepare(device: str, threads: int, deterministic: bool = True) -> str:
    """Set threads and algorithms, leave cleanly on SIGTERM and SIGUSR1; returns `cpu` or `cuda`.

    Parameters
    ----------
    device
        `auto`, `cpu` or `cuda`.
    threads
        Of torch on the CPU.
    deterministic
        Whether a GPU, too, must give the same bytes from the same seed.

    Raises
    ------
    InputError
        If a GPU is asked for, or was given by a scheduler, and none can be seen.
    """
    if device != "cpu":
        device = "cuda" if check_gpu(device) else "cpu"
    torch.set_num_threads(threads)
    _keep_memory()
    if deterministic or device == "cpu":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS may give other bits each time
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # a pass over memory for what nothing reads
    if device == "cuda":
        n_gpus = torch.cuda.device_count()
        if n_gpus > 1:
            torch.cuda.set_device(own_gpu([str(torch.cuda.get_device_properties(gpu).uuid) for gpu in range(n_gpus)]))
        torch.backends.cudnn.benchmark = not deterministic  # it chooses algorithms by their time
        # Single precision is what it says; bfloat16 is the way to speed, where it is asked for.
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        # Their gradients are summed in any order, unless torch may stop at every other operation that has that fault.
        for enable in (
            torch.backends.cuda.enable_flash_sdp,
            torch.backends.cuda.enable_mem_efficient_sdp,
            torch.backends.cuda.enable_cudnn_sdp,
        ):
            enable(not deterministic)
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _leave)
    return device


def _keep_memory() -> None:
    """Let the C library keep what is freed for the next step, which asks for the same again.

    Else large arrays go back to the kernel at every step, and their pages are cleared anew, which can take most of a
    step. Only glibc has this.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(M_TRIM_THRESHOLD, -1)
        library.mallopt(M_MMAP_MAX, 0)


def device_name(device: str) -> str:
    """The device as it is told to users: `cpu`, or the GPU's name."""
    return torch.cuda.get_device_name() if device == "cuda" else device


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which a network runs: bfloat16 on a GPU that has units for it, if the precision allows it."""
    wanted = device.type == "cuda" and (
        precision == "bfloat16" or (precision == "auto" and torch.cuda.get_device_capability(device) >= (8, 0))
    )
    return torch.autocast(device.type, torch.bfloat16, enabled=wanted)


def _leave(number: int, frame) -> None:
    """End now: a checkpoint is on disk, not long ago, and the next start goes on from it."""
    print(f"stopped by {signal.Signals(number).name}; the last checkpoint is kept, run again to go on", file=sys.stderr)
    sys.exit(128 + number)
