"""Scores of the models of a study on an external data set, beside those of its cross-validation.

Every outer fold's models predict the whole external set. The mean of their scores estimates what the cross-validation
estimates too, the score of models that were trained on all folds but one, and is therefore compared with the internal
score. The final models, which were trained on all patients, are scored as well: they are what a user gets, but they
have no internal score.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.evaluation import Evaluation
from eegwf.evaluation.bootstrap import leave_one_out, patient_draws, replicate_scores
from eegwf.evaluation.calibration import probability_scores
from eegwf.evaluation.detector import OperatingPoint
from eegwf.evaluation.evaluate import scored_windows
from eegwf.evaluation.external_events import EventTables, compare_events
from eegwf.evaluation.external_predictions import FINAL
from eegwf.evaluation.independent_difference import independent_difference
from eegwf.evaluation.intervals import score_interval
from eegwf.evaluation.metrics import Entry, Member, Patients, compute_metrics
from eegwf.evaluation.scores import SCORES, SIGNED
from eegwf.seeds import seed_of

MEAN = "mean_of_folds"


@dataclass(frozen=True)
class Internal:
    """Results of the cross-validation of the study.

    Attributes
    ----------
    metrics
        `metrics.json`.
    predictions
        Rows of the primary member in `predictions.tsv`.
    events
        `events.tsv`.
    """

    metrics: dict[str, Any]
    predictions: pd.DataFrame
    events: pd.DataFrame


def evaluate_external(
    name: str,
    predictions: pd.DataFrame,
    internal: Internal,
    tables: EventTables,
    class_set: dict[str, list[str]],
    settings: Evaluation,
    seed: int,
    final_point: OperatingPoint | None = None,
) -> dict[str, Any]:
    """Score the predictions of an external data set.

    Parameters
    ----------
    name
        Name of the data set.
    predictions
        Rows of all members: `fold1`, ..., and `final` if there are final models.
    internal
        Results of the cross-validation.
    tables
        `windows.tsv`, `recordings.tsv` and `events.tsv` of the data set.
    class_set
        Event types of each class, in the order of the configuration, the background first.
    settings
        Section `evaluation` of the configuration.
    seed
        Seed of the study.
    final_point
        Operating point of the final models; None if there is none.

    Returns
    -------
    dict
        Content of the external `metrics.json`.

    Notes
    -----
    The difference is external minus internal. Its interval has the percentiles of the differences of bootstrap
    replicates: the patients of the two sets are independent, so each set is resampled by itself, with seeds of its own,
    and replicates are paired at random. The intervals of the two scores are those of `evaluation.interval`.
    """
    classes = list(class_set)
    members = {
        str(member): replace(scored_windows(rows, classes), fold=np.zeros(int((rows["label"] != "").sum()), int))
        for member, rows in predictions.groupby("member", sort=False)
    }
    folds = [member for member in members if member != FINAL]
    first = members[folds[0]]
    patients = Patients.of(first, len(classes))
    primary = FINAL if FINAL in members else folds[0]
    silent = settings.model_copy(update={"n_permutations": 0, "primary": primary})
    metrics = compute_metrics(members, classes, silent, seed)
    seeds = {part: seed_of(seed, "external test", name, part) for part in ("internal", "external")}
    own = scored_windows(internal.predictions, classes)
    own_patients = Patients.of(own, len(classes))
    replicates = {
        "internal": _replicates([own], own_patients, settings, seeds["internal"]),
        "external": _replicates([members[fold] for fold in folds], patients, settings, seeds["external"]),
    }
    mean = _mean_of_folds(metrics["members"], [members[fold] for fold in folds], folds, patients, settings, seeds)
    scores = internal.metrics["members"][internal.metrics["primary"]]
    kept = {key: value for key, value in metrics.items() if key not in ("permutation", "per_fold", "sanity_warnings")}
    for scored in kept["members"].values():
        del scored[MEAN]  # all windows of a member are predicted by the same models
    return {
        "external": name,
        **kept,
        "compared": MEAN,
        MEAN: mean,
        "internal": {
            "member": internal.metrics["primary"],
            "n_windows": internal.metrics["n_windows"],
            "n_patients": internal.metrics["n_patients"],
            **{kind: scores[kind] for kind in SCORES},
            "per_class": {label: {"n_windows": scores["per_class"][label]["n_windows"]} for label in classes},
        },
        "difference": {
            kind: independent_difference(
                mean[kind]["value"],
                scores[kind]["value"],
                replicates["external"][kind],
                replicates["internal"][kind],
                min(patients.behind(kind) + own_patients.behind(kind)),
                settings.confidence,
            )
            for kind in SCORES
        },
        "events": compare_events(
            predictions, internal.metrics, internal.events, tables, class_set, settings, seeds, final_point
        ),
        "calibration": _calibration(predictions, internal.metrics, classes, settings, seed),
    }


def _replicates(members: list[Member], patients: Patients, settings: Evaluation, seed: int) -> dict[str, np.ndarray]:
    """Mean scores of members in replicates of the bootstrap over patients."""
    draws = patient_draws(patients.n, settings.n_bootstrap, seed)
    return _resampled(members, patients, draws, settings)


def _resampled(
    members: list[Member], patients: Patients, draws: np.ndarray, settings: Evaluation
) -> dict[str, np.ndarray]:
    found = [
        replicate_scores(
            member.truth, member.predicted, member.p, patients.number, draws, specificity=settings.specificity
        )
        for member in members
    ]
    return {kind: np.mean([scores[kind] for scores in found], axis=0) for kind in SCORES}


def _mean_of_folds(
    scores: Mapping[str, Any],
    members: list[Member],
    folds: list[str],
    patients: Patients,
    settings: Evaluation,
    seeds: Mapping[str, int],
) -> dict[str, Entry]:
    """Mean of the scores of the folds' members, with the configured interval over the external patients."""
    resamples = {"left_out": leave_one_out(patients.n)}
    if settings.interval != "jackknife":
        resamples["replicates"] = patient_draws(patients.n, settings.n_bootstrap, seeds["external"])
    resampled = {key: _resampled(members, patients, draws, settings) for key, draws in resamples.items()}
    result: dict[str, Entry] = {}
    for kind in SCORES:
        values = [scores[fold][kind]["value"] for fold in folds]
        value = None if None in values else float(np.mean(values))
        columns = {key: found[kind] for key, found in resampled.items()}
        bounds = (-1.0, 1.0) if kind in SIGNED else (0.0, 1.0)
        found = score_interval(value, columns, patients.behind(kind), settings, bounds)
        result[kind] = {"value": value, **found._asdict()}
    return result


def _calibration(
    predictions: pd.DataFrame, internal: Mapping[str, Any], classes: list[str], settings: Evaluation, seed: int
) -> dict[str, Any]:
    """Scores of the probabilities of each member, and those of the cross-validation."""
    members = {
        str(member): probability_scores(rows, classes, settings, seed)
        for member, rows in predictions.groupby("member", sort=False)
    }
    kept = ("log_loss", "brier", "ece")
    own = {name: {kind: internal["calibration"][name][kind] for kind in kept} for name in ("raw", "calibrated")}
    return {"n_bins": settings.calibration_bins, "members": members, "internal": own}
