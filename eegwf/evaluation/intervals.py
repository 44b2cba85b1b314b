"""Confidence intervals of scores from resampled patients: jackknife, percentile bootstrap and BCa bootstrap.

`python -m bench.coverage` measures how often they contain the score of the population.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri, stdtrit

from eegwf.config.evaluation import Evaluation
from eegwf.evaluation.bootstrap import interval, leave_one_out, patient_draws

MIN_PATIENTS = 3  # there is no interval with fewer patients of a class that the score depends on
FEW_PATIENTS = 5  # below, the report states that the interval is uncertain
EQUAL = 1e-12  # leave-one-out scores that differ by rounding only


class Interval(NamedTuple):
    """Confidence interval of a score.

    Attributes
    ----------
    low, high
        Its bounds; None if there is no interval.
    undefined
        Number of resamples (leave-one-out samples or bootstrap replicates) in which the score is undefined.
    """

    low: float | None
    high: float | None
    undefined: int = 0


def jackknife_interval(
    value: float | None,
    left_out: np.ndarray,
    n_patients: Sequence[int],
    confidence: float,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """Compute the interval of Student's t on the logit scale with the standard error of the patient jackknife.

    Parameters
    ----------
    value
        Score of all patients; None if it is undefined.
    left_out
        Scores without each of the patients, `(n,)`; NaN where undefined.
    n_patients
        Numbers of patients who have each of the classes that the score depends on.
    confidence
        Confidence level, such as 0.95.
    bounds
        Smallest and largest possible score, which are mapped to 0 and 1.

    Returns
    -------
    Interval
        No bounds if the score is undefined with all patients or without one of them, if a class has fewer than
        `MIN_PATIENTS` patients, or if the score is the same without any patient and not one of the bounds.

    Notes
    -----
    The standard error of the score ``v`` is ``s² = (n - 1)/n sum(d_i²)``, where ``d_i`` are the deviations of the
    leave-one-out scores from their mean (Efron and Stein, 1981); that of its logit is ``s / (v (1 - v))``, by the delta
    method. The deviations of the logits themselves would be unbounded: without a patient who has all errors, the score
    is 1. The degrees of freedom are the smaller of `effective_degrees_of_freedom` and `design_degrees_of_freedom`:
    n - 1 is too many if few patients determine the variance.

    A score of 0 or 1 has no logit. The bound on the other side is that of Clopper and Pearson for m of m patients,
    where m is the smallest number in `n_patients`: 1 is observed only if all m patients have the score 1, which has a
    probability of at most ``score^m``.

    References
    ----------
    .. [1] Efron, B. and Stein, C. (1981). The jackknife estimate of variance. Annals of Statistics 9, 586-596.
    .. [2] Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in the case
       of the binomial. Biometrika 26, 404-413.
    """
    undefined = int(np.isnan(left_out).sum())
    if value is None or undefined or min(n_patients, default=0) < MIN_PATIENTS:
        return Interval(None, None, undefined)
    smallest, largest = bounds
    center = (value - smallest) / (largest - smallest)
    if min(center, 1 - center) < EQUAL:
        limit = ((1 - confidence) / 2) ** (1 / min(n_patients))
        low, high = (0.0, 1 - limit) if center < 0.5 else (limit, 1.0)
    else:
        n = len(left_out)
        scaled = (left_out - smallest) / (largest - smallest)
        deviations = scaled - scaled.mean()
        if np.abs(deviations).max() < EQUAL:
            return Interval(None, None)
        error = np.sqrt((n - 1) / n * (deviations**2).sum()) / (center * (1 - center))
        freedom = min(n - 1, effective_degrees_of_freedom(deviations), design_degrees_of_freedom(n_patients))
        reach = stdtrit(freedom, (1 + confidence) / 2) * error
        low, high = expit(logit(center) - reach), expit(logit(center) + reach)
    return Interval(float(smallest + low * (largest - smallest)), float(smallest + high * (largest - smallest)))


def effective_degrees_of_freedom(deviations: np.ndarray) -> float:
    """Estimate the degrees of freedom of a jackknife variance from the contributions of the patients.

    Parameters
    ----------
    deviations
        Deviations of the leave-one-out values from their mean, `(n,)`, not all 0.

    Returns
    -------
    float
        At least 1; small if few patients contribute most of the variance.

    Notes
    -----
    The approximation of Satterthwaite, ``sum(d_i²)² / sum(d_i⁴)``, times the correction ``3.16 - 2.77/sqrt(n)`` of
    Johnson and Rust for contributions that are estimated.

    References
    ----------
    .. [1] Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics
       Bulletin 2, 110-114.
    .. [2] Johnson, E. G. and Rust, K. F. (1992). Population inferences and variance estimation for NAEP data. Journal
       of Educational Statistics 17, 175-190.
    """
    squares = (deviations / np.abs(deviations).max()) ** 2
    return max(1.0, float((3.16 - 2.77 / np.sqrt(len(deviations))) * squares.sum() ** 2 / (squares**2).sum()))


def design_degrees_of_freedom(n_patients: Sequence[int]) -> float:
    """Compute the degrees of freedom that the numbers of patients allow.

    Parameters
    ----------
    n_patients
        Numbers of patients who have each of the classes, at least 2.

    Returns
    -------
    float
        Degrees of freedom of a mean over the classes, if patients vary equally in every class.

    Notes
    -----
    The approximation of Satterthwaite for a sum of variances that are proportional to ``1/m`` and have ``m - 1``
    degrees of freedom. It does not depend on the predictions: with four patients of a class, the observed variance of
    this class is often small by chance, and the observed contributions then suggest too many degrees of freedom.
    """
    counts = np.asarray(n_patients, dtype=float)
    return float((1 / counts).sum() ** 2 / (1 / (counts**2 * (counts - 1))).sum())


def percentile_interval(
    value: float | None, replicates: np.ndarray, n_patients: Sequence[int], confidence: float
) -> Interval:
    """Compute the percentile interval of bootstrap replicates.

    Parameters
    ----------
    value
        Score of all patients; None if it is undefined.
    replicates
        Scores of the replicates, `(n_replicates,)`; NaN where undefined. Undefined replicates are omitted.
    n_patients, confidence
        As in `jackknife_interval`.

    Returns
    -------
    Interval
        No bounds if the score or more than half of the replicates are undefined, or if a class has fewer than
        `MIN_PATIENTS` patients.

    References
    ----------
    .. [1] Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman and Hall, chapter 13.
    """
    low, high, undefined = interval(replicates, confidence)
    if value is None or min(n_patients, default=0) < MIN_PATIENTS:
        return Interval(None, None, undefined)
    return Interval(low, high, undefined)


def bca_interval(
    value: float | None, replicates: np.ndarray, left_out: np.ndarray, n_patients: Sequence[int], confidence: float
) -> Interval:
    """Compute the bias-corrected and accelerated interval of bootstrap replicates.

    Parameters
    ----------
    value, replicates
        As in `percentile_interval`.
    left_out
        Scores without each of the patients, `(n,)`; NaN where undefined.
    n_patients, confidence
        As in `jackknife_interval`.

    Returns
    -------
    Interval
        No bounds where `percentile_interval` has none, if the score is undefined without one of the patients or the
        same without any of them, or if all replicates are on one side of the score.

    References
    ----------
    .. [1] Efron, B. (1987). Better bootstrap confidence intervals. Journal of the American Statistical Association 82,
       171-185.
    """
    percentiles = percentile_interval(value, replicates, n_patients, confidence)
    defined = replicates[~np.isnan(replicates)]
    none = Interval(None, None, percentiles.undefined)
    if percentiles.low is None or np.isnan(left_out).any():
        return none
    deviations = left_out.mean() - left_out
    below = ((defined < value).sum() + (defined == value).sum() / 2) / len(defined)
    if np.abs(deviations).max() < EQUAL or not 0 < below < 1:
        return none
    acceleration = (deviations**3).sum() / (6 * (deviations**2).sum() ** 1.5)
    bias = ndtri(below)
    shifted = bias + ndtri([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(defined, ndtr(bias + shifted / (1 - acceleration * shifted)))
    return Interval(float(low), float(high), percentiles.undefined)


def patient_resamples(n_patients: int, settings: Evaluation, seed: int) -> dict[str, np.ndarray]:
    """Resample the patients as the configured intervals need it.

    Parameters
    ----------
    n_patients
        Number of patients.
    settings
        Section `evaluation` of the configuration.
    seed
        Seed of the bootstrap.

    Returns
    -------
    dict
        Weights of the patients, `(n_resamples, n_patients)`: `left_out`, each patient left out once, and `replicates`
        of the bootstrap if the intervals need them.
    """
    resamples = {"left_out": leave_one_out(n_patients)}
    if settings.interval != "jackknife":
        resamples["replicates"] = patient_draws(n_patients, settings.n_bootstrap, seed)
    return resamples


def score_interval(
    value: float | None,
    resampled: Mapping[str, np.ndarray],
    n_patients: Sequence[int],
    settings: Evaluation,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Interval:
    """Compute the configured interval of a score.

    Parameters
    ----------
    value
        Score of all patients; None if it is undefined.
    resampled
        Scores of each kind of resamples in `patient_resamples`; NaN where undefined.
    n_patients, bounds
        As in `jackknife_interval`.
    settings
        Section `evaluation` of the configuration.

    Returns
    -------
    Interval
    """
    if settings.interval == "jackknife":
        return jackknife_interval(value, resampled["left_out"], n_patients, settings.confidence, bounds)
    replicates = resampled["replicates"]
    if settings.interval == "bca":
        return bca_interval(value, replicates, resampled["left_out"], n_patients, settings.confidence)
    return percentile_interval(value, replicates, n_patients, settings.confidence)
