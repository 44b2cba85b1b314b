"""Peak memory of one contender, beyond what its libraries take: `python -m bench.memory spectrograms|training NAME`."""

import ctypes
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path


def peak(name: str, part: str = "spectrograms") -> float:
    """MiB that a contender adds to a process of its own."""
    command = [sys.executable, "-m", "bench.memory", part, name]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def resident(key: str) -> float:
    """MiB of this process: VmRSS now, VmHWM at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def settle() -> None:
    """Give back what is free, and forget what was taken at most (Linux with glibc)."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    """Call the contender named on the command line twice, and print the MiB it took."""
    from bench.timing import threads

    part, name = sys.argv[1:]
    with ExitStack() as stack:
        stack.enter_context(threads(1))
        if part == "training":
            from bench.training import alone

            call = stack.enter_context(alone(name))
        else:
            from bench.spectrograms import contenders, windows

            call = contenders(windows(1))[name]
        before = resident("VmRSS")
        call()
        call()
    print(max(0.0, resident("VmHWM") - before))


if __name__ == "__main__":
    main()
