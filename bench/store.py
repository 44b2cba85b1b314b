"""A whole data set turned into spectrograms, simulated by repeating a chunk of noise.

Example: python -m bench.store --name cwt --hours 20 --threads 2
"""

import argparse
import ctypes
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.memory import resident
from eegwf.config.spectrograms import Spectrograms
from eegwf.spectrograms import store
from eegwf.spectrograms.store import WindowFile, write_spectrogram
from eegwf.storage.growing_array import GrowingArray

SFREQ, N_CHANS, N_TIMES, CHUNK = 256.0, 20, 5120, 128
FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE = 1, 2
GRID = {"n_freqs": 100, "n_times": 100, "f_max": 128.0}


class Forgetful(GrowingArray):
    """An array that gives the disk back what it has committed: 1000 hours would take 72 GB."""

    def commit(self) -> None:
        """Commit, then punch a hole where the rows were."""
        super().commit()
        libc = ctypes.CDLL(None, use_errno=True)
        place = ctypes.c_long(self.path.stat().st_blksize), ctypes.c_long(self.done * self.row_bytes)
        if libc.fallocate(self._file.fileno(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, *place):
            raise OSError(ctypes.get_errno(), "can't punch holes", str(self.path))


class Repeated(WindowFile):
    """A file of `CHUNK` windows that passes for a long one."""

    def read(self, first: int, count: int) -> np.ndarray:
        """Windows from `first` on, as if the file went on."""
        start = first % CHUNK
        return WindowFile(self.path, (CHUNK, *self.shape[1:]), self.dtype, self.offset, self.sfreq, self.ch_names).read(
            start, min(count, CHUNK - start)
        )


def measure(name: str, hours: float, threads: int, device: str = "cpu", folder: str | None = None) -> dict:
    """Run in a process of its own; `folder` gets the array, float16, 400 kB a window."""
    arguments = ["--name", name, "--hours", hours, "--threads", threads, "--device", device]
    arguments += ["--folder", folder] if folder else []
    command = [sys.executable, "-m", "bench.store", *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def run(name: str, hours: float, threads: int, device: str, folder: str | None, forget: bool) -> dict:
    """Write the spectrograms of so many hours of 20-s windows; windows a second, and peak memory in MiB."""
    if forget:
        store.GrowingArray = Forgetful
    n_windows = round(hours * 3600 / (N_TIMES / SFREQ))
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / "windows.npy"
        x = np.random.default_rng(0).normal(0, 30, (CHUNK, N_CHANS, N_TIMES)).astype(np.float16)
        np.save(path, x)
        small = WindowFile.open(path, SFREQ, [f"ch{number}" for number in range(N_CHANS)])
        windows = Repeated(path, (n_windows, N_CHANS, N_TIMES), small.dtype, small.offset, SFREQ, small.ch_names)
        grid = getattr(Spectrograms.model_validate({name: GRID}), name)
        start = time.perf_counter()
        files = Path(place) / "s.npy", Path(place) / "s.json"
        write_spectrogram(name, grid, windows, *files, Path(place) / "state", threads=threads, device=device)
        seconds = time.perf_counter() - start
    return {"windows": n_windows, "seconds": seconds, "per_second": n_windows / seconds, "peak_mib": resident("VmHWM")}


def main() -> None:
    """Read the arguments, run, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="cwt", help="mel, stft or cwt")
    parser.add_argument("--hours", type=float, default=20.0, help="hours of recordings")
    parser.add_argument("--threads", type=int, default=1, help="threads")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--folder", help="where the array is written, 72 MB an hour; removed at the end")
    parser.add_argument("--forget", action="store_true", help="keep nothing of the array on the disk (Linux)")
    print(json.dumps(run(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
