"""Detection of seizures in a recording: from the probabilities of its windows to intervals of time.

Times are rounded to eighths of a second (ticks), which floating point adds exactly.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

TICKS = 8

Interval = tuple[float, float]


@dataclass(frozen=True, order=True)
class OperatingPoint:
    """Settings of a detector.

    Attributes
    ----------
    threshold
        Probability of a seizure above which a detection begins; infinite for a detector that never alarms.
    smoothing
        Seconds over which the probability is averaged, centered; 0 for none.
    min_duration
        Seconds; shorter detections are discarded.
    """

    threshold: float = 0.5
    smoothing: float = 0.0
    min_duration: float = 0.0

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> "OperatingPoint":
        """Read an entry of `events: operating_points` in `metrics.json`, whose threshold is null for no alarm."""
        threshold = math.inf if entry["threshold"] is None else entry["threshold"]
        return cls(threshold, entry["smoothing"], entry["min_duration"])


@dataclass(frozen=True)
class Timeline:
    """Probability of a seizure over a recording, constant between edges.

    Attributes
    ----------
    start, stop
        Ticks between which a value applies, `(n_segments,)`, in order and without overlap; other time is background.
    value
        Probability of a seizure, `(n_segments,)`.
    """

    start: np.ndarray
    stop: np.ndarray
    value: np.ndarray

    def detect(self, threshold: float, min_duration: float = 0.0) -> np.ndarray:
        """Find the detections.

        Parameters
        ----------
        threshold
            Detections are where the value is larger.
        min_duration
            Seconds; shorter detections are discarded.

        Returns
        -------
        ndarray
            First tick of each detection and the one after its last, `(n_detections, 2)`, in order.
        """
        above = np.flatnonzero(self.value > threshold)
        if not len(above):
            return np.zeros((0, 2), np.int64)
        start, stop = self.start[above], self.stop[above]
        first = np.append(True, start[1:] > stop[:-1])
        last = np.append(first[1:], True)
        spans = np.column_stack([start[first], stop[last]])
        return spans[spans[:, 1] - spans[:, 0] >= min_duration * TICKS]


def timeline(onset: np.ndarray, end: np.ndarray, p: np.ndarray, smoothing: float = 0.0) -> Timeline:
    """Compute the probability of a seizure over a recording.

    Parameters
    ----------
    onset, end
        Onset and end of each window in seconds, `(n_windows,)`, in any order.
    p
        Probability of a seizure in each window, `(n_windows,)`.
    smoothing
        Seconds: the value of a window is the mean over the windows whose center is at most half of it away.

    Returns
    -------
    Timeline
        The values of overlapping windows are averaged.
    """
    start, stop, value = ticks(onset), ticks(end), np.asarray(p, dtype=float)
    if smoothing > 0 and len(value):
        order = np.argsort(start + stop, kind="stable")
        center = (start + stop)[order] / 2
        total = np.concatenate([[0.0], np.cumsum(value[order])])
        low = np.searchsorted(center, center - smoothing * TICKS / 2, side="left")
        high = np.searchsorted(center, center + smoothing * TICKS / 2, side="right")
        # Differences of sums are not exact.
        smooth = np.clip((total[high] - total[low]) / (high - low), value.min(), value.max())
        value = np.empty_like(value)
        value[order] = smooth
    if np.all(start[1:] >= stop[:-1]):  # without overlap, the values are those of the windows
        return Timeline(start, stop, value)
    edges = np.unique(np.concatenate([start, stop]))
    n_segments = max(len(edges) - 1, 0)
    first, last = (np.searchsorted(edges, places) for places in (start, stop))
    size = n_segments + 1
    count = np.cumsum(np.bincount(first, minlength=size) - np.bincount(last, minlength=size))[:-1]
    total = np.cumsum(np.bincount(first, value, minlength=size) - np.bincount(last, value, minlength=size))[:-1]
    covered = np.flatnonzero(count)
    # Twelve digits, so that the mean of equal values is this value.
    means = np.round(total[covered] / count[covered], 12)
    return Timeline(edges[:-1][covered], edges[1:][covered], means)


def union(intervals: list[Interval]) -> list[Interval]:
    """Merge intervals that touch or overlap, and sort them."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def ticks(seconds: ArrayLike) -> Any:
    """Times in ticks, rounded, int64."""
    return np.rint(np.multiply(seconds, TICKS)).astype(np.int64)
