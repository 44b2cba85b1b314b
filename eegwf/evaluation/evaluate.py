"""From the test predictions of all ranks and folds to the tables and the numbers of a combination."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.study import Evaluation
from eegwf.errors import InputError
from eegwf.evaluation.baselines import alarms, floors
from eegwf.evaluation.bootstrap import interval, patient_draws, replicate_scores
from eegwf.evaluation.events import empty_events, score_events
from eegwf.evaluation.predictions import pool_predictions, probability_columns
from eegwf.evaluation.scores import CLASS_SCORES, SCORES, class_scores, confusion, scores
from eegwf.storage.files import write_json, write_table


@dataclass(frozen=True)
class Evaluated:
    """What evaluation finds; each field is one file."""

    predictions: pd.DataFrame
    metrics: dict[str, Any]
    per_patient: pd.DataFrame
    events: pd.DataFrame


@dataclass(frozen=True)
class Member:
    """The scored windows of one member: class numbers, probabilities and, shared by all, patients and folds."""

    truth: np.ndarray
    predicted: np.ndarray
    p: np.ndarray
    patient: np.ndarray
    fold: np.ndarray

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Truth, predicted and probabilities of some windows."""
        return self.truth[rows], self.predicted[rows], self.p[rows]


def evaluate(
    parts: dict[int, list[Path]],
    windows: pd.DataFrame,
    class_set: dict[str, list[str]],
    settings: Evaluation,
    seed: int,
    recordings: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
) -> Evaluated:
    """Pool, score and bootstrap the test predictions of one combination.

    Parameters
    ----------
    parts
        For each rank the `test.tsv` of each fold.
    windows
        `windows.tsv`; its columns `window patient recording onset duration` are used.
    class_set
        Event types of each class, in the config's order, the background first.
    settings
        Section `evaluation` of the config.
    seed
        Seed of the bootstrap; every member sees the same draws of patients.
    recordings, events
        Tables for `score_events`; without them no events are scored.

    Raises
    ------
    InputError
        From `pool_predictions`; predictions of other windows than these; no labelled window; a primary
        member that was not retrained.
    """
    classes = list(class_set)
    pooled = pool_predictions(parts, classes)
    _of_these_windows(pooled, windows, str(parts[min(parts)][0]))
    names = list(pooled["member"].unique())
    if settings.primary not in names:
        raise InputError(
            f"evaluation.primary: {settings.primary} has no predictions, found {', '.join(names)}; "
            "retrain that rank (retrain.top) or name another member"
        )
    members = {name: scored_windows(pooled[pooled["member"] == name], classes) for name in names}
    primary = members[settings.primary]
    if len(primary.truth) == 0:
        raise InputError(
            f"{parts[min(parts)][0]}: no window of any fold has a label, expected some to score; "
            "check the class set and windows.share"
        )
    timeline = pooled[pooled["member"] == settings.primary]
    scored_events = (
        empty_events()
        if recordings is None or events is None
        else score_events(timeline, windows, recordings, events, class_set)
    )
    return Evaluated(
        predictions=pooled,
        metrics=_metrics(members, classes, settings, seed),
        per_patient=per_patient(timeline, classes),
        events=scored_events,
    )


def write_evaluation(folder: Path | str, result: Evaluated) -> None:
    """Write `predictions.tsv`, `per_patient.tsv`, `events.tsv` and `metrics.json` into a folder."""
    folder = Path(folder)
    write_table(folder / "predictions.tsv", result.predictions)
    write_table(folder / "per_patient.tsv", result.per_patient)
    write_table(folder / "events.tsv", result.events)
    write_json(folder / "metrics.json", result.metrics)


def scored_windows(table: pd.DataFrame, classes: list[str]) -> Member:
    """Labelled windows of one member's rows, as arrays."""
    table = table[table["label"] != ""]
    return Member(
        truth=pd.Index(classes).get_indexer(table["label"]),
        predicted=pd.Index(classes).get_indexer(table["predicted"]),
        p=table[probability_columns(classes)].to_numpy(dtype=float),
        patient=table["patient"].to_numpy(),
        fold=table["fold"].to_numpy(),
    )


