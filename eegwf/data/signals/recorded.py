"""The recorded channels of a file, and one pass over all their samples that finds what is wrong with them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eegwf.data.signals.header import Header, open_raw, reading
from eegwf.data.signals.montage import doubled, is_copy
from eegwf.errors import InputError

SCAN_SAMPLES = 1_000_000  # samples (channels x times) held at once


class Recorded:
    """The EEG channels of a file in microvolts, nothing held in memory."""

    def __init__(self, head: Header):
        self.head = head
        self._raw, self._rows = open_raw(head)
        if self._raw.n_times != head.n_times or abs(self._raw.info["sfreq"] - head.sfreq) > 1e-6 * head.sfreq:
            raise InputError(
                f"{head.path}: its header gives {head.n_times} samples at {head.sfreq:g} Hz, its data "
                f"{self._raw.n_times} at {self._raw.info['sfreq']:g} Hz; export it again"
            )
        # What is no voltage is left as it is here and refused in `Scan.check`, if it is used at all.
        self._factors = np.array([1.0 if math.isnan(factor) else factor for factor in head.to_microvolts], dtype=float)

    def read(self, columns: Sequence[int], start: int, stop: int) -> np.ndarray:
        """Samples of some channels.

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
        with reading(self.head.path):
            volts = self._raw.get_data(picks=rows, start=start, stop=stop, verbose="ERROR")
        return volts * self._factors[list(columns), np.newaxis]


@dataclass(frozen=True)
class Scan:
    """What a pass over a recording found.

    Attributes
    ----------
    head
        The recording's header.
    flat
        Channels (index in the header) with one value all along.
    broken
        First sample that is not a finite number, of the channels that have one.
    differing
        First sample that differs, of the pairs of channels with one name that are no copies.
    """

    head: Header
    flat: frozenset[int]
    broken: dict[int, int]
    differing: dict[tuple[int, int], int]

    def check(self, used: Sequence[int]) -> None:
        """Refuse channels that can't be used.

        Parameters
        ----------
        used
            Indices of the channels that the study uses of this recording.

        Raises
        ------
        InputError
            If one of them has no unit of voltage, a sample that is not a finite number, or another channel of
            its name with other data or in another spelling.
        """
        head = self.head
        for column in map(int, used):
            name = head.names[column]
            if math.isnan(head.to_microvolts[column]):
                raise InputError(
                    f"{head.path}: unit of {name!r} is {head.units[column]!r}, no voltage; write uV, mV or V into "
                    "its header"
                )
            if column in self.broken:
                raise InputError(
                    f"{head.path}: {name!r} is not a finite number at {self.broken[column] / head.sfreq:.3f} s; "
                    "mend it or leave the recording out"
                )
        for first, other in doubled(head.channels):
            names = f"{head.names[first]!r} and {head.names[other]!r}"
            if first not in used and other not in used:
                continue
            if not is_copy(head.names[first], head.names[other]):
                raise InputError(f"{head.path}: duplicated channel {head.channels[first]}: {names}; remove one of them")
            if (first, other) in self.differing:
                place = self.differing[first, other] / head.sfreq
                raise InputError(
                    f"{head.path}: duplicated channel {head.channels[first]}: {names} (channels {first + 1} and "
                    f"{other + 1}) differ at {place:.3f} s; remove one of them"
                )


def scan(recorded: Recorded) -> Scan:
    """Look at every sample of every EEG channel once, some megabytes at a time.

    Raises
    ------
    InputError
        If the file can't be read.
    """
    head = recorded.head
    columns = list(head.eeg)
    row = {column: place for place, column in enumerate(columns)}
    pairs = doubled(head.channels)
    low, high = np.full(len(columns), np.inf), np.full(len(columns), -np.inf)
    broken: dict[int, int] = {}
    differing: dict[tuple[int, int], int] = {}
    step = max(SCAN_SAMPLES // max(len(columns), 1), 1)
    for start in range(0, head.n_times, step):
        block = recorded.read(columns, start, min(start + step, head.n_times))
        low, high = np.minimum(low, block.min(axis=1)), np.maximum(high, block.max(axis=1))
        for place in np.flatnonzero(~np.isfinite(low) | ~np.isfinite(high)):
            bad = np.flatnonzero(~np.isfinite(block[place]))
            if bad.size:
                broken.setdefault(columns[place], start + int(bad[0]))
        for first, other in pairs:
            apart = np.flatnonzero(block[row[first]] != block[row[other]])
            if apart.size:
                differing.setdefault((first, other), start + int(apart[0]))
    flat = frozenset(column for column in columns if low[row[column]] == high[row[column]])
    return Scan(head, flat, broken, differing)
