"""Where and with how many threads a job computes."""

import os
import signal
import sys
import warnings

import torch

from eegwf.errors import InputError

# TorchEval still uses what torch has deprecated; users can do nothing about that.
warnings.filterwarnings("ignore", message=".*torch.jit.script.* is deprecated", category=FutureWarning)
warnings.filterwarnings("ignore", message="The reduce argument of torch.scatter", category=UserWarning)


def prepare(device: str, threads: int) -> str:
    """Set threads and deterministic algorithms, leave cleanly on SIGTERM and SIGUSR1; returns `cpu` or `cuda`.

    Raises
    ------
    InputError
        If a GPU is asked for and none can be seen.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS may give other bits each time
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, _leave)
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"device: cuda, but torch {torch.__version__} (built for CUDA {torch.version.cuda}) sees no GPU; "
            f"set `device: auto` to allow the CPU"
        )
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def _leave(number: int, frame) -> None:
    """End now: the last finished epoch is on disk, and the next start goes on from it."""
    print(f"stopped by {signal.Signals(number).name}; finished epochs are kept, run again to go on", file=sys.stderr)
    sys.exit(128 + number)
