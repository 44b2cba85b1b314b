"""Conformal prediction sets, calibrated over patients.

Windows of a patient are not exchangeable with those of another patient, so that the usual quantile over windows has too
small a coverage. Here the patients are exchangeable and the windows of a patient are exchangeable among themselves
(hierarchical conformal prediction): with K calibration patients, each has the weight 1/(K + 1), which its windows
share, and the remaining 1/(K + 1) is at an infinite score. The set of a window has all classes whose score is at most
the (1 - alpha) quantile of this distribution.

Guarantee: for a window drawn from a new patient, the probability that the set contains its class is at least 1 - alpha,
on average over new patients, calibration patients and windows. It does not hold for every patient, nor for every class.
It needs scores of patients that had no influence on the model. The validation patients of an outer fold selected its
epoch, its temperature and, in some modes, its hyperparameters, so that it is approximate here.

References
----------
Lee, Barber and Willett (2023), Distribution-free inference with hierarchical data, arXiv:2306.06342. Dunn, Wasserman
and Ramdas (2023), Distribution-free prediction sets for two-layer hierarchical models, Journal of the American
Statistical Association 118. Sadinle, Lei and Wasserman (2019), Least ambiguous set-valued classifiers with bounded
error levels, Journal of the American Statistical Association 114 (the score 1 - p).
"""

from typing import Any

import numpy as np
import pandas as pd


def patient_quantile(score: np.ndarray, patient: np.ndarray, alpha: float) -> float:
    """Compute the quantile of scores in which every patient has the same weight, with one more at infinity.

    Parameters
    ----------
    score
        Scores of the calibration windows, `(n_windows,)`.
    patient
        Patient of each window, `(n_windows,)`.
    alpha
        Level: 1 minus the coverage.

    Returns
    -------
    float
        The `1 - alpha` quantile; infinity if `alpha` is below `1 / (n_patients + 1)`.
    """
    if not len(score):
        return np.inf
    _, group, counts = np.unique(patient.astype(str), return_inverse=True, return_counts=True)
    order = np.argsort(score, kind="stable")
    weight = 1 / ((len(counts) + 1) * counts[group[order]])
    # The tolerance is for rounding errors of the sum: 9 of 10 patients reach 0.9.
    reached = np.flatnonzero(np.cumsum(weight) >= 1 - alpha - 1e-9)
    return float(score[order[reached[0]]]) if len(reached) else np.inf


def true_class_scores(truth: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Compute the scores of the true classes.

    Parameters
    ----------
    truth
        Class numbers, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`.

    Returns
    -------
    ndarray
        1 minus the probability of the true class, `(n_windows,)`.
    """
    return 1 - p[np.arange(len(truth)), truth]


def prediction_sets(p: np.ndarray, threshold: float) -> np.ndarray:
    """Make the prediction sets of windows.

    Parameters
    ----------
    p
        Probabilities, `(n_windows, n_classes)`.
    threshold
        Largest score of a class in the set.

    Returns
    -------
    ndarray
        Whether a class is in the set, `(n_windows, n_classes)`. The class of largest probability always is, so that no
        set is empty; this can only raise the coverage.
    """
    sets = 1 - p <= threshold
    sets[np.arange(len(p)), p.argmax(axis=1)] = True
    return sets


def conformal(
    test: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]],
    validation: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]],
    alpha: float,
    classes: list[str],
) -> dict[str, Any]:
    """Calibrate prediction sets on the validation patients of each outer fold, and examine them on its test patients.

    Parameters
    ----------
    test, validation
        True classes, probabilities and patients of the labeled windows of each outer fold. A fold without validation
        windows has sets of all classes.
    alpha
        Level: 1 minus the coverage.
    classes
        Names of the classes.

    Returns
    -------
    dict
        `alpha`; `folds`: for each outer fold `fold`, `n_patients` (for calibration), `smallest_alpha` (smallest level
        at which so few patients give sets other than all classes) and `threshold` (None: all classes); `coverage` and
        `mean_size` over the windows, `one_class` and `all_classes` (fractions of the windows), `class_coverage`,
        `patients` (`mean`, `min` and `median` of their coverage, and `below`, the fraction of patients below
        `1 - alpha`), and `per_patient` with `patient`, `fold`, `n_windows`, `coverage` and `mean_size`.
    """
    folds, tables = [], []
    for fold, (truth, p, patient) in sorted(test.items()):
        n_patients, threshold = 0, np.inf
        if fold in validation:
            true, q, calibrated = validation[fold]
            n_patients = len(set(calibrated))
            threshold = patient_quantile(true_class_scores(true, q), calibrated, alpha)
        folds.append(
            {
                "fold": int(fold),
                "n_patients": n_patients,
                "smallest_alpha": 1 / (n_patients + 1),
                "threshold": threshold if np.isfinite(threshold) else None,
            }
        )
        sets = prediction_sets(p, threshold)
        covered, size = sets[np.arange(len(truth)), truth], sets.sum(axis=1)
        columns = {"patient": patient, "fold": fold, "truth": truth, "covered": covered.astype(float), "size": size}
        tables.append(pd.DataFrame(columns))
    table = pd.concat(tables, ignore_index=True)
    by_patient = table.groupby("patient", sort=True)
    per_patient = by_patient.agg(
        fold=("fold", "first"), n_windows=("size", "size"), coverage=("covered", "mean"), mean_size=("size", "mean")
    )
    coverage = per_patient["coverage"]
    by_class = table.groupby("truth")["covered"].mean()
    return {
        "alpha": alpha,
        "folds": folds,
        "coverage": float(table["covered"].mean()),
        "mean_size": float(table["size"].mean()),
        "one_class": float((table["size"] == 1).mean()),
        "all_classes": float((table["size"] == len(classes)).mean()),
        "class_coverage": {
            name: float(by_class[number]) if number in by_class.index else None for number, name in enumerate(classes)
        },
        "patients": {
            "mean": float(coverage.mean()),
            "min": float(coverage.min()),
            "median": float(coverage.median()),
            "below": float((coverage < 1 - alpha - 1e-9).mean()),
        },
        "per_patient": [
            {
                "patient": row["patient"],
                "fold": int(row["fold"]),
                "n_windows": int(row["n_windows"]),
                "coverage": float(row["coverage"]),
                "mean_size": float(row["mean_size"]),
            }
            for row in per_patient.reset_index().to_dict("records")
        ],
    }
