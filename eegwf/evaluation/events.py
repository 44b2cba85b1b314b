"""Seizure events: what a detector made of these predictions would have found and how often it would alarm.

Scored with `timescoring`, the SzCORE reference (Dan et al. 2024), with its defaults: any overlap counts,
30 s before and 60 s after a seizure are tolerated, events less than 90 s apart are one, and events longer
than 5 minutes are split into pieces of 5 minutes.
"""

import numpy as np
import pandas as pd
from timescoring.annotations import Annotation
from timescoring.scoring import EventScoring

from eegwf.data.events import classify, matches
from eegwf.errors import InputError
from eegwf.evaluation.predictions import probability_columns

COLUMNS = ("patient", "n_events", "tp", "fp", "sensitivity", "precision", "f1", "false_alarms_per_day")

# Times are rounded to eighths of a second. timescoring cuts and merges in floating point: 300 s after 211.7 s
# it leaves an event of no length, which counts as a false alarm; eighths add without rounding.
TICKS = 8

Interval = tuple[float, float]


def has_background(class_set: dict[str, list[str]]) -> bool:
    """Tell whether the first class is one without seizures: none of its event types is `sz` or below it."""
    return not any(matches("sz", entry) for entry in next(iter(class_set.values())))


def predicted_seizures(onset: np.ndarray, end: np.ndarray, p: np.ndarray) -> list[Interval]:
    """Turn the predictions of one recording's windows into seizures.

    Parameters
    ----------
    onset, end
        First and last second of each window, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`, the background first.

    Returns
    -------
    list
        Onset and end of each seizure in seconds, in order: the time where any class but the first has the
        largest probability (the first on a tie). Where windows overlap, the mean of their probabilities
        decides; where there is no window, there is no seizure.
    """
    start, stop = _ticks(onset), _ticks(end)
    edges = np.unique(np.concatenate([start, stop]))
    total = np.zeros((max(len(edges) - 1, 0), p.shape[1]))
    for first, last, row in zip(np.searchsorted(edges, start), np.searchsorted(edges, stop), p, strict=True):
        total[first:last] += row
    seizure = np.flatnonzero(total.argmax(axis=1) > 0) if len(total) else np.zeros(0, int)
    return union([(edges[i] / TICKS, edges[i + 1] / TICKS) for i in seizure])


def union(intervals: list[Interval]) -> list[Interval]:
    """Join intervals that touch or overlap; in order, none inside another."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def score_recording(reference: list[Interval], predicted: list[Interval], duration: float) -> tuple[int, ...]:
    """Score one recording.

    Parameters
    ----------
    reference, predicted
        Onset and end of the seizures in seconds, in any order, overlapping or not.
    duration
        Length of the recording in seconds; what lies outside is cut off.

    Returns
    -------
    tuple
        Number of reference events, of those found, and of false alarms, all after joining and splitting.
    """
    length = max(int(_ticks(duration)), 1)
    sides = []
    for intervals in (reference, predicted):
        inside = []
        for start, end in intervals:
            first = max(int(_ticks(start)), 0)
            # An event shorter than a tick still is one.
            last = min(max(int(_ticks(end)), first + 1), length)
            if first < last:
                inside.append((first / TICKS, last / TICKS))
        sides.append(Annotation(union(inside), TICKS, length))
    scoring = EventScoring(*sides)
    return int(scoring.refTrue), int(scoring.tp), int(scoring.fp)


def score_events(
    predictions: pd.DataFrame,
    windows: pd.DataFrame,
    recordings: pd.DataFrame,
    events: pd.DataFrame,
    class_set: dict[str, list[str]],
) -> pd.DataFrame:
    """Score the seizure events of every tested patient.

    Every recording of a patient with predictions counts with its whole length. Time without a prediction
    (windows that the class set leaves out, the rest after the last window) counts as background: a seizure
    there is missed, and no alarm can be false there.

    Parameters
    ----------
    predictions
        Rows of one member; a window of every tested recording, borderline windows too.
    windows
        `windows.tsv`: columns `window` and `duration` in seconds.
    recordings
        `recordings.tsv`: columns `recording`, `patient`, `duration` in seconds (NaN: left out as unreadable).
    events
        Annotated events: columns `recording`, `onset` and `duration` in seconds, `label` (event type). Those
        whose class is not the first are the seizures; those that the class set leaves out are ignored.
    class_set
        Event types of each class, the background first.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, a row per patient and a last row `all` that pools the counts; NaN where a ratio is
        0/0. Sensitivity is `tp / n_events`, precision `tp / (tp + fp)`. No rows if the first class holds
        seizures: such a class set has no background to alarm against.

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
            "the recordings were read anew: retrain"
        )
    background = next(iter(class_set))
    kind = {label: classify(label, class_set) for label in events["label"].unique()}
    seizures = events[np.array([kind[label] not in (None, background) for label in events["label"]], dtype=bool)]
    annotated = {
        name: list(zip(one["onset"], one["onset"] + one["duration"], strict=True))
        for name, one in seizures.groupby("recording")
    }
    duration = predictions["window"].map(windows.set_index("window")["duration"])
    timed = predictions.assign(end=predictions["onset"] + duration)
    names = probability_columns(list(class_set))
    found = {
        name: predicted_seizures(one["onset"].to_numpy(), one["end"].to_numpy(), one[names].to_numpy())
        for name, one in timed.groupby("recording")
    }
    rows = []
    for patient, own in recordings[recordings["patient"].isin(predictions["patient"])].groupby("patient"):
        counts = [
            score_recording(annotated.get(name, []), found.get(name, []), length)
            for name, length in zip(own["recording"], own["duration"], strict=True)
        ]
        rows.append((patient, *np.sum(counts, axis=0), own["duration"].sum()))
    table = pd.DataFrame(rows, columns=["patient", "n_events", "tp", "fp", "seconds"])
    pooled = table.drop(columns="patient").sum().to_frame().T.assign(patient="all")
    return _ratios(pd.concat([table, pooled], ignore_index=True))


def empty_events() -> pd.DataFrame:
    """The table of a study whose events can't be scored."""
    return pd.DataFrame(columns=list(COLUMNS))


def _ratios(table: pd.DataFrame) -> pd.DataFrame:
    table = table.astype({"n_events": int, "tp": int, "fp": int})
    alarms, events = table["tp"] + table["fp"], table["n_events"]
    table["sensitivity"] = (table["tp"] / events).where(events > 0)
    table["precision"] = (table["tp"] / alarms).where(alarms > 0)
    table["f1"] = (2 * table["tp"] / (events + alarms)).where(events + alarms > 0)
    table["false_alarms_per_day"] = table["fp"] * 86400 / table["seconds"]
    return table[list(COLUMNS)]


def _ticks(seconds):
    return np.rint(np.multiply(seconds, TICKS)).astype(np.int64)
