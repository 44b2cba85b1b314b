"""Peak memory of one contender on one window, beyond what its libraries take: `python -m bench.memory NAME`."""

import subprocess
import sys
from pathlib import Path


def peak(name: str) -> float:
    """MiB that a contender adds to a process of its own."""
    done = subprocess.run([sys.executable, "-m", "bench.memory", name], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def resident(key: str) -> float:
    """MiB of this process: VmRSS now, VmHWM at most."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def main() -> None:
    """Call the contender named on the command line twice, and print the MiB it took."""
    from bench.spectrograms import contenders, windows
    from bench.timing import threads

    with threads(1):
        call = contenders(windows(1))[sys.argv[1]]
        before = resident("VmRSS")
        call()
        call()
    print(max(0.0, resident("VmHWM") - before))


if __name__ == "__main__":
    main()
