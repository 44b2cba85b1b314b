"""Event scores of the models of a study on an external data set, each at the operating point of its own fold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.evaluation import Evaluation
from eegwf.data.events import has_background
from eegwf.evaluation.bootstrap import interval, patient_draws
from eegwf.evaluation.detector import OperatingPoint
from eegwf.evaluation.event_counts import Counts
from eegwf.evaluation.events import (
    LARGEST,
    POINT,
    RATE,
    RATIOS,
    SECONDS_PER_DAY,
    detector_scores,
    event_table,
    n_merged,
    ratios,
    unsuitable,
)
from eegwf.evaluation.external_predictions import FINAL
from eegwf.evaluation.independent_difference import independent_difference
from eegwf.evaluation.intervals import MIN_PATIENTS, patient_resamples, score_interval
from eegwf.evaluation.scored_recordings import scored_recordings
from eegwf.evaluation.scores import number

EventTables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def compare_events(
    predictions: pd.DataFrame,
    internal: Mapping[str, Any],
    internal_events: pd.DataFrame,
    tables: EventTables,
    class_set: dict[str, list[str]],
    settings: Evaluation,
    seeds: Mapping[str, int],
    final_point: OperatingPoint | None,
) -> dict[str, Any] | None:
    """Score the events of an external data set, and compare the mean over the folds with the cross-validation.

    Parameters
    ----------
    predictions
        Rows of all members; their column `fold` is that of their models.
    internal, internal_events
        `metrics.json` and `events.tsv` of the study.
    tables
        `windows.tsv`, `recordings.tsv` and `events.tsv` of the data set.
    class_set
        Event types of each class, the background first.
    settings
        Section `evaluation` of the configuration.
    seeds
        Seeds of the bootstraps, `internal` and `external`.
    final_point
        Operating point of the final models; None if there is none.

    Returns
    -------
    dict or None
        Scores of each member, their mean over the folds, the internal ones and the difference; None if the study has
        no event scores.
    """
    if not has_background(class_set) or not internal.get("events"):
        return None
    points = {entry["fold"]: OperatingPoint.read(entry) for entry in internal["events"]["operating_points"]}
    if final_point is not None:
        points[0] = final_point
    # A fold whose validation patients have no operating point predicts by the class of largest probability, as inside.
    kind = internal["events"]["primary"]
    counts: dict[str, np.ndarray] = {}
    members: dict[str, Any] = {}
    recordings = []
    for name, rows in predictions.groupby("member", sort=False):
        member, fold = str(name), int(rows["fold"].iloc[0])
        recordings = scored_recordings(rows, *tables, class_set)
        used = kind if fold in points else LARGEST
        table = event_table(recordings, points if used == POINT else {})
        part = table[table["detector"] == used].iloc[:-1]
        counts[member] = part[[*Counts._fields, "seconds"]].to_numpy(float)
        members[member] = {"detector": used, **detector_scores(part, settings, seeds["external"])}
    folds = np.stack([found for member, found in counts.items() if member != FINAL])
    own = internal_events[(internal_events["detector"] == kind) & (internal_events["patient"] != "all")]
    own_counts = own[[*Counts._fields, "seconds"]].to_numpy(float)
    scores = internal["events"]["detectors"][kind]
    mean = _mean(folds, settings, seeds["external"])
    n_seizure_patients = min(int((found[:, 0] > 0).sum()) for found in (folds[0], own_counts))
    return {
        "detector": kind,
        "n_annotated": sum(len(item.seizures) for item in recordings),
        "n_merged": n_merged(recordings),
        "n_events": int(folds[0, :, 0].sum()),
        "seconds": float(folds[0, :, -1].sum()),
        "unsuitable": unsuitable(recordings),
        "members": members,
        "mean_of_folds": mean,
        "internal": {name: scores[name] for name in RATIOS},
        "difference": _difference(mean, scores, folds, own_counts, n_seizure_patients, settings, seeds),
    }


def _mean(folds: np.ndarray, settings: Evaluation, seed: int) -> dict[str, Any]:
    """Mean over the folds of the pooled scores; counts are `(n_folds, n_patients, 7)`."""
    n_patients = folds.shape[1]
    pooled, of_patients = ratios(folds.sum(axis=1)), ratios(folds.mean(axis=0))
    resamples = patient_resamples(n_patients, settings, seed)
    resampled = {kind: ratios(weights @ folds) for kind, weights in resamples.items()}
    rates = ratios(patient_draws(n_patients, settings.n_bootstrap, seed) @ folds)[RATE].mean(axis=0)
    result: dict[str, Any] = {}
    for name in RATIOS:
        value = number(float(pooled[name].mean()))
        columns = {kind: found[name].mean(axis=0) for kind, found in resampled.items()}
        n_defined = int((~np.isnan(of_patients[name])).sum())
        low: float | None = None
        high: float | None = None
        if name == RATE and value == 0:
            # As for a member: that of a Poisson variable of which 0 was observed.
            seconds = folds[0, :, -1].sum()
            low, high = 0.0, float(-np.log((1 - settings.confidence) / 2) * SECONDS_PER_DAY / seconds)
        elif name == RATE:
            low, high, _ = interval(rates, settings.confidence)
        else:
            low, high, _ = score_interval(value, columns, [n_defined], settings)
        enough = value is not None and n_defined >= MIN_PATIENTS
        result[name] = {"value": value, "low": low if enough else None, "high": high if enough else None}
    return result


def _difference(
    mean: Mapping[str, Any],
    internal: Mapping[str, Any],
    folds: np.ndarray,
    own: np.ndarray,
    n_patients: int,
    settings: Evaluation,
    seeds: Mapping[str, int],
) -> dict[str, Any]:
    """External minus internal scores, with the percentiles of the differences of independent bootstraps."""
    external = ratios(patient_draws(folds.shape[1], settings.n_bootstrap, seeds["external"]) @ folds)
    inside = ratios(patient_draws(len(own), settings.n_bootstrap, seeds["internal"]) @ own)
    n_all = min(folds.shape[1], len(own))
    return {
        name: independent_difference(
            mean[name]["value"],
            internal[name]["value"],
            external[name].mean(axis=0),
            inside[name],
            n_all if name == RATE else n_patients,
            settings.confidence,
        )
        for name in RATIOS
    }
