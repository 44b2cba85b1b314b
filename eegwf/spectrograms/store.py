"""From the file of windows to the file of spectrograms, in bounded memory, chunk by chunk."""

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from eegwf.config.spectrograms import Grid
from eegwf.errors import InputError
from eegwf.progress import Progress
from eegwf.spectrograms.base import Spectrogram
from eegwf.spectrograms.transforms import make_transform
from eegwf.storage.files import read_array, read_json, write_json
from eegwf.storage.growing_array import GrowingArray
from eegwf.storage.locks import held

BATCH = {"cpu": 16, "cuda": 128}
"""Windows transformed at once. Sums of matrix products and FFTs may differ in the last bit with the number of
windows: always the same number, the last batch filled up with zeros, gives bytes that depend on nothing else."""

GPU_WORKERS = 3
"""One reads, one computes, one writes; each takes about 2 GB of the GPU."""

AHEAD = 8
"""Batches, beyond one for each worker, that wait to be written: they keep the workers busy while the disk is slow."""

FINISHED = "finished.json"


@dataclass(frozen=True)
class WindowFile:
    """The file of windows, read part by part: a memory map of it would count as this process's memory.

    Attributes
    ----------
    path
        `.npy`, float16 or wider (n_windows, n_chans, n_times), microvolts.
    shape, dtype, offset
        Of the array, and the first byte of its data.
    sfreq
        Sampling rate in Hz.
    ch_names
        Names of the channels, in the array's order.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int
    sfreq: float
    ch_names: tuple[str, ...]

    @classmethod
    def open(cls, path: Path | str, sfreq: float, ch_names: list[str]) -> "WindowFile":
        """Look at the file's header.

        Raises
        ------
        InputError
            If it is no such array, or if there are not as many names as channels.
        """
        array = read_array(path)
        if array.ndim != 3 or array.dtype.kind != "f" or 0 in array.shape or not array.flags.c_contiguous:
            raise InputError(
                f"{path}: {array.dtype} of shape {array.shape}; expected float16 (n_windows, n_chans, "
                "n_times) in microvolts, none of them 0, in C order; make the windows again"
            )
        if len(ch_names) != array.shape[1]:
            raise InputError(f"{path}: {array.shape[1]} channels, but {len(ch_names)} names were given")
        return cls(Path(path), array.shape, array.dtype, array.offset, float(sfreq), tuple(ch_names))

    def read(self, first: int, count: int) -> np.ndarray:
        """Windows from `first` on, float32 (count, n_chans, n_times); behind the last one there is silence.

        Raises
        ------
        InputError
            If they hold NaN or infinity.
        """
        n_windows, n_chans, n_times = self.shape
        there = min(count, n_windows - first)
        start = self.offset + first * n_chans * n_times * self.dtype.itemsize
        part = np.fromfile(self.path, self.dtype, there * n_chans * n_times, offset=start)
        batch = np.zeros((count, n_chans, n_times), dtype=np.float32)
        batch[:there] = part.reshape(there, n_chans, n_times)
        finite = np.isfinite(batch).all(axis=-1)
        if not finite.all():
            window, channel = np.argwhere(~finite)[0]
            raise InputError(
                f"{self.path}: window {first + window}, channel {self.ch_names[channel]} holds NaN or infinity; "
                "expected microvolts; make the windows again or leave out its recording"
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
        The spectrogram and its entry in the configuration.
    windows
        What to transform.
    array_path
        `.npy` to write: float16 (n_windows, n_chans, n_freqs, n_frames), dB.
    axes_path
        `.json` to write: spectrogram, ch_names, freqs (Hz), times (s), sfreq, parameters, and the sha256 of the
        array's data (the bytes behind the header).
    state
        Folder in which the array grows, and from which a killed job goes on. What decides the array must decide
        the folder's name too.
    threads
        Batches transformed at the same time, one thread each.
    device
        "cpu" or "cuda".
    progress
        Print percentage and remaining time on standard error.
    chunk_bytes
        Bytes of the array, about, that a kill may cost.

    Raises
    ------
    InputError
        If windows hold NaN or infinity, or if the transform does not fit them.

    Notes
    -----
    On the CPU the bytes depend neither on `chunk_bytes` nor on `threads`, nor on kills. While it runs, torch's own
    thread count is one; it is set back at the end.
    """
    n_windows, n_chans, n_times = windows.shape
    transform = make_transform(name, grid, windows.sfreq, n_times, check_finite=False).to(device)
    shape = (n_windows, n_chans, transform.n_freqs, transform.n_frames)
    lines = Progress(name, n_windows, every=5.0 if progress else float("inf"))
    state.mkdir(parents=True, exist_ok=True)
    workers = threads if device == "cpu" else min(threads, GPU_WORKERS)
    with held(state), GrowingArray(state, shape, "<f2") as array, _one_thread_each(workers) as pool:
        if _finished(state, array_path, axes_path):
            if progress:
                lines.skip(n_windows)
                lines.say("another job has made it meanwhile")
            array.discard()
            return
        if array.done:
            lines.skip(array.done)
            lines.say(f"going on at window {array.done}")
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
    """Whether both files are there, and are those that a job with this state has made."""
    marker = state / FINISHED
    if not (marker.exists() and Path(array_path).exists() and Path(axes_path).exists()):
        return False
    return read_json(axes_path).get("sha256") == read_json(marker)["sha256"]


def _axes(name: str, grid: Grid, windows: WindowFile, transform: Spectrogram, sha256: str) -> dict:
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
    """Levels of batch after batch in half precision, at most `ahead` of them in memory."""
    batch, worker = BATCH[device], threading.local()

    def work(first: int) -> np.ndarray:
        # A stream of its own: one worker copies while another computes.
        if device == "cuda" and not hasattr(worker, "stream"):
            worker.stream = torch.cuda.Stream()
        with torch.inference_mode(), torch.cuda.stream(getattr(worker, "stream", None)):
            x = torch.from_numpy(windows.read(first, batch))
            if device == "cuda":
                x = x.pin_memory().to(device, non_blocking=True)
            levels = transform(x)[max(0, done - first) : windows.shape[0] - first]
            return levels.to(torch.float16).cpu().numpy().astype("<f2", copy=False)

    # A batch begins where it always begins, so that its bytes are always the same.
    firsts = iter(range(done - done % batch, windows.shape[0], batch))
    futures = deque(pool.submit(work, first) for first in islice(firsts, ahead))
    while futures:
        yield futures.popleft().result()
        futures.extend(pool.submit(work, first) for first in islice(firsts, 1))


@contextmanager
def _one_thread_each(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Pool of workers in which torch computes with one thread: more would change the last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(before)
