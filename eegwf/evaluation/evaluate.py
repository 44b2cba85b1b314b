"""Evaluation of a combination: tables and scores from the test predictions of all ranks and folds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.evaluation import Evaluation
from eegwf.config.paths import RunPaths
from eegwf.data.participants import Grouping
from eegwf.errors import InputError
from eegwf.evaluation.calibration import calibration_metrics
from eegwf.evaluation.event_metrics import score_events
from eegwf.evaluation.events import empty_events
from eegwf.evaluation.metrics import Member, compute_metrics
from eegwf.evaluation.predictions import pool_predictions, raw_columns, validation_predictions
from eegwf.evaluation.scores import scores
from eegwf.evaluation.seizure_types import seizure_types
from eegwf.evaluation.spread import seed_spread
from eegwf.evaluation.subgroups import subgroup_scores
from eegwf.storage.files import write_json, write_table


@dataclass(frozen=True)
class EvaluationResult:
    """Result of an evaluation; each field is a file.

    Attributes
    ----------
    predictions
        `predictions.tsv`.
    metrics
        `metrics.json`.
    per_patient
        `per_patient.tsv`.
    events
        `events.tsv`.
    """

    predictions: pd.DataFrame
    metrics: dict[str, Any]
    per_patient: pd.DataFrame
    events: pd.DataFrame


def evaluate(
    parts: dict[int, list[Path]],
    windows: pd.DataFrame,
    class_set: dict[str, list[str]],
    settings: Evaluation,
    seed: int,
    recordings: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    groupings: Mapping[str, Grouping] = MappingProxyType({}),
    seeds: Mapping[int, list[Path]] | None = None,
) -> EvaluationResult:
    """Pool the test predictions of a combination, and compute scores and confidence intervals.

    Parameters
    ----------
    parts
        For each rank the `test.tsv` of each fold, with `validation.tsv` and `calibration.json` beside it.
    windows
        `windows.tsv`; its columns `window patient recording onset duration label` are used.
    class_set
        Event types of each class, in the order of the configuration, the background first.
    settings
        Section `evaluation` of the configuration.
    seed
        Seed of the bootstrap and of the permutation test; all members use the same draws of patients.
    recordings, events
        Tables for `score_events`; None if events can't be scored.
    groupings
        Groups of the patients by column of `participants.tsv`.
    seeds
        For each further seed of rank 1 its `test.tsv` of each fold.

    Returns
    -------
    EvaluationResult
        Tables and scores.

    Raises
    ------
    InputError
        From `pool_predictions` and `seed_spread`; if the predictions are of other windows, no window has a label, or
        the primary member was not retrained.
    """
    classes = list(class_set)
    pooled = pool_predictions(parts, classes)
    _check_windows(pooled, windows, str(parts[min(parts)][0]))
    names = list(pooled["member"].unique())
    if settings.primary not in names:
        raise InputError(
            f"evaluation.primary: {settings.primary} has no predictions, found {', '.join(names)}; "
            "increase retrain.n_best or retrain.n_seeds, or choose another member"
        )
    members = {name: scored_windows(pooled[pooled["member"] == name], classes) for name in names}
    primary = members[settings.primary]
    if len(primary.truth) == 0:
        raise InputError(
            f"{parts[min(parts)][0]}: no window of any fold has a label, expected at least one; "
            "check the class set and windows.min_overlap"
        )
    timeline = pooled[pooled["member"] == settings.primary]
    validation = validation_predictions(parts, classes)
    scored_events, event_metrics, tables = empty_events(), None, None
    if recordings is not None and events is not None:
        validated = {
            fold: table[table["member"] == settings.primary] for fold, table in validation.items() if len(table)
        }
        tables = (windows, recordings, events)
        scored_events, event_metrics = score_events(timeline, validated, tables, class_set, settings, seed)
    calibration = calibration_metrics(timeline, validation, parts, classes, settings, seed)
    metrics = compute_metrics(members, classes, settings, seed)
    return EvaluationResult(
        predictions=pooled,
        metrics={
            **metrics,
            "spread": {"seeds": seed_spread(pooled, seeds or {}, classes, settings.seeds, metrics["members"])},
            "events": event_metrics,
            "calibration": calibration,
            "subgroups": {
                "columns": subgroup_scores(primary, groupings, classes, settings, seed),
                "seizure_types": seizure_types(timeline, windows, tables, class_set, event_metrics, settings, seed),
            },
        },
        per_patient=per_patient(timeline, classes),
        events=scored_events,
    )


def write_evaluation(folder: Path | str, result: EvaluationResult) -> None:
    """Write `predictions.tsv`, `per_patient.tsv`, `events.tsv` and `metrics.json`.

    Parameters
    ----------
    folder
        Folder of the combination.
    result
        Result of `evaluate`.
    """
    paths = RunPaths(Path(folder))
    write_table(paths.predictions, result.predictions)
    write_table(paths.per_patient, result.per_patient)
    write_table(paths.events, result.events)
    write_json(paths.metrics, result.metrics)


def scored_windows(table: pd.DataFrame, classes: list[str]) -> Member:
    """Extract the labeled windows of a member.

    Parameters
    ----------
    table
        Rows of the member in the pooled predictions.
    classes
        Names of the classes.

    Returns
    -------
    Member
        Its labeled windows.
    """
    table = table[table["label"] != ""]
    return Member(
        truth=pd.Index(classes).get_indexer(pd.Index(table["label"])),
        predicted=pd.Index(classes).get_indexer(pd.Index(table["predicted"])),
        # Calibration changes no score of the classes or of their order: those are of the raw probabilities.
        p=table[raw_columns(classes)].to_numpy(dtype=float),
        patient=table["patient"].to_numpy(),
        fold=table["fold"].to_numpy(),
    )


def per_patient(table: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Compute the scores of each patient.

    Parameters
    ----------
    table
        Rows of a member, including borderline windows.
    classes
        Names of the classes.

    Returns
    -------
    DataFrame
        Columns `patient fold n_windows n_<class>... balanced_accuracy accuracy auroc`, a row per patient. Scores are as
        defined in `scores` (balanced accuracy over the classes that the patient has), NaN where undefined; counts are
        of labeled windows.
    """
    rows = []
    for patient, predictions in table.groupby("patient"):
        member = scored_windows(predictions, classes)
        values = scores(member.truth, member.predicted, member.p)
        rows.append(
            {
                "patient": patient,
                "fold": predictions["fold"].iloc[0],
                "n_windows": len(member.truth),
                **{f"n_{name}": int((member.truth == number).sum()) for number, name in enumerate(classes)},
                **{name: values[name] for name in ("balanced_accuracy", "accuracy", "auroc")},
            }
        )
    return pd.DataFrame(rows)


def _check_windows(pooled: pd.DataFrame, windows: pd.DataFrame, file: str) -> None:
    """Raise an InputError if the predictions were made from another `windows.tsv`."""
    first = pooled[pooled["member"] == pooled["member"].iloc[0]]
    expected = windows.set_index("window").reindex(first["window"])
    for name in ("patient", "recording", "onset"):
        listed, predicted = expected[name].to_numpy(), first[name].to_numpy()
        if name == "onset":
            same = np.isclose(listed.astype(float), predicted, rtol=1e-8, atol=1e-6)
        else:
            same = listed == predicted
        if not same.all():
            row = np.flatnonzero(~same)[0]
            raise InputError(
                f"{file}, or the file of another fold: window {first['window'].iloc[row]} has {name} "
                f"'{predicted[row]}', windows.tsv has '{listed[row]}'; the windows have changed, so retrain"
            )
