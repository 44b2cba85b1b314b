"""Choice of the operating point of a detector on validation patients, and curves over its threshold."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from eegwf.config.evaluation import OperatingPointSettings
from eegwf.evaluation.detector import OperatingPoint, Timeline, timeline
from eegwf.evaluation.event_counts import count_events, join
from eegwf.evaluation.scored_recordings import ScoredRecording

SECONDS_PER_DAY = 86_400
# Thresholds that are tried: quantiles of the probabilities, with as many in their upper tail as in the rest.
N_THRESHOLDS = 40
DEFAULT, NEVER = 0.5, math.inf


@dataclass(frozen=True)
class PointScores:
    """Pooled event scores of an operating point.

    Attributes
    ----------
    n_events, tp, fp
        Reference events, detected reference events and false alarms.
    seconds
        Recorded seconds.
    """

    n_events: int
    tp: int
    fp: int
    seconds: float

    @property
    def sensitivity(self) -> float:
        """Fraction of the reference events that are detected; NaN without events."""
        return self.tp / self.n_events if self.n_events else np.nan

    @property
    def f1(self) -> float:
        """`2 tp / (n_events + tp + fp)`; NaN without events and detections."""
        total = self.n_events + self.tp + self.fp
        return 2 * self.tp / total if total else np.nan

    @property
    def false_alarms_per_day(self) -> float:
        """False alarms in 24 h."""
        return self.fp * SECONDS_PER_DAY / self.seconds


@dataclass(frozen=True)
class ChosenPoint:
    """Operating point and its scores on the recordings on which it was chosen.

    Attributes
    ----------
    point
        The operating point.
    scores
        Its scores there; None if it was not chosen.
    reason
        Why the target could not be reached, or why the default is used; empty if the target was reached.
    """

    point: OperatingPoint
    scores: PointScores | None
    reason: str = ""


def choose_point(recordings: Sequence[ScoredRecording], settings: OperatingPointSettings) -> ChosenPoint:
    """Choose the operating point that reaches a target.

    Parameters
    ----------
    recordings
        Recordings of the validation patients.
    settings
        Target, and the values of smoothing and minimum duration that are tried.

    Returns
    -------
    ChosenPoint
        `false_alarms_per_day`: the largest sensitivity with at most so many false alarms; `sensitivity`: the fewest
        false alarms with at least this sensitivity; `f1`: the largest F1. Of equal ones the one with the better F1,
        then with less smoothing, with the shorter minimum duration and with the larger threshold.
    """
    if not any(len(item.joined) for item in recordings):
        return ChosenPoint(OperatingPoint(), None, "no annotated seizure in the validation recordings")
    tried = [
        (point, scores)
        for smoothing in settings.smoothing
        for point, scores in sweep(recordings, smoothing, settings.min_duration)
    ]
    reached = [item for item in tried if _reaches(item[1], settings)]
    reason = ""
    if not reached:  # of a sensitivity; without alarms, every rate of false alarms is reached
        most = max(scores.sensitivity for _, scores in tried)
        reached = [item for item in tried if item[1].sensitivity == most]
        reason = f"no operating point reaches the target; the largest sensitivity is {most:.3g}"
    point, scores = max(reached, key=lambda item: (*_value(item[1], settings), _preference(item[0])))
    if point.threshold == NEVER and not reason:
        reason = "only a detector that never alarms reaches the target"
    return ChosenPoint(point, scores, reason)


def _reaches(scores: PointScores, settings: OperatingPointSettings) -> bool:
    if settings.target == "false_alarms_per_day":
        return scores.false_alarms_per_day <= settings.value * (1 + 1e-9)
    return settings.target == "f1" or scores.sensitivity >= settings.value * (1 - 1e-9)


def _value(scores: PointScores, settings: OperatingPointSettings) -> tuple[float, float]:
    if settings.target == "false_alarms_per_day":
        return scores.sensitivity, scores.f1
    if settings.target == "sensitivity":
        return -scores.false_alarms_per_day, scores.f1
    return scores.f1, scores.sensitivity


def _preference(point: OperatingPoint) -> tuple[float, float, float]:
    return -point.smoothing, -point.min_duration, point.threshold


def sweep(
    recordings: Sequence[ScoredRecording], smoothing: float, min_durations: Iterable[float]
) -> list[tuple[OperatingPoint, PointScores]]:
    """Score many thresholds.

    Parameters
    ----------
    recordings
        The recordings.
    smoothing
        Smoothing of the probabilities in seconds.
    min_durations
        Minimum durations in seconds.

    Returns
    -------
    list
        Operating points with their pooled scores, one of which never alarms.
    """
    lines = [timeline(item.onset, item.end, item.p, smoothing) for item in recordings]
    result = []
    for min_duration, threshold in product(min_durations, thresholds(lines)):
        scores = _pooled(recordings, lines, threshold, [min_duration] * len(lines))
        result.append((OperatingPoint(threshold, smoothing, min_duration), scores))
    return result


def curve(
    recordings: Sequence[ScoredRecording],
    points: Mapping[int, OperatingPoint],
    levels: Sequence[float] | None = None,
) -> list[tuple[float, PointScores]]:
    """Score one threshold after the other for all folds, with the smoothing and minimum duration of each fold.

    Parameters
    ----------
    recordings
        Recordings of the tested patients.
    points
        Operating point of each outer fold.
    levels
        The thresholds; None for those of `thresholds`.

    Returns
    -------
    list
        Thresholds, with the pooled scores. They describe the test folds; none of them is chosen.
    """
    chosen = [points[item.fold] for item in recordings]
    lines = [
        timeline(item.onset, item.end, item.p, point.smoothing) for item, point in zip(recordings, chosen, strict=True)
    ]
    min_durations = [point.min_duration for point in chosen]
    levels = thresholds(lines) if levels is None else levels
    return [(threshold, _pooled(recordings, lines, threshold, min_durations)) for threshold in levels]


def _pooled(
    recordings: Sequence[ScoredRecording], lines: Sequence[Timeline], threshold: float, min_durations: Sequence[float]
) -> PointScores:
    counts = [
        count_events(item.joined, join(line.detect(threshold, min_duration)), item.n_ticks)
        for item, line, min_duration in zip(recordings, lines, min_durations, strict=True)
    ]
    tp, fp = np.sum(counts, axis=0).tolist()
    n_events, seconds = sum(len(item.joined) for item in recordings), sum(item.seconds for item in recordings)
    return PointScores(n_events, tp, fp, seconds)


def thresholds(lines: Sequence[Timeline]) -> list[float]:
    """Thresholds that are tried: between quantiles of the values of all timelines, .5, and infinity for no alarm.

    Parameters
    ----------
    lines
        Timelines.

    Returns
    -------
    list of float
        In ascending order.
    """
    values = np.concatenate([line.value for line in lines]) if lines else np.zeros(0)
    if not len(values):
        return [DEFAULT, NEVER]
    tail = 1 - np.geomspace(0.5, 1 / max(len(values), 4), N_THRESHOLDS // 2)
    levels = np.concatenate([np.linspace(0, 1, N_THRESHOLDS // 2), tail])
    found = np.unique(np.round(np.quantile(values, levels, method="lower"), 9))
    # Between values, so that rounding can't move a value across the threshold.
    return sorted({*((found[1:] + found[:-1]) / 2).tolist(), DEFAULT, NEVER})
