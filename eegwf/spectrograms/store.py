"""Transform the array of windows into the array of spectrograms, in chunks and in bounded memory."""

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from eegwf.config.spectrograms import Grid
from eegwf.progress import Progress
from eegwf.spectrograms.base import Spectrogram
from eegwf.spectrograms.batches import BATCH, single_thread_pool
from eegwf.spectrograms.transforms import describe, make_transform
from eegwf.spectrograms.window_file import WindowFile
from eegwf.storage.files import read_json, write_json
from eegwf.storage.growing_array import GrowingArray
from eegwf.storage.locks import exclusive_lock

GPU_WORKERS = 3
"""While one worker reads, another computes and a third copies the result; each uses about 2 GB of GPU memory."""

AHEAD = 8
"""Batches, beyond one for each worker, that may wait to be written, so that a slow disk does not stop the workers."""

FINISHED = "finished.json"


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
        `.json` file to write: spectrogram, ch_names, freqs (Hz), times (s from the onset of the
        window, negative in its context), sfreq, parameters, and the sha256 of the
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
    with exclusive_lock(state), GrowingArray(state, shape, "<f2") as array, single_thread_pool(workers) as pool:
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
        write_json(axes_path, describe(name, grid, transform, windows, array.sha256))
        write_json(state / FINISHED, {"sha256": array.sha256})
        array.discard()


def _finished(state: Path, array_path: Path | str, axes_path: Path | str) -> bool:
    """Whether both files exist and were written by a job with this state."""
    marker = state / FINISHED
    if not (marker.exists() and Path(array_path).exists() and Path(axes_path).exists()):
        return False
    return read_json(axes_path).get("sha256") == read_json(marker)["sha256"]


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
