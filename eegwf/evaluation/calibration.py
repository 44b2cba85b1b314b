"""Calibration of a member on the test windows, before and after: the key `calibration` of `metrics.json`."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.evaluation import Evaluation
from eegwf.config.fold_paths import RankPaths
from eegwf.evaluation.bootstrap import patient_draws
from eegwf.evaluation.calibration_scores import (
    brier_decomposition,
    class_calibration_errors,
    reliability_curve,
    top_label_error,
    window_brier,
    window_log_loss,
)
from eegwf.evaluation.conformal import conformal
from eegwf.evaluation.intervals import MIN_PATIENTS
from eegwf.evaluation.predictions import probability_columns, raw_columns
from eegwf.evaluation.selective import abstention, risk_coverage
from eegwf.storage.files import read_table
from eegwf.training.calibration import read_calibration

TARGET_ERRORS = (0.2, 0.1, 0.05, 0.02)
CURVE_POINTS = 40  # of the risk-coverage curve

Entry = dict[str, float | None]


def calibration_metrics(
    test: pd.DataFrame,
    validations: dict[int, pd.DataFrame],
    parts: dict[int, list[Path]],
    classes: list[str],
    settings: Evaluation,
    seed: int,
) -> dict[str, Any]:
    """Score the raw and the calibrated probabilities of a member.

    Parameters
    ----------
    test
        Rows of the member in the pooled predictions, with at least one labeled window.
    validations
        Validation predictions of each outer fold, with the rows of the member.
    parts
        For each rank the `test.tsv` of each fold; `calibration.json` is beside each of them.
    classes
        Names of the classes.
    settings
        Section `evaluation` of the configuration.
    seed
        Seed of the bootstrap over patients.

    Returns
    -------
    dict
        `n_bins`, `models` (fold, rank, temperature and note of each calibration), `raw` and `calibrated` (scores,
        reliability curves and risk-coverage curve of either), `change` (calibrated minus raw), and of the calibrated
        probabilities `abstention` and `conformal`.
    """
    member = test["member"].iloc[0]
    test = test[test["label"] != ""]
    tested = _by_fold({fold: rows for fold, rows in test.groupby("fold")}, classes)
    validated = _by_fold({fold: table[table["member"] == member] for fold, table in validations.items()}, classes)
    simple, simple_validated = ({fold: part[:2] for fold, part in parts.items()} for parts in (tested, validated))
    return {
        "n_bins": settings.calibration_bins,
        "models": _models(parts, classes),
        **probability_scores(test, classes, settings, seed),
        "abstention": [abstention(simple, simple_validated, target, classes) for target in TARGET_ERRORS],
        "conformal": conformal(tested, validated, settings.conformal_alpha, classes),
    }


def probability_scores(test: pd.DataFrame, classes: list[str], settings: Evaluation, seed: int) -> dict[str, Any]:
    """Score the raw and the calibrated probabilities of labeled windows.

    Parameters
    ----------
    test
        Rows of a member in the pooled predictions; those without a label are ignored.
    classes
        Names of the classes.
    settings
        Section `evaluation` of the configuration.
    seed
        Seed of the bootstrap over patients.

    Returns
    -------
    dict
        `raw` and `calibrated` (scores, reliability curves and risk-coverage curve of either), and `change` (calibrated
        minus raw).
    """
    test = test[test["label"] != ""]
    patients, patient = np.unique(test["patient"].to_numpy(dtype=str), return_inverse=True)
    draws = patient_draws(len(patients), settings.n_bootstrap, seed)
    truth = pd.Index(classes).get_indexer(pd.Index(test["label"]))
    p = {
        "raw": test[raw_columns(classes)].to_numpy(dtype=float),
        "calibrated": test[probability_columns(classes)].to_numpy(dtype=float),
    }
    losses = {
        "log_loss": {name: window_log_loss(truth, q) for name, q in p.items()},
        "brier": {name: window_brier(truth, q) for name, q in p.items()},
    }

    def entry(values: np.ndarray) -> Entry:
        return _mean(values, patient, draws, settings.confidence)

    return {
        **{
            name: {kind: entry(values[name]) for kind, values in losses.items()}
            | _scores(truth, q, patient, draws, classes, settings)
            for name, q in p.items()
        },
        "change": {kind: entry(values["calibrated"] - values["raw"]) for kind, values in losses.items()},
    }


def _scores(
    truth: np.ndarray,
    p: np.ndarray,
    patient: np.ndarray,
    draws: np.ndarray,
    classes: list[str],
    settings: Evaluation,
) -> dict[str, Any]:
    """Scores without intervals, and curves."""
    n_bins = settings.calibration_bins
    kinds = {"equal_width": False, "equal_mass": True}
    by_class = {name: class_calibration_errors(truth, p, n_bins, kind) for name, kind in kinds.items()}
    risk = risk_coverage(truth, p)
    kept = np.unique(np.ceil(np.linspace(0, 1, CURVE_POINTS + 1)[1:] * len(risk)).astype(int))
    return {
        "brier_terms": brier_decomposition(truth, p, n_bins),
        "ece": {name: float(np.mean(values)) for name, values in by_class.items()},
        "ece_by_class": {
            label: {name: values[number] for name, values in by_class.items()} for number, label in enumerate(classes)
        },
        "ece_top_label": {name: top_label_error(truth, p, n_bins, kind) for name, kind in kinds.items()},
        "reliability": {
            label: reliability_curve(truth == number, p[:, number], patient, draws, n_bins, settings.confidence)
            for number, label in enumerate(classes)
        },
        "risk_coverage": {
            "aurc": float(risk.mean()),
            "coverage": (kept / len(risk)).tolist(),
            "risk": risk[kept - 1].tolist(),
        },
    }


def _mean(values: np.ndarray, patient: np.ndarray, draws: np.ndarray, confidence: float) -> Entry:
    """Mean over the windows, with its percentile interval from the bootstrap over patients."""
    result: Entry = {"value": float(values.mean()), "low": None, "high": None}
    if draws.shape[1] >= MIN_PATIENTS:
        sums, counts = np.bincount(patient, weights=values), np.bincount(patient).astype(float)
        replicates = (draws @ sums) / (draws @ counts)
        bounds = np.quantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2])
        result |= {"low": float(bounds[0]), "high": float(bounds[1])}
    return result


def _by_fold(
    tables: dict[Any, pd.DataFrame], classes: list[str]
) -> dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """True classes, calibrated probabilities and patients of the labeled windows of each fold that has any."""
    result = {}
    for fold, table in tables.items():
        rows = table[table["label"] != ""]
        if len(rows):
            truth = pd.Index(classes).get_indexer(pd.Index(rows["label"]))
            result[int(fold)] = (truth, rows[probability_columns(classes)].to_numpy(float), rows["patient"].to_numpy())
    return result


def _models(parts: dict[int, list[Path]], classes: list[str]) -> list[dict[str, Any]]:
    """Calibration of each retrained model."""
    models = []
    for rank, tests in parts.items():
        for path in tests:
            fold = read_table(path)["fold"]
            if len(fold):
                found = read_calibration(RankPaths(path.parent).calibration, classes)
                models.append(
                    {"fold": int(fold.iloc[0]), "rank": rank, "temperature": found.temperature, "note": found.note}
                )
    return sorted(models, key=lambda model: (model["fold"], model["rank"]))
