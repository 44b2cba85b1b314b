"""Event scores of a combination: operating points from the validation patients, detectors, latencies and a curve."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.evaluation import Evaluation, OperatingPointSettings
from eegwf.data.events import has_background
from eegwf.evaluation.detector import OperatingPoint
from eegwf.evaluation.events import (
    LARGEST,
    NEVER,
    POINT,
    RATIOS,
    SHIFTED,
    detector_scores,
    empty_events,
    event_table,
    latencies,
    n_merged,
    ratios,
    shifted_scores,
    unsuitable,
)
from eegwf.evaluation.operating_point import SECONDS_PER_DAY, ChosenPoint, PointScores, choose_point, curve
from eegwf.evaluation.scored_recordings import ScoredRecording, scored_recordings, seizures_of
from eegwf.evaluation.scores import number


def score_events(
    predictions: pd.DataFrame,
    validation: Mapping[int, pd.DataFrame],
    tables: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    class_set: dict[str, list[str]],
    settings: Evaluation,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    """Score the seizure events of every tested patient.

    Parameters
    ----------
    predictions
        Rows of a member, including borderline windows.
    validation
        For each outer fold the rows of the member on its validation folds; empty if there are none.
    tables
        `windows.tsv`, `recordings.tsv` and the annotated events, as `scored_recordings` takes them.
    class_set
        Event types of each class, the background first.
    settings
        Section `evaluation` of the configuration.
    seed
        Seed of the bootstrap and of the shifted predictions.

    Returns
    -------
    table : DataFrame
        As `event_table` returns it. No rows if the first class contains seizures, because false alarms are undefined
        without a background class.
    metrics : dict or None
        Content of `events` in `metrics.json`; None likewise.

    Raises
    ------
    InputError
        If a predicted recording is not in `recordings.tsv`.
    """
    if not has_background(class_set):
        return empty_events(), None
    recordings = scored_recordings(predictions, *tables, class_set)
    chosen = {
        fold: choose_point(scored_recordings(table, *tables, class_set), settings.operating_point)
        for fold, table in validation.items()
    }
    complete = {item.fold for item in recordings} <= chosen.keys()
    points = {fold: item.point for fold, item in chosen.items()} if complete else {}
    table = event_table(recordings, points)
    metrics = _metrics(table, recordings, chosen, points, settings, seed)
    return table, metrics | {"n_untested": len(seizures_of(tables[2], class_set)) - metrics["n_annotated"]}


def choose_point_of_all_folds(
    validation: Mapping[int, pd.DataFrame],
    tables: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    class_set: dict[str, list[str]],
    settings: OperatingPointSettings,
) -> dict[str, Any] | None:
    """Choose an operating point for models that are trained on all patients.

    Parameters
    ----------
    validation
        For each outer fold the rows of the member on its validation folds, which together contain every patient.
    tables, class_set
        As in `score_events`.
    settings
        Target of the operating point.

    Returns
    -------
    dict or None
        `threshold` (None: never an alarm), `smoothing`, `min_duration`, `reason` and the scores `validation`; None if
        the first class contains seizures.
    """
    if not has_background(class_set):
        return None
    recordings = [item for table in validation.values() for item in scored_recordings(table, *tables, class_set)]
    return _described(choose_point(recordings, settings))


def _metrics(
    table: pd.DataFrame,
    recordings: Sequence[ScoredRecording],
    chosen: Mapping[int, ChosenPoint],
    points: Mapping[int, OperatingPoint],
    settings: Evaluation,
    seed: int,
) -> dict[str, Any]:
    patients = [part.iloc[:-1] for _, part in table.groupby("detector", sort=False)]
    detectors: dict[str, Any] = {part["detector"].iloc[0]: detector_scores(part, settings, seed) for part in patients}
    never = table[table["detector"] == LARGEST].iloc[-1][["n_events", "seizure_s", "seconds"]]
    silent = ratios(np.array([never["n_events"], 0, 0, never["seizure_s"], 0, 0, never["seconds"]], dtype=float))
    of_never = {name: number(float(silent[name])) for name in RATIOS}
    of_shifted = shifted_scores(recordings, points, seed)
    detectors |= {name: _values(found) for name, found in ((NEVER, of_never), (SHIFTED, of_shifted))}
    found = latencies(recordings, points)
    detected = [value for value in found if value is not None]
    return {
        "target": settings.operating_point.model_dump(mode="json"),
        "primary": POINT if points else LARGEST,
        "operating_points": [{"fold": fold, **_described(item)} for fold, item in chosen.items()],
        "n_annotated": len(found),
        "n_merged": n_merged(recordings),
        "n_events": sum(len(item.joined) for item in recordings),
        "seconds": sum(item.seconds for item in recordings),
        "unsuitable": unsuitable(recordings),
        "detectors": detectors,
        "latency": {
            "n_detected": len(detected),
            "quartiles": np.quantile(detected, [0.25, 0.5, 0.75]).tolist() if detected else None,
        },
        "curve": [
            {"threshold": value if math.isfinite(value) else None, **_scores(scores)}
            for value, scores in (curve(recordings, points) if points else [])
        ],
    }


def _described(item: ChosenPoint) -> dict[str, Any]:
    point = item.point
    threshold = point.threshold if math.isfinite(point.threshold) else None
    settings = {"threshold": threshold, "smoothing": point.smoothing, "min_duration": point.min_duration}
    return settings | {"reason": item.reason, "validation": _scores(item.scores) if item.scores else None}


def _scores(scores: PointScores) -> dict[str, Any]:
    return {
        "n_events": scores.n_events,
        "tp": scores.tp,
        "fp": scores.fp,
        "days": scores.seconds / SECONDS_PER_DAY,
        "sensitivity": number(scores.sensitivity),
        "f1": number(scores.f1),
        "false_alarms_per_day": scores.false_alarms_per_day,
    }


def _values(found: Mapping[str, float | None]) -> dict[str, Any]:
    return {name: {"value": found[name], "low": None, "high": None} for name in RATIOS}
