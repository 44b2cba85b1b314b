"""Write the spectrograms of a whole data set, which is simulated by repeating a chunk of noise.

Example: python -m bench.store --name cwt --hours 20 --threads 2
"""

import argparse
import contextlib
import ctypes
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from bench.process_memory import resident
from bench.shapes import N_CHANS, N_TIMES, SFREQ, WINDOW_SECONDS
from eegwf.config.spectrograms import Spectrograms
from eegwf.spectrograms import store
from eegwf.spectrograms.store import write_spectrogram
from eegwf.spectrograms.window_file import WindowFile
from eegwf.storage.growing_array import GrowingArray

CHUNK = 128
"""Windows of the file that is repeated."""
FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE = 1, 2
GRID = {"n_freqs": 100, "n_frames": 100, "f_max": 128.0}


class DiscardingArray(GrowingArray):
    """Array that frees the disk space of committed rows; 1000 hours would take 72 GB."""

    def commit(self) -> None:
        """Commit, then deallocate the file's blocks."""
        super().commit()
        libc = ctypes.CDLL(None, use_errno=True)
        start, length = ctypes.c_long(self.path.stat().st_blksize), ctypes.c_long(self.done * self.row_bytes)
        if libc.fallocate(self._file.fileno(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, length):
            raise OSError(ctypes.get_errno(), "can't deallocate blocks", str(self.path))


class RepeatedWindows(WindowFile):
    """File of `CHUNK` windows that is read as if it were repeated."""

    def read(self, first: int, count: int) -> np.ndarray:
        """Read windows of the repeated file.

        Parameters
        ----------
        first
            Number of the first window.
        count
            Number of windows; fewer are returned at the end of the chunk.

        Returns
        -------
        numpy.ndarray
            Windows in microvolts, float32 (count, n_chans, n_times).
        """
        start = first % CHUNK
        return WindowFile(self.path, (CHUNK, *self.shape[1:]), self.dtype, self.offset, self.sfreq, self.ch_names).read(
            start, min(count, CHUNK - start)
        )


def measure(name: str, hours: float, threads: int, device: str = "cpu", folder: str | None = None) -> dict[str, Any]:
    """Run the measurement in a new process.

    Parameters
    ----------
    name
        `mel`, `stft` or `cwt`.
    hours
        Hours of recordings.
    threads
        Number of threads.
    device
        `cpu` or `cuda`.
    folder
        Folder for the array, which takes 400 kB per window; None for the default temporary folder.

    Returns
    -------
    dict
        As returned by `run`.
    """
    arguments = ["--name", name, "--hours", hours, "--threads", threads, "--device", device]
    arguments += ["--folder", folder] if folder else []
    command = [sys.executable, "-m", "bench.store", *map(str, arguments)]
    figures: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return figures


def run(name: str, hours: float, threads: int, device: str, folder: str | None, forget: bool) -> dict[str, Any]:
    """Write the spectrograms of 20-s windows.

    Parameters
    ----------
    name
        `mel`, `stft` or `cwt`.
    hours
        Hours of recordings.
    threads
        Number of threads.
    device
        `cpu` or `cuda`.
    folder
        Folder for the array; None for the default temporary folder.
    forget
        Free the disk space of rows once they are written (Linux).

    Returns
    -------
    dict
        `windows`, `seconds`, windows per second `per_second`, and the peak memory of the process `peak_mib`.
    """
    n_windows = round(hours * 3600 / WINDOW_SECONDS)
    discarding = mock.patch.object(store, "GrowingArray", DiscardingArray) if forget else contextlib.nullcontext()
    with tempfile.TemporaryDirectory(dir=folder) as temporary, discarding:
        path = Path(temporary) / "windows.npy"
        x = np.random.default_rng(0).normal(0, 30, (CHUNK, N_CHANS, N_TIMES)).astype(np.float16)
        np.save(path, x)
        small = WindowFile.open(path, SFREQ, [f"ch{number}" for number in range(N_CHANS)])
        windows = RepeatedWindows(path, (n_windows, N_CHANS, N_TIMES), small.dtype, small.offset, SFREQ, small.ch_names)
        grid = getattr(Spectrograms.model_validate({name: GRID}), name)
        start = time.perf_counter()
        files = Path(temporary) / "s.npy", Path(temporary) / "s.json"
        write_spectrogram(name, grid, windows, *files, Path(temporary) / "state", threads=threads, device=device)
        seconds = time.perf_counter() - start
    return {"windows": n_windows, "seconds": seconds, "per_second": n_windows / seconds, "peak_mib": resident("VmHWM")}


def main() -> None:
    """Read the arguments, run, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="cwt", help="mel, stft or cwt")
    parser.add_argument("--hours", type=float, default=20.0, help="hours of recordings")
    parser.add_argument("--threads", type=int, default=1, help="number of threads")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--folder", help="folder for the array, 72 MB per hour; it is removed at the end")
    parser.add_argument("--forget", action="store_true", help="free the disk space of written rows (Linux)")
    print(json.dumps(run(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
