"""Scores of probabilities: log loss, Brier score with its decomposition, calibration error, reliability curve.

References
----------
Murphy (1973), A new vector partition of the probability score, Journal of Applied Meteorology 12. Stephenson, Coelho
and Jolliffe (2008), Two extra components in the Brier score decomposition, Weather and Forecasting 23. Naeini, Cooper
and Hauskrecht (2015), Obtaining well calibrated probabilities using Bayesian binning, AAAI. Nixon et al. (2019),
Measuring calibration in deep learning, CVPR workshops.
"""

import numpy as np

from eegwf.evaluation.intervals import MIN_PATIENTS

EPSILON = np.finfo(float).eps  # probabilities are limited to it in the log loss, as in scikit-learn


def window_log_loss(truth: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Compute the log loss of each window in nats.

    Parameters
    ----------
    truth
        Class numbers, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`.

    Returns
    -------
    ndarray
        Minus the logarithm of the probability of the true class, `(n_windows,)`; its mean is the log loss.
    """
    return -np.log(np.clip(p[np.arange(len(truth)), truth], EPSILON, 1))


def window_brier(truth: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Compute the Brier score of each window, summed over the classes.

    Parameters
    ----------
    truth, p
        As in `window_log_loss`.

    Returns
    -------
    ndarray
        Sum of the squared differences between probability and outcome of every class, 0 to 2, `(n_windows,)`; its mean
        is the Brier score. With two classes it is twice the score that uses one of them.
    """
    return ((p - np.eye(p.shape[1])[truth]) ** 2).sum(axis=1)


def bin_numbers(p: np.ndarray, n_bins: int, equal_mass: bool) -> np.ndarray:
    """Assign probabilities to bins.

    Parameters
    ----------
    p
        Probabilities of a class, `(n_windows,)`.
    n_bins
        Number of bins.
    equal_mass
        Whether the edges are quantiles of `p` instead of equally spaced in 0 ... 1. Equal probabilities are in one bin,
        so that the numbers of windows may differ, and bins may be empty.

    Returns
    -------
    ndarray
        Bin of each window, from 0; an edge belongs to the bin below, as in scikit-learn's `calibration_curve`.
    """
    fractions = np.linspace(0, 1, n_bins + 1)
    edges = np.quantile(p, fractions) if equal_mass else fractions
    return np.searchsorted(edges[1:-1], p)


def calibration_error(outcome: np.ndarray, p: np.ndarray, n_bins: int, equal_mass: bool) -> float:
    """Compute the expected calibration error (ECE) of the probabilities of an outcome.

    Parameters
    ----------
    outcome
        Whether the outcome occurred, `(n_windows,)`.
    p
        Its probabilities, `(n_windows,)`.
    n_bins, equal_mass
        As in `bin_numbers`.

    Returns
    -------
    float
        Mean over the windows of the absolute difference, in the bin of the window, between the mean probability and the
        fraction of outcomes. It is biased upward in small samples, more so with more bins.
    """
    bins = bin_numbers(p, n_bins, equal_mass)
    excess = np.bincount(bins, weights=p - outcome, minlength=n_bins)
    return float(np.abs(excess).sum() / len(p))


def class_calibration_errors(truth: np.ndarray, p: np.ndarray, n_bins: int, equal_mass: bool) -> list[float]:
    """Compute the ECE of each class, one versus rest.

    Parameters
    ----------
    truth, p
        As in `window_log_loss`.
    n_bins, equal_mass
        As in `bin_numbers`.

    Returns
    -------
    list of float
        A value per class.
    """
    return [calibration_error(truth == c, p[:, c], n_bins, equal_mass) for c in range(p.shape[1])]


def top_label_error(truth: np.ndarray, p: np.ndarray, n_bins: int, equal_mass: bool) -> float:
    """Compute the ECE of the largest probability as the probability that its class is true.

    Parameters
    ----------
    truth, p
        As in `window_log_loss`.
    n_bins, equal_mass
        As in `bin_numbers`.

    Returns
    -------
    float
        The ECE as in most studies of networks.
    """
    return calibration_error(truth == p.argmax(axis=1), p.max(axis=1), n_bins, equal_mass)


def brier_decomposition(truth: np.ndarray, p: np.ndarray, n_bins: int) -> dict[str, float]:
    """Decompose the Brier score.

    Parameters
    ----------
    truth, p
        As in `window_log_loss`.
    n_bins
        Number of bins of equal mass, for each class.

    Returns
    -------
    dict
        `reliability` (smaller is better), `resolution` (larger is better), `uncertainty` (of the classes alone), and
        `within_bins`: the Brier score is `reliability - resolution + uncertainty + within_bins`, exactly. Each is the
        sum over the classes, one versus rest.

    Notes
    -----
    Murphy's three terms sum to the score only if all probabilities in a bin are equal. The remainder is the variance of
    the probabilities within the bins minus twice their covariance with the outcomes (Stephenson et al., 2008); it is
    negative if probabilities within a bin are informative.
    """
    terms = dict.fromkeys(("reliability", "resolution", "uncertainty", "within_bins"), 0.0)
    for c in range(p.shape[1]):
        outcome, bins = (truth == c).astype(float), bin_numbers(p[:, c], n_bins, equal_mass=True)
        counts = np.maximum(np.bincount(bins, minlength=n_bins), 1)
        mean_p = (np.bincount(bins, weights=p[:, c], minlength=n_bins) / counts)[bins]
        observed = (np.bincount(bins, weights=outcome, minlength=n_bins) / counts)[bins]
        base = outcome.mean()
        inner = p[:, c] - mean_p
        terms["reliability"] += float(np.mean((mean_p - observed) ** 2))
        terms["resolution"] += float(np.mean((observed - base) ** 2))
        terms["uncertainty"] += float(base * (1 - base))
        terms["within_bins"] += float(np.mean(inner**2 - 2 * inner * (outcome - observed)))
    return terms


def reliability_curve(
    outcome: np.ndarray, p: np.ndarray, patient: np.ndarray, draws: np.ndarray, n_bins: int, confidence: float
) -> list[dict[str, float | int | None]]:
    """Compute the reliability curve of the probabilities of an outcome, with a band from a bootstrap over patients.

    Parameters
    ----------
    outcome, p
        As in `calibration_error`.
    patient
        Patient number of each window, `(n_windows,)`.
    draws
        How often each patient is drawn in each replicate, `(n_replicates, n_patients)`.
    n_bins
        Number of bins of equal mass; those of the sample are used in all replicates.
    confidence
        Level of the band in each bin.

    Returns
    -------
    list of dict
        For each bin with windows `n_windows`, `n_patients`, `p` (mean probability), `observed` (fraction of outcomes),
        and `low` and `high` (percentiles of the replicates in which the bin has windows; None for windows of a single
        patient).
    """
    bins, curve = bin_numbers(p, n_bins, equal_mass=True), []
    for number in np.unique(bins):
        inside = bins == number
        counts = np.bincount(patient[inside], minlength=draws.shape[1]).astype(float)
        hits = np.bincount(patient[inside], weights=outcome[inside].astype(float), minlength=draws.shape[1])
        total = draws @ counts
        replicates = (draws @ hits)[total > 0] / total[total > 0]
        n_patients = int((counts > 0).sum())
        entry: dict[str, float | int | None] = {
            "n_windows": int(inside.sum()),
            "n_patients": n_patients,
            "p": float(p[inside].mean()),
            "observed": float(outcome[inside].mean()),
            "low": None,
            "high": None,
        }
        if n_patients >= MIN_PATIENTS:
            bounds = np.quantile(replicates, [(1 - confidence) / 2, (1 + confidence) / 2])
            entry |= {"low": float(bounds[0]), "high": float(bounds[1])}
        curve.append(entry)
    return curve