def per_patient(table: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Score each patient by itself.

    Parameters
    ----------
    table
        Rows of one member, borderline windows too.
    classes
        Names of the classes.

    Returns
    -------
    DataFrame
        Columns `patient fold n_windows n_<class>... balanced_accuracy accuracy auroc`, a row per patient, by
        the definitions of `scores` (balanced accuracy over the patient's own classes); counts are of labelled
        windows; NaN where undefined.
    """
    rows = []
    for patient, own in table.groupby("patient"):
        member = scored_windows(own, classes)
        found = scores(member.truth, member.predicted, member.p)
        rows.append(
            {
                "patient": patient,
                "fold": own["fold"].iloc[0],
                "n_windows": len(member.truth),
                **{f"n_{name}": int((member.truth == at).sum()) for at, name in enumerate(classes)},
                **{name: found[name] for name in ("balanced_accuracy", "accuracy", "auroc")},
            }
        )
    return pd.DataFrame(rows)


def _metrics(members: dict[str, Member], classes: list[str], settings: Evaluation, seed: int) -> dict[str, Any]:
    """The content of `metrics.json`; what is undefined is None."""
    primary = members[settings.primary]
    patients, patient = np.unique(primary.patient, return_inverse=True)
    draws = patient_draws(len(patients), settings.bootstrap, seed)
    points = {name: scores(of.truth, of.predicted, of.p) for name, of in members.items()}
    confusions = {name: confusion(of.truth, of.predicted, len(classes)) for name, of in members.items()}
    return {
        "primary": settings.primary,
        "classes": classes,
        "n_windows": len(primary.truth),
        "n_patients": len(patients),
        "bootstrap": {"replicates": settings.bootstrap, "confidence": settings.confidence, "seed": seed},
        "members": {
            name: _with_intervals(of, points[name], patient, draws, classes, settings.confidence)
            for name, of in members.items()
        },
        "confusion": {name: matrix.tolist() for name, matrix in confusions.items()},
        "per_fold": [_fold_scores(primary, fold) for fold in np.unique(primary.fold)],
        "floors": floors(primary.truth, primary.fold, len(classes)),
        "alarms": alarms(points, confusions, primary.truth, primary.fold, classes),
    }


def _with_intervals(
    member: Member,
    points: dict[str, float | None],
    patient: np.ndarray,
    draws: np.ndarray,
    classes: list[str],
    confidence: float,
) -> dict[str, Any]:
    """Scores of one member with their intervals, and how many replicates a score is undefined in."""
    replicates = replicate_scores(member.truth, member.predicted, member.p, patient, draws)

    def entry(value: float | None, values: np.ndarray) -> dict[str, float | int | None]:
        low, high, undefined = interval(values, confidence)
        if value is None or draws.shape[1] < 2:
            low = high = None  # one patient drawn again and again has no spread
        return {"value": value, "low": low, "high": high, "undefined": undefined}

    of_classes = class_scores(member.truth, member.predicted, member.p)
    result: dict[str, Any] = {name: entry(points[name], replicates[name]) for name in SCORES}
    result["per_class"] = {
        label: {
            "n_windows": int((member.truth == at).sum()),
            **{name: entry(of_classes[name][at], replicates[f"class_{name}"][:, at]) for name in CLASS_SCORES},
        }
        for at, label in enumerate(classes)
    }
    return result


def _fold_scores(member: Member, fold: int) -> dict[str, Any]:
    rows = member.fold == fold
    return {
        "fold": int(fold),
        "n_windows": int(rows.sum()),
        "n_patients": len(np.unique(member.patient[rows])),
        **scores(*member.take(rows)),
    }


def _of_these_windows(pooled: pd.DataFrame, windows: pd.DataFrame, file: str) -> None:
    """Refuse predictions made from another `windows.tsv`."""
    first = pooled[pooled["member"] == pooled["member"].iloc[0]]
    own = windows.set_index("window").reindex(first["window"])
    for name in ("patient", "recording", "onset"):
        mine, theirs = own[name].to_numpy(), first[name].to_numpy()
        same = np.isclose(mine.astype(float), theirs, rtol=1e-8, atol=1e-6) if name == "onset" else mine == theirs
        if not same.all():
            at = np.flatnonzero(~same)[0]
            raise InputError(
                f"{file}, or another fold's: window {first['window'].iloc[at]} has {name} '{theirs[at]}', "
                f"windows.tsv has '{mine[at]}'; the windows were cut anew: retrain"
            )
