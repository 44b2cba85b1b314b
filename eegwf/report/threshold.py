"""Section on the threshold: scores of windows and events at each threshold of a grid, for a slider and a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eegwf.data.events import has_background
from eegwf.evaluation.bootstrap import ratio
from eegwf.evaluation.detector import OperatingPoint
from eegwf.evaluation.events import RATE, primary_points
from eegwf.evaluation.operating_point import PointScores, curve
from eegwf.evaluation.predictions import seizure_probability
from eegwf.evaluation.scored_recordings import scored_recordings
from eegwf.evaluation.threshold_sweep import count_correct, threshold_grid
from eegwf.report.data import ReportData
from eegwf.report.formats import number, score
from eegwf.report.scripts import data_block
from eegwf.report.tables import Cell, Table

STATIC = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the table; the slider has all thresholds of the grid
DATA = "threshold-data"


@dataclass(frozen=True)
class Sweep:
    """Counts at each threshold of a grid.

    Attributes
    ----------
    thresholds
        In ascending order.
    patients
        Names of the patients with labeled windows.
    totals
        Positive and negative windows of each patient, `(n_patients, 2)`.
    correct
        True positive and true negative windows of each patient at each threshold, `(n_thresholds, n_patients, 2)`.
    events
        Scores of events at each threshold; empty if events were not scored.
    chosen
        Threshold of the operating point of each outer fold; empty without operating points.
    reference
        True positive and true negative windows of each patient with the threshold of each fold, or without operating
        points with the predicted classes, `(n_patients, 2)`.
    """

    thresholds: list[float]
    patients: list[str]
    totals: np.ndarray
    correct: np.ndarray
    events: list[PointScores]
    chosen: dict[int, float]
    reference: np.ndarray


def parts(run: ReportData) -> dict[str, Any]:
    """Content of the section.

    Parameters
    ----------
    run
        Content of the report.

    Returns
    -------
    dict
        Variable of the template: `threshold`; None if the class set has three classes or more and no background.
    """
    if len(run.classes) > 2 and not has_background(run.study.classes[run.class_set]):
        return {"threshold": None}
    found = sweep(run)
    return {
        "threshold": {
            "positive": positive_name(run),
            "negative": run.classes[0],
            "data": data_block(DATA, slider_data(run, found)),
            "table": threshold_table(run, found),
            "own": bool(found.chosen),
            "chosen": _choices(found),
            "start": _start(found),
            "labels": [_label(value) for value in found.thresholds],
            "reference": _row_texts(found.reference.sum(axis=0), found.totals.sum(axis=0), reference_events(run)),
            "names": score_names(found),
            "events": bool(found.events),
        }
    }


def positive_name(run: ReportData) -> str:
    """Name of what is detected."""
    return run.classes[1] if len(run.classes) == 2 else f"any class but {run.classes[0]}"


def sweep(run: ReportData) -> Sweep:
    """Count windows and events of the primary member at each threshold."""
    table = run.predictions[run.predictions["member"] == run.primary]
    points = primary_points(run.metrics["events"]) if run.metrics.get("events") else {}
    labeled = table[table["label"] != ""]
    p = seizure_probability(labeled, run.classes[0])
    patients, patient = np.unique(labeled["patient"].to_numpy(dtype=str), return_inverse=True)
    positive = (labeled["label"] != run.classes[0]).to_numpy()
    chosen = {fold: point.threshold for fold, point in points.items()}
    thresholds = threshold_grid(p, chosen.values())
    correct = [count_correct(positive, p, patient, len(patients), level) for level in thresholds]
    if chosen:
        reference = count_correct(positive, p, patient, len(patients), labeled["fold"].map(chosen).to_numpy(float))
    else:
        predicted = (labeled["predicted"] != run.classes[0]).to_numpy(float)
        reference = count_correct(positive, predicted, patient, len(patients), 0.5)
    totals = np.stack([np.bincount(patient[mask], minlength=len(patients)) for mask in (positive, ~positive)], axis=1)
    events = _events(run, table, points, thresholds)
    return Sweep(thresholds, patients.tolist(), totals, np.stack(correct), events, chosen, reference)


def _events(
    run: ReportData, table: pd.DataFrame, points: dict[int, OperatingPoint], thresholds: Sequence[float]
) -> list[PointScores]:
    if not run.metrics.get("events"):
        return []
    tables = (run.windows, run.recordings, run.annotations)
    recordings = scored_recordings(table, *tables, run.study.classes[run.class_set])
    points = points or {item.fold: OperatingPoint() for item in recordings}
    return [scores for _, scores in curve(recordings, points, thresholds)]


def reference_events(run: ReportData) -> tuple[float, float] | None:
    """Sensitivity for events and false alarms per hour of the result; None if events were not scored."""
    events = run.metrics.get("events")
    if not events:
        return None
    found = events["detectors"][events["primary"]]
    sensitivity, rate = (found[name]["value"] for name in ("sensitivity", RATE))
    return (math.nan if sensitivity is None else sensitivity), (math.nan if rate is None else rate / 24)


def _row_texts(correct: np.ndarray, totals: np.ndarray, events: tuple[float, float] | None) -> list[str]:
    """Sensitivity and specificity for windows, sensitivity for events and false alarms per hour, as text."""
    texts = [score(float(value)) for value in ratio(correct, totals)]
    return texts if events is None else [*texts, score(events[0]), number(events[1])]


def score_names(found: Sweep) -> list[str]:
    """Names of the scores."""
    names = ["sensitivity, windows", "specificity, windows"]
    return [*names, "sensitivity, events", "false alarms per hour"] if found.events else names


def _event_pair(scores: PointScores) -> tuple[float, float]:
    return float(scores.sensitivity), scores.false_alarms_per_day / 24


def _rows(found: Sweep) -> list[list[str]]:
    events: list[tuple[float, float] | None] = [_event_pair(scores) for scores in found.events]
    events = events or [None] * len(found.thresholds)
    totals = found.totals.sum(axis=0)
    return [_row_texts(counts.sum(axis=0), totals, pair) for counts, pair in zip(found.correct, events, strict=True)]


def slider_data(run: ReportData, found: Sweep) -> dict[str, Any]:
    """Collect what the slider looks up.

    Parameters
    ----------
    run
        Content of the report.
    found
        Counts at each threshold.

    Returns
    -------
    dict
        `thresholds` and `values` (the scores) as text; `correct`, true positive and true negative windows of each
        patient, as two lists for each threshold; `totals`, likewise; `reference`, likewise of the result; `events`,
        false alarms per hour and sensitivity at each threshold, and `point`, those of the result.
    """
    point = reference_events(run)
    curve_points = [(rate, value) for value, rate in map(_event_pair, found.events)]
    # Without a seizure there is no sensitivity to draw.
    drawn = point is not None and bool(np.isfinite([*curve_points, point]).all())
    return {
        "thresholds": [_label(value) for value in found.thresholds],
        "values": _rows(found),
        "patients": found.patients,
        "totals": found.totals.T.tolist(),
        "correct": found.correct.transpose(0, 2, 1).tolist(),
        "reference": found.reference.T.tolist(),
        "events": curve_points if drawn else [],
        "point": point[::-1] if point and drawn else None,
    }


def threshold_table(run: ReportData, found: Sweep) -> Table:
    """Scores at a few thresholds, and those of the result.

    Parameters
    ----------
    run
        Content of the report.
    found
        Counts at each threshold.

    Returns
    -------
    Table
        Readable without scripts.
    """
    rows = _rows(found)
    shown: list[list[Cell]] = [
        [_label(value), *rows[index]] for index, value in enumerate(found.thresholds) if value in STATIC
    ]
    name = "operating points, chosen on validation" if found.chosen else "class of largest probability"
    result = _row_texts(found.reference.sum(axis=0), found.totals.sum(axis=0), reference_events(run))
    return Table(
        f"Scores at thresholds of the probability of {positive_name(run)}: {run.primary}, pooled test folds",
        ["threshold", *score_names(found)],
        [[name, *result], *shown],
        "The first row is the result, with the threshold of each fold." if found.chosen else "",
        strong={0},
    )


def _choices(found: Sweep) -> list[tuple[str, int]]:
    """Operating points of the folds, as text, and their positions on the slider."""
    return [
        (f"fold {fold}: {_label(value)}", found.thresholds.index(value))
        for fold, value in found.chosen.items()
        if math.isfinite(value)
    ]


def _start(found: Sweep) -> int:
    """Position of the slider at first: the median of the operating points."""
    finite = sorted(value for value in found.chosen.values() if math.isfinite(value))
    return found.thresholds.index(finite[len(finite) // 2] if finite else 0.5)


def _label(threshold: float) -> str:
    return f"{threshold:.4f}"
