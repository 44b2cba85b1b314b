"""Transform the array of windows into the array of spectrograms, in chunks and in bounded memory."""

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eegwf.config.spectrograms import Grid
from eegwf.errors import InputError
from eegwf.progress import Progress
from eegwf.spectrograms.base import Spectrogram
from eegwf.spectrograms.transforms import make_transform
from eegwf.storage.files import read_array, read_json, write_json
from eegwf.storage.growing_array import GrowingArray
from eegwf.storage.locks import exclusive_lock

BATCH = {"cpu": 16, "cuda": 128}
"""Windows transformed together. Sums in matrix products and FFTs can differ in the last bit with the number of windows.
All batches therefore have this number, the last one padded with zeros, so that the bytes of the result depend on the
windows alone."""

GPU_WORKERS = 3
"""While one worker reads, another computes and a third copies the result; each uses about 2 GB of GPU memory."""

AHEAD = 8
"""Batches, beyond one for each worker, that may wait to be written, so that a slow disk does not stop the workers."""

FINISHED = "finished.json"


@dataclass(frozen=True)
class WindowFile:
    """Array file of windows, read in parts, since a memory map would count toward the memory of the process.

    Attributes
    ----------
    path
        `.npy` file, float16 or wider, shape (n_windows, n_chans, n_times), microvolts.
    shape, dtype
        Shape and type of the array.
    offset
        Position of the first byte of the data in the file.
    sfreq
        Sampling rate in Hz.
    ch_names
        Names of the channels, in the order of the array.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int
    sfreq: float
    ch_names: tuple[str, ...]

    @classmethod
    def open(cls, path: Path | str, sfreq: float, ch_names: list[str]) -> "WindowFile":
        """Read the header of an array file.

        Parameters
        ----------
        path
            `.npy` file.
        sfreq
            Sampling rate in Hz.
        ch_names
            Names of the channels, in the order of the array.

        Returns
        -------
        WindowFile
            The file, of which no data has been read.

        Raises
        ------
        InputError
            If the file is not an array of windows, or if the number of names and channels differ.
        """
        array = read_array(path)
        if array.ndim != 3 or array.dtype.kind != "f" or 0 in array.shape or not array.flags.c_contiguous:
            raise InputError(
                f"{path}: {array.dtype} of shape {array.shape}; expected float16 (n_windows, n_chans, "
                "n_times) in microvolts, no dimension 0, in C order; create the windows again"
            )
        if len(ch_names) != array.shape[1]:
            raise InputError(f"{path}: {array.shape[1]} channels, but {len(ch_names)} channel names")
        n_windows, n_chans, n_times = array.shape
        shape = n_windows, n_chans, n_times
        return cls(Path(path), shape, array.dtype, array.offset, float(sfreq), tuple(ch_names))

    def read(self, first: int, count: int) -> np.ndarray:
        """Read windows.

        Parameters
        ----------
        first
            Index of the first window.
        count
            Number of windows.

        Returns
        -------
        numpy.ndarray
            float32, shape (count, n_chans, n_times); zeros after the last window of the file.

        Raises
        ------
        InputError
            If the windows contain NaN or infinity.
        """
        n_windows, n_chans, n_times = self.shape
        available = min(count, n_windows - first)
        start = self.offset + first * n_chans * n_times * self.dtype.itemsize
        part = np.fromfile(self.path, self.dtype, available * n_chans * n_times, offset=start)
        batch = np.zeros((count, n_chans, n_times), dtype=np.float32)
        batch[:available] = part.reshape(available, n_chans, n_times)
        finite = np.isfinite(batch).all(axis=-1)
        if not finite.all():
            window, channel = np.argwhere(~finite)[0]
            raise InputError(
                f"{self.path}: window {first + window}, channel {self.ch_names[channel]} contains NaN or infinity; "
                "expected microvolts; create the windows again or exclude the recording"
            )
        return batch


def write_spectrogram(
    name: str,
    grid: Grid,
    windows: WindowFile,
    array_path: Path | str,
    axes_path: Path | str,
    state: Path,
    threads: int = 1,
    device: str = "cpu",
    progress: bool = False,
    chunk_bytes: int = 2**26,
) -> None:
    """Transform all windows and write the array and its axes.

    Parameters
    ----------
    name, grid
        Name of the spectrogram, and its entry in the configuration.
    windows
        Windows to transform.
    array_path
        `.npy` file to write: float16, shape (n_windows, n_chans, n_freqs, n_frames), in the unit of the transform.
    axes_path
        `.json` file to write: spectrogram, ch_names, freqs (Hz), times (s), sfreq, parameters, and the sha256 of the
        data of the array (the bytes after the header).
    state
        Folder of the unfinished array, from which a killed job continues. Its name must depend on everything that
        determines the array.
    threads
        Number of batches transformed at the same time, in one thread each.
    device
        "cpu" or "cuda".
    progress
        Whether to log the percentage and the remaining time.
    chunk_bytes
        Approximate size of a chunk in bytes, and thus of the work that is lost if the job is killed.

    Raises
    ------
    InputError
        If windows contain NaN or infinity, or if the transform does not fit them.

    Notes
    -----
    On the CPU, the bytes of the result depend neither on `chunk_bytes` nor on `threads`, nor on interruptions. The
    number of threads of torch is 1 while the function runs, and is restored at the end.
    """
    n_windows, n_chans, n_times = windows.shape
    transform = make_transform(name, grid, windows.sfreq, n_times, check_finite=False).to(device)
    shape = (n_windows, n_chans, transform.n_freqs, transform.n_frames)
    lines = Progress(name, n_windows, interval=5.0 if progress else float("inf"))
    state.mkdir(parents=True, exist_ok=True)
    workers = threads if device == "cpu" else min(threads, GPU_WORKERS)
    with exclusive_lock(state), GrowingArray(state, shape, "<f2") as array, _single_thread_pool(workers) as pool:
        if _finished(state, array_path, axes_path):
            if progress:
                lines.skip(n_windows)
                lines.log("already computed by another job")
            array.discard()
            return
        if array.done:
            lines.skip(array.done)
            lines.log(f"continuing at window {array.done}")
        per_chunk = max(1, chunk_bytes // array.row_bytes)
        waiting = 0
        for levels in _levels(pool, workers + AHEAD, transform, windows, array.done, device):
            array.append(levels)
            waiting += len(levels)
            if waiting >= per_chunk:
                array.commit()
                waiting = 0
            lines.step(steps=len(levels))
        array.commit()
        array.publish(Path(array_path))
        write_json(axes_path, _axes(name, grid, windows, transform, array.sha256))
        write_json(state / FINISHED, {"sha256": array.sha256})
        array.discard()


def _finished(state: Path, array_path: Path | str, axes_path: Path | str) -> bool:
    """Whether both files exist and were written by a job with this state."""
    marker = state / FINISHED
    if not (marker.exists() and Path(array_path).exists() and Path(axes_path).exists()):
        return False
    return read_json(axes_path).get("sha256") == read_json(marker)["sha256"]


def _axes(name: str, grid: Grid, windows: WindowFile, transform: Spectrogram, sha256: str) -> dict[str, Any]:
    return {
        "spectrogram": name,
        "ch_names": list(windows.ch_names),
        "freqs": transform.freqs.tolist(),
        "times": transform.times.tolist(),
        "sfreq": windows.sfreq,
        "parameters": grid.model_dump(),
        "sha256": sha256,
    }


def _levels(
    pool: ThreadPoolExecutor, ahead: int, transform: Spectrogram, windows: WindowFile, done: int, device: str
) -> Iterator[np.ndarray]:
    """Yield the levels of each batch in half precision, with at most `ahead` batches in memory."""
    batch, worker = BATCH[device], threading.local()

    def work(first: int) -> np.ndarray:
        # One stream for each worker, so that one worker copies while another computes.
        if device == "cuda" and not hasattr(worker, "stream"):
            worker.stream = torch.cuda.Stream()
        with torch.inference_mode(), torch.cuda.stream(getattr(worker, "stream", None)):
            x = torch.from_numpy(windows.read(first, batch))
            if device == "cuda":
                x = x.pin_memory().to(device, non_blocking=True)
            levels = transform(x)[max(0, done - first) : windows.shape[0] - first]
            return levels.to(torch.float16).cpu().numpy().astype("<f2", copy=False)

    # After an interruption too, batches begin at multiples of their size, so that their bytes are always the same.
    firsts = iter(range(done - done % batch, windows.shape[0], batch))
    futures = deque(pool.submit(work, first) for first in islice(firsts, ahead))
    while futures:
        yield futures.popleft().result()
        futures.extend(pool.submit(work, first) for first in islice(firsts, 1))


@contextmanager
def _single_thread_pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Pool of workers in which torch computes with one thread, since the last bits depend on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)
