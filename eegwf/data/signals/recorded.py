"""The recorded channels of a file, and a scan of all their samples for invalid data."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eegwf.data.signals.header import Header, convert_mne_errors, open_raw
from eegwf.data.signals.montage import duplicate_channels, is_copy
from eegwf.errors import InputError

# Samples (channels x times) that are read into memory at once.
SCAN_SAMPLES = 1_000_000


class RecordedChannels:
    """The EEG channels of a file in microvolts, read from the file at each access.

    Attributes
    ----------
    head
        Header of the recording.
    """

    def __init__(self, head: Header) -> None:
        self.head = head
        self._raw, self._rows = open_raw(head)
        if self._raw.n_times != head.n_times or abs(self._raw.info["sfreq"] - head.sfreq) > 1e-6 * head.sfreq:
            raise InputError(
                f"{head.path}: its header declares {head.n_times} samples at {head.sfreq:g} Hz, its data have "
                f"{self._raw.n_times} at {self._raw.info['sfreq']:g} Hz; export it again"
            )
        # A channel without a unit of voltage is not scaled here; `Scan.check` refuses it if it is used.
        self._factors = np.array([1.0 if math.isnan(factor) else factor for factor in head.to_microvolts], dtype=float)

    def read(self, columns: Sequence[int], start: int, stop: int) -> np.ndarray:
        """Read samples of some channels.

        Parameters
        ----------
        columns
            Indices of EEG channels in the header, ascending.
        start, stop
            First sample and the one after the last, at the recorded rate.

        Returns
        -------
        array (n_channels, stop - start)
            Microvolts.

        Raises
        ------
        InputError
            If the file can't be read.
        """
        rows = [self._rows[int(column)] for column in columns]
        with convert_mne_errors(self.head.path):
            volts = self._raw.get_data(picks=rows, start=start, stop=stop, verbose="ERROR")
        return volts * self._factors[list(columns), np.newaxis]


@dataclass(frozen=True)
class Scan:
    """Result of a scan of all samples of a recording.

    Attributes
    ----------
    head
        Header of the recording.
    flat
        Channels (index in the header) that are constant over the recording.
    not_finite
        Index of the first sample that is not a finite number, for each channel with such a sample.
    differing
        Index of the first sample that differs, for each pair of channels with the same name and different samples.
    """

    head: Header
    flat: frozenset[int]
    not_finite: dict[int, int]
    differing: dict[tuple[int, int], int]

    def check(self, used: Sequence[int]) -> None:
        """Check the channels that are used.

        Parameters
        ----------
        used
            Indices of the channels that the study uses.

        Raises
        ------
        InputError
            If one of them has no unit of voltage or a sample that is not a finite number, or if another channel has
            the same name with different samples or in a different spelling.
        """
        head = self.head
        for column in map(int, used):
            name = head.names[column]
            if math.isnan(head.to_microvolts[column]):
                raise InputError(
                    f"{head.path}: unit of {name!r} is {head.units[column]!r}, not a unit of voltage; set uV, mV or V "
                    "in its header"
                )
            if column in self.not_finite:
                raise InputError(
                    f"{head.path}: {name!r} is not a finite number at {self.not_finite[column] / head.sfreq:.3f} s; "
                    "correct it or exclude the recording"
                )
        for first, other in duplicate_channels(head.channels):
            names = f"{head.names[first]!r} and {head.names[other]!r}"
            if first not in used and other not in used:
                continue
            if not is_copy(head.names[first], head.names[other]):
                raise InputError(f"{head.path}: duplicated channel {head.channels[first]}: {names}; remove one of them")
            if (first, other) in self.differing:
                seconds = self.differing[first, other] / head.sfreq
                raise InputError(
                    f"{head.path}: duplicated channel {head.channels[first]}: {names} (channels {first + 1} and "
                    f"{other + 1}) differ at {seconds:.3f} s; remove one of them"
                )


def scan(recorded: RecordedChannels) -> Scan:
    """Read every sample of every EEG channel once, some megabytes at a time.

    Parameters
    ----------
    recorded
        Channels of the recording.

    Returns
    -------
    Scan

    Raises
    ------
    InputError
        If the file can't be read.
    """
    head = recorded.head
    columns = list(head.eeg)
    row_of = {column: row for row, column in enumerate(columns)}
    pairs = duplicate_channels(head.channels)
    low, high = np.full(len(columns), np.inf), np.full(len(columns), -np.inf)
    not_finite: dict[int, int] = {}
    differing: dict[tuple[int, int], int] = {}
    step = max(SCAN_SAMPLES // max(len(columns), 1), 1)
    for start in range(0, head.n_times, step):
        block = recorded.read(columns, start, min(start + step, head.n_times))
        low, high = np.minimum(low, block.min(axis=1)), np.maximum(high, block.max(axis=1))
        for row in np.flatnonzero(~np.isfinite(low) | ~np.isfinite(high)):
            invalid = np.flatnonzero(~np.isfinite(block[row]))
            if invalid.size:
                not_finite.setdefault(columns[row], start + int(invalid[0]))
        for first, other in pairs:
            unequal = np.flatnonzero(block[row_of[first]] != block[row_of[other]])
            if unequal.size:
                differing.setdefault((first, other), start + int(unequal[0]))
    flat = frozenset(column for column in columns if low[row_of[column]] == high[row_of[column]])
    return Scan(head, flat, not_finite, differing)
