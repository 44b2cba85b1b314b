"""Scores of seizure events: sensitivity, precision and false alarms per day of the predictions as a detector.

Events are scored with `timescoring`, the reference implementation of SzCORE (Dan et al., 2024), with its default
parameters: any overlap is a detection, 30 s before and 60 s after a seizure are tolerated, events less than 90 s apart
are merged, and events longer than 5 minutes are split into events of 5 minutes.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from timescoring.annotations import Annotation
from timescoring.scoring import EventScoring

from eegwf.data.events import classify, matches
from eegwf.errors import InputError
from eegwf.evaluation.predictions import raw_columns

COLUMNS = ("patient", "n_events", "tp", "fp", "sensitivity", "precision", "f1", "false_alarms_per_day")

# Times are rounded to eighths of a second, which floating point adds exactly. timescoring splits and merges in floating
# point: an event from 211.7 s to 811.7 s leaves a third event of length 1e-13 s, which counts as a false alarm.
TICKS = 8

Interval = tuple[float, float]


def has_background(class_set: dict[str, list[str]]) -> bool:
    """Whether the first class of a class set contains no seizures: no event type is `sz` or below it."""
    return not any(matches("sz", entry) for entry in next(iter(class_set.values())))


def predicted_seizures(onset: np.ndarray, end: np.ndarray, p: np.ndarray) -> list[Interval]:
    """Convert the predictions of the windows of a recording to seizures.

    Parameters
    ----------
    onset, end
        Onset and end of each window in seconds, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`, the background first.

    Returns
    -------
    list
        Onset and end of each seizure in seconds, in order: the time in which a class other than the first has the
        largest probability (the first class on a tie). The probabilities of overlapping windows are averaged; time
        without a window is background.
    """
    start, stop = _ticks(onset), _ticks(end)
    edges = np.unique(np.concatenate([start, stop]))
    total = np.zeros((max(len(edges) - 1, 0), p.shape[1]))
    for first, last, row in zip(np.searchsorted(edges, start), np.searchsorted(edges, stop), p, strict=True):
        total[first:last] += row
    seizure = np.flatnonzero(total.argmax(axis=1) > 0) if len(total) else np.zeros(0, int)
    return union([(edges[i] / TICKS, edges[i + 1] / TICKS) for i in seizure])


def union(intervals: list[Interval]) -> list[Interval]:
    """Merge intervals that touch or overlap, and sort them."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def score_recording(reference: list[Interval], predicted: list[Interval], duration: float) -> tuple[int, ...]:
    """Score the events of a recording.

    Parameters
    ----------
    reference, predicted
        Onset and end of the seizures in seconds, in any order, overlapping or not.
    duration
        Length of the recording in seconds, gaps included; events are clipped to it.

    Returns
    -------
    tuple
        Number of reference events, of detected reference events and of false alarms, after merging and splitting.
    """
    length = max(int(_ticks(duration)), 1)
    annotations = []
    for intervals in (reference, predicted):
        clipped = []
        for start, end in intervals:
            first = max(int(_ticks(start)), 0)
            # An event shorter than a tick is kept as an event of one tick.
            last = min(max(int(_ticks(end)), first + 1), length)
            if first < last:
                clipped.append((first / TICKS, last / TICKS))
        annotations.append(Annotation(union(clipped), TICKS, length))
    scoring = EventScoring(*annotations)
    return int(scoring.refTrue), int(scoring.tp), int(scoring.fp)


def score_events(
    predictions: pd.DataFrame,
    windows: pd.DataFrame,
    recordings: pd.DataFrame,
    events: pd.DataFrame,
    class_set: dict[str, list[str]],
) -> pd.DataFrame:
    """Score the seizure events of every tested patient.

    All recordings of a patient with predictions count with their full length. Time without a prediction (windows that
    the class set excludes, the remainder after the last window) counts as predicted background: a seizure there is
    missed, and no false alarm can occur there.

    Parameters
    ----------
    predictions
        Rows of a member, including borderline windows; the raw probabilities decide, as for `predicted`.
    windows
        `windows.tsv`: columns `window` and `duration` in seconds.
    recordings
        `recordings.tsv`: columns `recording`, `patient`, `duration` in seconds (NaN: excluded as unreadable), and if
        recordings have gaps `span`, the seconds with them.
    events
        Annotated events: columns `recording`, `onset` and `duration` in seconds, `label` (event type). Events
        of any class but the first are seizures; event types that the class set excludes are ignored.
    class_set
        Event types of each class, the background first.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, a row per patient and a last row `all` with the pooled counts; NaN where a ratio is 0/0.
        Sensitivity is `tp / n_events`, precision `tp / (tp + fp)`. No rows if the first class contains seizures,
        because false alarms are undefined without a background class.

    Raises
    ------
    InputError
        If a predicted recording is not in `recordings`.
    """
    if not has_background(class_set):
        return empty_events()
    recordings = recordings[recordings["duration"].notna()]
    unknown = set(predictions["recording"]) - set(recordings["recording"])
    if unknown:
        raise InputError(
            f"recordings.tsv: no recording {min(unknown)!r}, which has predictions; "
            "the recordings have changed, so retrain"
        )
    background = next(iter(class_set))
    class_of = {label: classify(label, class_set) for label in events["label"].unique()}
    is_seizure = np.array([class_of[label] not in (None, background) for label in events["label"]], dtype=bool)
    annotated = {
        name: list(zip(seizures["onset"], seizures["onset"] + seizures["duration"], strict=True))
        for name, seizures in events[is_seizure].groupby("recording")
    }
    duration = predictions["window"].map(windows.set_index("window")["duration"])
    timed = predictions.assign(end=predictions["onset"] + duration)
    names = raw_columns(list(class_set))
    detected = {
        name: predicted_seizures(part["onset"].to_numpy(), part["end"].to_numpy(), part[names].to_numpy())
        for name, part in timed.groupby("recording")
    }
    # Onsets are counted with the gaps of a recording, the rate of false alarms without them.
    length_column = "span" if "span" in recordings else "duration"
    rows = []
    for patient, recorded in recordings[recordings["patient"].isin(predictions["patient"])].groupby("patient"):
        counts = [
            score_recording(annotated.get(name, []), detected.get(name, []), length)
            for name, length in zip(recorded["recording"], recorded[length_column], strict=True)
        ]
        rows.append((patient, *np.sum(counts, axis=0), recorded["duration"].sum()))
    table = pd.DataFrame(rows, columns=["patient", "n_events", "tp", "fp", "seconds"])
    pooled = table.drop(columns="patient").sum().to_frame().T.assign(patient="all")
    return _ratios(pd.concat([table, pooled], ignore_index=True))


def empty_events() -> pd.DataFrame:
    """Table without rows, for studies whose events can't be scored."""
    return pd.DataFrame(columns=list(COLUMNS))


def _ratios(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype({"n_events": int, "tp": int, "fp": int})
    detections, events = table["tp"] + table["fp"], table["n_events"]
    table["sensitivity"] = (table["tp"] / events).where(events > 0)
    table["precision"] = (table["tp"] / detections).where(detections > 0)
    table["f1"] = (2 * table["tp"] / (events + detections)).where(events + detections > 0)
    table["false_alarms_per_day"] = table["fp"] * 86400 / table["seconds"]
    return table[list(COLUMNS)]


def _ticks(seconds: ArrayLike) -> Any:
    """Times in ticks, rounded, int64."""
    return np.rint(np.multiply(seconds, TICKS)).astype(np.int64)
