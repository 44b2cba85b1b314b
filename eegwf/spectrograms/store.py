"""From the file of windows to the file of spectrograms, in bounded memory."""

import contextlib
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from eegwf.config.spectrograms import Grid
from eegwf.errors import InputError
from eegwf.files import read_array, replacing, write_json
from eegwf.progress import Progress
from eegwf.spectrograms.transforms import make_transform

BATCH = 16
"""Windows transformed at once. Sums of matrix products and FFTs may differ in the last bit with the number of
windows: always the same number, the last batch filled up with zeros, gives bytes that depend on nothing else."""


def write_spectrogram(
    name: str,
    grid: Grid,
    windows_path: Path | str,
    sfreq: float,
    ch_names: list[str],
    array_path: Path | str,
    axes_path: Path | str,
    threads: int = 1,
    device: str = "cpu",
    progress: bool = False,
    chunk_bytes: int = 2**28,
) -> None:
    """Transform all windows and write the array and its axes.

    Parameters
    ----------
    name, grid
        The spectrogram and its entry in the configuration.
    windows_path
        `.npy`, float16 (n_windows, n_chans, n_times), microvolts.
    sfreq
        Sampling rate in Hz.
    ch_names
        Names of the channels, in the array's order.
    array_path
        `.npy` to write: float16 (n_windows, n_chans, n_freqs, n_frames), dB.
    axes_path
        `.json` to write: spectrogram, ch_names, freqs (Hz), times (s), sfreq, parameters, and the sha256 of the
        array's data (the bytes behind the header).
    threads
        Batches transformed at the same time, one thread each.
    device
        "cpu" or "cuda".
    progress
        Print percentage and remaining time on standard error.
    chunk_bytes
        About how much of input and output is held at once.

    Raises
    ------
    InputError
        If the windows are not such an array or hold NaN or infinity, if there are not as many names as
        channels, or if the transform does not fit the windows.

    Notes
    -----
    On the CPU the bytes depend neither on `chunk_bytes` nor on `threads`. Each file is written whole or not at
    all, the axes last. While it runs, torch's own thread count is one; it is set back at the end.
    """
    windows = read_array(windows_path)
    if windows.ndim != 3 or windows.dtype.kind != "f" or 0 in windows.shape:
        raise InputError(
            f"{windows_path}: {windows.dtype} of shape {windows.shape}; expected float16 (n_windows, n_chans, "
            "n_times) in microvolts, none of them 0; make the windows again"
        )
    n_windows, n_chans, n_times = windows.shape
    if len(ch_names) != n_chans:
        raise InputError(f"{windows_path}: {n_chans} channels, but {len(ch_names)} names were given")
    transform = make_transform(name, grid, sfreq, n_times).to(device)
    shape = (n_windows, n_chans, transform.n_freqs, transform.n_frames)
    per_window = 4 * n_chans * n_times + 2 * int(np.prod(shape[1:]))
    batches = max(1, chunk_bytes // (BATCH * per_window), threads)

    def spectrogram(first: int) -> np.ndarray:
        part = np.asarray(windows[first : first + BATCH], dtype=np.float32)
        _check_finite(part, first, windows_path, ch_names)
        batch = np.zeros((BATCH, n_chans, n_times), dtype=np.float32)
        batch[: len(part)] = part
        with torch.inference_mode():
            levels = transform(torch.from_numpy(batch).to(device))[: len(part)]
            return levels.to("cpu", torch.float16).numpy().astype("<f2", copy=False)

    sha = hashlib.sha256()
    lines = Progress(name, n_windows, every=5.0 if progress else float("inf"))
    with replacing(array_path) as file, _one_thread_each(threads) as pool:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        firsts = range(0, n_windows, BATCH)
        for chunk in range(0, len(firsts), batches):
            for levels in pool.map(spectrogram, firsts[chunk : chunk + batches]):
                data = np.ascontiguousarray(levels)
                file.write(data)
                sha.update(data)
                lines.step(steps=len(data))
    axes = {
        "spectrogram": name,
        "ch_names": list(ch_names),
        "freqs": transform.freqs.tolist(),
        "times": transform.times.tolist(),
        "sfreq": float(sfreq),
        "parameters": grid.model_dump(),
        "sha256": sha.hexdigest(),
    }
    write_json(axes_path, axes)


def _check_finite(part: np.ndarray, first: int, path: Path | str, ch_names: list[str]) -> None:
    finite = np.isfinite(part).all(axis=-1)
    if not finite.all():
        window, channel = np.argwhere(~finite)[0]
        raise InputError(
            f"{path}: window {first + window}, channel {ch_names[channel]} holds NaN or infinity; "
            "expected microvolts; make the windows again or leave out its recording"
        )


@contextlib.contextmanager
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
