"""Counts of detected and falsely detected events in a recording, as SzCORE defines them.

`score_recording` uses `timescoring`, the reference implementation of SzCORE (Dan et al., 2024), with its default
parameters: any overlap is a detection, 30 s before and 60 s after a seizure are tolerated, events less than 90 s apart
are merged, and events longer than 5 minutes are split into events of 5 minutes. `count_events` counts the same with
arithmetic of intervals, hundreds of times faster, for the search of an operating point.

References
----------
Dan et al. (2024), SzCORE: Seizure Community Open-Source Research Evaluation framework, Epilepsia 66(S3):14-24.
"""

from typing import NamedTuple

import numpy as np
from timescoring.annotations import Annotation
from timescoring.scoring import EventScoring, SampleScoring

from eegwf.evaluation.detector import TICKS, Interval, ticks, union

# Parameters of SzCORE in ticks: tolerance before and after a seizure, gap below which events are merged, longest event.
BEFORE, AFTER, MIN_GAP, LONGEST = 30 * TICKS, 60 * TICKS, 90 * TICKS, 300 * TICKS


class Counts(NamedTuple):
    """Counts of a recording; sums of them are those of several recordings.

    Attributes
    ----------
    n_events, tp, fp
        Number of reference events, of detected reference events and of false alarms, after merging and splitting.
    seizure_s, tp_s, fp_s
        Seconds of the reference, of those the detected ones, and falsely detected seconds.
    """

    n_events: int
    tp: int
    fp: int
    seizure_s: int
    tp_s: int
    fp_s: int


def score_recording(reference: list[Interval], predicted: list[Interval], length: float) -> Counts:
    """Score the detections of a recording.

    Parameters
    ----------
    reference, predicted
        Onset and end of the seizures in seconds, in any order, overlapping or not.
    length
        Length of the recording in seconds, gaps included; events are clipped to it.

    Returns
    -------
    Counts
    """
    n_ticks = max(int(ticks(length)), 1)
    annotations = []
    for intervals in (reference, predicted):
        # timescoring splits and merges in floating point: without rounding to ticks, an event from 211.7 s to 811.7 s
        # leaves a third event of length 1e-13 s, which counts as a false alarm.
        clipped = [(start / TICKS, stop / TICKS) for start, stop in clip(intervals, n_ticks)]
        annotations.append(Annotation(union(clipped), TICKS, n_ticks))
    # timescoring divides by the seconds of the recording, which round to 0 for less than half a second.
    with np.errstate(invalid="ignore", divide="ignore"):
        events, samples = EventScoring(*annotations), SampleScoring(*annotations)
    values = (events.refTrue, events.tp, events.fp, samples.refTrue, samples.tp, samples.fp)
    return Counts(*(int(value) for value in values))


def clip(intervals: list[Interval], n_ticks: int) -> list[tuple[int, int]]:
    """Convert intervals to ticks within a recording.

    Parameters
    ----------
    intervals
        Onset and end of each event in seconds.
    n_ticks
        Length of the recording.

    Returns
    -------
    list
        First tick of each event and the one after its last; an event shorter than a tick has one tick.
    """
    clipped = []
    for start, end in intervals:
        first = max(int(ticks(start)), 0)
        last = min(max(int(ticks(end)), first + 1), n_ticks)
        if first < last:
            clipped.append((first, last))
    return clipped


def join(spans: np.ndarray) -> np.ndarray:
    """Merge events less than 90 s apart, and split those longer than 5 minutes.

    Parameters
    ----------
    spans
        First tick of each event and the one after its last, `(n_events, 2)`, in order and without overlap.

    Returns
    -------
    ndarray
        Events, likewise.
    """
    if not len(spans):
        return spans
    apart = spans[1:, 0] - spans[:-1, 1] >= MIN_GAP
    start, stop = spans[np.append(True, apart), 0], spans[np.append(apart, True), 1]
    n_parts = -(-(stop - start) // LONGEST)
    number = np.arange(n_parts.sum()) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    first = np.repeat(start, n_parts) + number * LONGEST
    return np.column_stack([first, np.minimum(first + LONGEST, np.repeat(stop, n_parts))])


def count_events(reference: np.ndarray, detected: np.ndarray, n_ticks: int) -> tuple[int, int]:
    """Count detected events and false alarms, as `score_recording` does.

    Parameters
    ----------
    reference
        Reference events after `join`, `(n_events, 2)`.
    detected
        Detections after `join`, `(n_detections, 2)`.
    n_ticks
        Length of the recording.

    Returns
    -------
    tp, fp : int
        Number of reference events with a detection in them or in the tolerated time around them, and of detections
        without such an event.
    """
    if not len(detected):
        return 0, 0
    low = np.maximum(reference[:, 0] - BEFORE, 0)
    high = np.minimum(reference[:, 1] + AFTER, n_ticks)
    # Number of detections that begin before the end of an extended event, minus those that end before its beginning.
    hits = np.searchsorted(detected[:, 0], high, "left") - np.searchsorted(detected[:, 1], low, "right")
    # The extended events may overlap, but are in order.
    hit = np.searchsorted(low, detected[:, 1], "left") - np.searchsorted(high, detected[:, 0], "right")
    return int((hits > 0).sum()), int((hit <= 0).sum())
