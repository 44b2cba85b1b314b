"""Checks of the channels that a study uses, and a scan of all their samples for invalid data."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eegwf.data.signals.header import Header
from eegwf.data.signals.montage import duplicate_channels, is_copy
from eegwf.data.signals.stretches import sample_time
from eegwf.errors import InputError

# Samples (channels x times) that are read into memory at once.
SCAN_SAMPLES = 1_000_000


def check_channels(head: Header, used: Sequence[int]) -> None:
    """Check the header's fields of the channels that are used.

    Parameters
    ----------
    head
        Header of the recording.
    used
        Indices of the channels that the study uses.

    Raises
    ------
    InputError
        If one of them can't be scaled, has another sampling rate or no unit of voltage, or if another channel has the
        same name in a different spelling.
    """
    for column in map(int, used):
        if head.faults[column]:
            raise InputError(head.faults[column])
        if math.isnan(head.to_microvolts[column]):
            raise InputError(
                f"{head.path}: unit of {head.names[column]!r} is {head.units[column]!r}, not a unit of voltage; set "
                "uV, mV or V in its header, or channels.unit if it has none"
            )
    for first, other in _duplicates(head, used):
        if not is_copy(head.names[first], head.names[other]):
            names = f"{head.names[first]!r} and {head.names[other]!r}"
            raise InputError(f"{head.path}: duplicated channel {head.channels[first]}: {names}; remove one of them")


def _duplicates(head: Header, used: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of channels of the same name of which one is used and both can be read."""
    return [
        pair
        for pair in duplicate_channels(head.channels)
        if not set(pair).isdisjoint(used) and not any(head.faults[column] for column in pair)
    ]


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
        """Check the samples of the channels that are used.

        Parameters
        ----------
        used
            Indices of the channels that the study uses.

        Raises
        ------
        InputError
            If one of them has a sample that is not a finite number, or if another channel has the same name with
            different samples.
        """
        head = self.head
        for column in map(int, used):
            if column in self.not_finite:
                seconds = sample_time(head.stretches, self.not_finite[column], head.sfreq)
                raise InputError(
                    f"{head.path}: {head.names[column]!r} is not a finite number at {seconds:.3f} s; correct it or "
                    "exclude the recording"
                )
        for first, other in _duplicates(head, used):
            if (first, other) in self.differing:
                seconds = sample_time(head.stretches, self.differing[first, other], head.sfreq)
                raise InputError(
                    f"{head.path}: duplicated channel {head.channels[first]}: {head.names[first]!r} and "
                    f"{head.names[other]!r} (channels {first + 1} and {other + 1}) differ at {seconds:.3f} s; remove "
                    "one of them"
                )


def scan(head: Header, used: Iterable[int]) -> Scan:
    """Read every sample of some channels and of their duplicates once, some megabytes at a time.

    Parameters
    ----------
    head
        Header of the recording.
    used
        Indices of channels that can be read.

    Returns
    -------
    Scan

    Raises
    ------
    InputError
        If the file can't be read.
    """
    used = list(map(int, used))
    pairs = _duplicates(head, used)
    columns = sorted({*used, *(column for pair in pairs for column in pair)})
    row_of = {column: row for row, column in enumerate(columns)}
    low, high = np.full(len(columns), np.inf), np.full(len(columns), -np.inf)
    not_finite: dict[int, int] = {}
    differing: dict[tuple[int, int], int] = {}
    step = max(SCAN_SAMPLES // max(len(columns), 1), 1)
    for start in range(0, head.n_times, step):
        block = head.samples.read(columns, start, min(start + step, head.n_times))
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
