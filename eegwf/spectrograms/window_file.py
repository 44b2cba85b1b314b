"""Array file of windows, read without a memory map."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eegwf.errors import InputError
from eegwf.storage.files import read_array


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
    context
        Samples of context before each window, and after it.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int
    sfreq: float
    ch_names: tuple[str, ...]
    context: int = 0

    @classmethod
    def open(cls, path: Path | str, sfreq: float, ch_names: list[str], context: int = 0) -> "WindowFile":
        """Read the header of an array file.

        Parameters
        ----------
        path
            `.npy` file.
        sfreq
            Sampling rate in Hz.
        ch_names
            Names of the channels, in the order of the array.
        context
            Samples of context before each window, and after it.

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
        return cls(Path(path), shape, array.dtype, array.offset, float(sfreq), tuple(ch_names), context)

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
        self._check_finite(batch, range(first, first + count))
        return batch

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """Read windows in any order.

        Parameters
        ----------
        rows
            Indices of the windows.

        Returns
        -------
        numpy.ndarray
            Shape (len(rows), n_chans, n_times), of the type of the file.

        Raises
        ------
        InputError
            If the windows contain NaN or infinity, or the file has become shorter.
        """
        found = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        n_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        with open(self.path, "rb", buffering=0) as file:
            for window, row in zip(found, rows, strict=True):
                file.seek(self.offset + int(row) * n_bytes)
                if file.readinto(memoryview(window).cast("B")) != n_bytes:
                    raise InputError(f"{self.path}: ends before window {row}; it was changed while it was read")
        self._check_finite(found, rows)
        return found

    def _check_finite(self, windows: np.ndarray, rows: Sequence[int] | np.ndarray) -> None:
        # A sum is faster than a test of every sample, and is finite only if all samples are.
        if np.isfinite(windows.sum(dtype=np.float32)):
            return
        finite = np.isfinite(windows).all(axis=-1)
        if not finite.all():
            window, channel = np.argwhere(~finite)[0]
            raise InputError(
                f"{self.path}: window {rows[window]}, channel {self.ch_names[channel]} contains NaN or infinity; "
                "expected microvolts; create the windows again or exclude the recording"
            )
