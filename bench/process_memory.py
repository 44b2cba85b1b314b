"""Memory of a process, as Linux reports it."""

import ctypes
import subprocess
import sys
from pathlib import Path


def peak(name: str, part: str = "spectrograms") -> float:
    """Measure the peak memory of a contender in a new process.

    Parameters
    ----------
    name
        Name of the contender, or of the model.
    part
        `spectrograms` or `training`.

    Returns
    -------
    float
        MiB beyond those of the process before the call.
    """
    command = [sys.executable, "-m", "bench.memory", part, name]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def resident(key: str) -> float:
    """Resident memory of this process in MiB: the present one for `VmRSS`, the peak for `VmHWM`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def reset_peak() -> None:
    """Return free memory to the kernel and reset the recorded peak (Linux with glibc)."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
