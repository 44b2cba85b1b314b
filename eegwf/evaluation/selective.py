"""Prediction with abstention: error of the windows whose largest probability is above a threshold.

The predicted class is that of the largest probability, and that probability is the confidence (Chow, 1970): to abstain
where it is low has the smallest error rate of all rules with the same coverage, if the probabilities are calibrated.

References
----------
Chow (1970), On optimum recognition error and reject tradeoff, IEEE Transactions on Information Theory 16. Geifman and
El-Yaniv (2017), Selective classification for deep neural networks, NeurIPS.
"""

from typing import Any

import numpy as np


def risk_coverage(truth: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Compute the risk-coverage curve.

    Parameters
    ----------
    truth
        Class numbers, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`.

    Returns
    -------
    ndarray
        Error rate of the 1, 2, ..., n windows of largest confidence, `(n_windows,)`. Windows of equal confidence are in
        random order: the value is the expected error rate. The mean is the area under the curve (AURC).
    """
    confidence, wrong = p.max(axis=1), truth != p.argmax(axis=1)
    _, group = np.unique(-confidence, return_inverse=True)
    counts, errors = np.bincount(group), np.bincount(group, weights=wrong)
    ends, total = np.cumsum(counts), np.cumsum(errors)
    kept = np.arange(1, len(truth) + 1)
    # The expected number of errors rises linearly among equal confidences.
    return np.interp(kept, np.append(0, ends), np.append(0, total)) / kept


def abstention_threshold(truth: np.ndarray, p: np.ndarray, target: float) -> float | None:
    """Find the smallest confidence at which the windows that are kept have at most a given error rate.

    Parameters
    ----------
    truth, p
        As in `risk_coverage`.
    target
        Largest error rate.

    Returns
    -------
    float or None
        Threshold; windows of this confidence or more are kept. None if no threshold reaches the error rate.
    """
    values, group = np.unique(-p.max(axis=1), return_inverse=True)
    errors = np.cumsum(np.bincount(group, weights=truth != p.argmax(axis=1), minlength=len(values)))
    kept = np.cumsum(np.bincount(group, minlength=len(values)))
    # Compared as products, because a quotient may be above its target by a rounding error.
    reached = np.flatnonzero(errors <= target * kept * (1 + 1e-12))
    return float(-values[reached[-1]]) if len(reached) else None


def abstention(
    test: dict[int, tuple[np.ndarray, np.ndarray]],
    validation: dict[int, tuple[np.ndarray, np.ndarray]],
    target: float,
    classes: list[str],
) -> dict[str, Any]:
    """Choose the threshold of each outer fold on its validation patients, and apply it to its test patients.

    Parameters
    ----------
    test, validation
        True classes and probabilities of the labeled windows of each outer fold. A fold without validation windows
        abstains from all its test windows.
    target
        Error rate that is not exceeded on the validation windows.
    classes
        Names of the classes.

    Returns
    -------
    dict
        `target`, and on the test windows `coverage` (fraction kept), `error` (of those; None if none is kept) and
        `class_coverage` (fraction kept of the windows of each class; None for a class without windows).
    """
    truths, kept, wrong = [], [], []
    for fold, (truth, p) in test.items():
        threshold = abstention_threshold(*validation[fold], target) if fold in validation else None
        truths.append(truth)
        wrong.append(truth != p.argmax(axis=1))
        kept.append(p.max(axis=1) >= (np.inf if threshold is None else threshold))
    truth, keep, error = (np.concatenate(parts) for parts in (truths, kept, wrong))
    return {
        "target": target,
        "coverage": float(keep.mean()),
        "error": float(error[keep].mean()) if keep.any() else None,
        "class_coverage": {
            name: float(keep[truth == number].mean()) if (truth == number).any() else None
            for number, name in enumerate(classes)
        },
    }
