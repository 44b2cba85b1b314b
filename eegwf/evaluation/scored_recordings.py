"""Recordings with their annotated seizures and the probabilities of their windows, for event scoring."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from eegwf.data.events import classify
from eegwf.errors import InputError
from eegwf.evaluation.detector import TICKS, Interval, ticks, union
from eegwf.evaluation.event_counts import clip, join
from eegwf.evaluation.predictions import seizure_probability


@dataclass(frozen=True)
class ScoredRecording:
    """Recording of a tested patient.

    Attributes
    ----------
    name, patient
        Its name and its patient.
    fold
        Outer fold of the patient.
    seconds
        Recorded seconds, without gaps.
    n_ticks
        Length in ticks, gaps included.
    seizures
        Onset and end of each annotated seizure in seconds.
    joined
        The seizures as events of SzCORE, in ticks, `(n_events, 2)`.
    onset, end
        Onset and end of each window in seconds, `(n_windows,)`.
    p
        Probability of a seizure, which is 1 minus that of the background, in each window, `(n_windows,)`.
    positive
        Whether a class other than the background is predicted, `(n_windows,)`.
    types
        Event type of each annotated seizure.
    """

    name: str
    patient: str
    fold: int
    seconds: float
    n_ticks: int
    seizures: list[Interval]
    joined: np.ndarray
    onset: np.ndarray
    end: np.ndarray
    p: np.ndarray
    positive: np.ndarray
    types: tuple[str, ...] = ()

    def shifted(self, rng: np.random.Generator) -> "ScoredRecording":
        """The recording with predictions from a random window on, continued from its beginning.

        Detections keep their number and duration, apart from one that is cut.
        """
        order, offset = np.argsort(self.onset, kind="stable"), int(rng.integers(max(len(self.p), 1)))
        p, positive = np.empty_like(self.p), np.empty_like(self.positive)
        p[order], positive[order] = np.roll(self.p[order], offset), np.roll(self.positive[order], offset)
        return replace(self, p=p, positive=positive)


def seizures_of(events: pd.DataFrame, class_set: dict[str, list[str]]) -> pd.DataFrame:
    """Select the events of any class but the first.

    Parameters
    ----------
    events
        Annotated events with the column `label` (event type).
    class_set
        Event types of each class, the background first.

    Returns
    -------
    DataFrame
        Rows of the seizures; event types that the class set excludes are none.
    """
    class_of = {label: classify(label, class_set) for label in events["label"].unique()}
    background = next(iter(class_set))
    return events[np.array([class_of[label] not in (None, background) for label in events["label"]], dtype=bool)]


def scored_recordings(
    predictions: pd.DataFrame,
    windows: pd.DataFrame,
    recordings: pd.DataFrame,
    events: pd.DataFrame,
    class_set: dict[str, list[str]],
) -> list[ScoredRecording]:
    """Join the predictions of a member with the annotations.

    Parameters
    ----------
    predictions
        Rows of a member, including borderline windows.
    windows
        `windows.tsv`: columns `window` and `duration` in seconds.
    recordings
        `recordings.tsv`: columns `recording`, `patient`, `duration` in seconds (NaN: excluded as unreadable), and if
        recordings have gaps `span`, the seconds with them.
    events
        Annotated events: columns `recording`, `onset` and `duration` in seconds, `label` (event type). Events of any
        class but the first are seizures; event types that the class set excludes are ignored.
    class_set
        Event types of each class, the background first.

    Returns
    -------
    list of ScoredRecording
        All recordings of the patients with predictions, in the order of the patients.

    Raises
    ------
    InputError
        If a predicted recording is not in `recordings`.
    """
    recordings = recordings[recordings["duration"].notna()]
    unknown = set(predictions["recording"]) - set(recordings["recording"])
    if unknown:
        raise InputError(
            f"recordings.tsv: no recording {min(unknown)!r}, which has predictions; "
            "the recordings have changed, so retrain"
        )
    background = next(iter(class_set))
    by_recording = seizures_of(events, class_set).groupby("recording")
    annotated = {
        str(name): list(zip(seizures["onset"], seizures["onset"] + seizures["duration"], strict=True))
        for name, seizures in by_recording
    }
    types = {str(name): tuple(labels) for name, labels in by_recording["label"]}
    duration = predictions["window"].map(windows.set_index("window")["duration"])
    timed = predictions.assign(end=predictions["onset"] + duration)
    predicted = {str(name): part for name, part in timed.groupby("recording")}
    fold_of = predictions.groupby("patient")["fold"].first()
    no_windows = timed.head(0)
    spans = recordings["span"] if "span" in recordings else recordings["duration"]
    result = []
    table = recordings.assign(span=spans)[recordings["patient"].isin(fold_of.index)]
    for row in table.sort_values("patient", kind="stable").to_dict("records"):
        name, patient = row["recording"], row["patient"]
        part, n_ticks = predicted.get(name, no_windows), max(int(ticks(row["span"])), 1)
        seizures = annotated.get(name, [])
        result.append(
            ScoredRecording(
                name=name,
                patient=patient,
                fold=int(fold_of[patient]),
                seconds=float(row["duration"]),
                n_ticks=n_ticks,
                seizures=seizures,
                joined=join(_disjoint(seizures, n_ticks)),
                onset=part["onset"].to_numpy(float),
                end=part["end"].to_numpy(float),
                p=seizure_probability(part, background),
                positive=(part["predicted"] != background).to_numpy(),
                types=types.get(name, ()),
            )
        )
    return result


def _disjoint(seizures: list[Interval], n_ticks: int) -> np.ndarray:
    """Seizures in ticks, in order and without overlap."""
    spans = union([(start / TICKS, stop / TICKS) for start, stop in clip(seizures, n_ticks)])
    return np.rint(np.array(spans).reshape(-1, 2) * TICKS).astype(np.int64)
