"""Samples of EDF, BDF, BrainVision, Persyst and EEGLAB files, read from the file at each access."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eegwf.errors import InputError

# Bytes that are read from a file at once.
CHUNK_BYTES = 1 << 22


class Samples(ABC):
    """Samples of the channels of a file."""

    def read(self, columns: Sequence[int], start: int, stop: int) -> np.ndarray:
        """Read samples of some channels.

        Parameters
        ----------
        columns
            Indices of channels in the header, all of the same sampling rate.
        start, stop
            First sample and the one after the last, at the recorded rate.

        Returns
        -------
        array (n_channels, stop - start)
            Microvolts; the unit of the file for a channel whose unit is not a unit of voltage.

        Raises
        ------
        InputError
            If the file can't be read.
        """
        return self._read([int(column) for column in columns], start, stop)

    @abstractmethod
    def _read(self, columns: list[int], start: int, stop: int) -> np.ndarray: ...


@dataclass(frozen=True)
class EdfSamples(Samples):
    """Samples of the signals of an EDF or BDF file.

    Attributes
    ----------
    path
        The file.
    header_bytes
        Size of its header.
    width
        Bytes of a sample: 2 in EDF, 3 in BDF.
    record_bytes
        Bytes of a data record, annotations included.
    starts
        Position in bytes of each signal in a data record.
    n_samples
        Samples of each signal in a data record.
    gains, offsets
        Scale and offset from digital values to the unit of each signal.
    to_microvolts
        Microvolts of the unit of each signal; NaN if it is not a unit of voltage.
    """

    path: Path
    header_bytes: int
    width: int
    record_bytes: int
    starts: tuple[int, ...]
    n_samples: tuple[int, ...]
    gains: tuple[float, ...]
    offsets: tuple[float, ...]
    to_microvolts: tuple[float, ...]

    def _read(self, columns: list[int], start: int, stop: int) -> np.ndarray:
        values = np.empty((len(columns), stop - start))
        if not values.size:
            return values
        length = self.n_samples[columns[0]]
        end, step = -(-stop // length), max(CHUNK_BYTES // self.record_bytes, 1)
        for record in range(start // length, end, step):
            n_records = min(step, end - record)
            position = self.header_bytes + record * self.record_bytes
            content = self._bytes(position, n_records * self.record_bytes).reshape(n_records, -1)
            first, last = max(start, record * length), min(stop, (record + n_records) * length)
            within = slice(first - record * length, last - record * length)
            for row, column in enumerate(columns):
                begin = self.starts[column]
                digital = _integers(content[:, begin : begin + length * self.width], self.width)
                values[row, first - start : last - start] = digital[within]
        # The order of these operations is that of MNE, so that the values are the same to the last bit.
        volts = np.array([1.0 if math.isnan(factor) else factor for factor in self.to_microvolts]) / 1e6
        for factors, operation in ((self.gains, np.multiply), (self.offsets, np.add), (volts, np.multiply)):
            operation(values, np.asarray(factors)[columns, np.newaxis], out=values)
        return np.multiply(values, 1e6, out=values)

    def _bytes(self, position: int, n_bytes: int) -> np.ndarray:
        return _read_bytes(self.path, position, n_bytes)


@dataclass(frozen=True)
class BrainVisionSamples(Samples):
    """Samples of the channels of a binary BrainVision, Persyst or EEGLAB file.

    Attributes
    ----------
    path
        The data file.
    dtype
        Type of a sample, with its byte order.
    n_times
        Samples of each channel.
    vectorized
        Whether all samples of a channel are stored one after the other, not all channels of a sample.
    scales
        Resolution of each channel in microvolts; in the unit of the file if it is not a unit of voltage.
    offset
        Bytes before the first sample.
    """

    path: Path
    dtype: str
    n_times: int
    vectorized: bool
    scales: tuple[float, ...]
    offset: int = 0

    def _read(self, columns: list[int], start: int, stop: int) -> np.ndarray:
        values = np.empty((len(columns), stop - start))
        width = np.dtype(self.dtype).itemsize
        if self.vectorized:
            for row, column in enumerate(columns):
                position = self.offset + (column * self.n_times + start) * width
                values[row] = self._bytes(position, (stop - start) * width).view(self.dtype)
        else:
            sample_bytes = len(self.scales) * width
            step = max(CHUNK_BYTES // sample_bytes, 1)
            for first in range(start, stop, step):
                last = min(first + step, stop)
                position = self.offset + first * sample_bytes
                content = self._bytes(position, (last - first) * sample_bytes)
                samples = content.view(self.dtype).reshape(last - first, -1)
                values[:, first - start : last - start] = samples[:, columns].T
        return values * np.array(self.scales)[columns, np.newaxis]

    def _bytes(self, position: int, n_bytes: int) -> np.ndarray:
        return _read_bytes(self.path, position, n_bytes)


def _read_bytes(path: Path, position: int, n_bytes: int) -> np.ndarray:
    try:
        with open(path, "rb") as file:
            file.seek(position)
            content = np.fromfile(file, np.uint8, n_bytes)
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror or error}); fetch or export it again") from error
    if content.size < n_bytes:
        raise InputError(f"{path}: became shorter while it was read; fetch or export it again")
    return content


def _integers(content: np.ndarray, width: int) -> np.ndarray:
    """Signed little-endian integers of 2 or 3 bytes, from rows of bytes."""
    if width == 2:
        return np.ascontiguousarray(content).view("<i2").reshape(-1)
    padded = np.zeros((content.size // 3, 4), np.uint8)
    padded[:, 1:] = content.reshape(-1, 3)
    return padded.view("<i4").reshape(-1) >> 8
