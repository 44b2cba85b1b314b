"""Tests of paired differences, vectorized over pairs: over patients, over folds, and Holm's correction."""

import numpy as np
from scipy.special import stdtr

ROUNDING = 1e-12  # differences below it are rounding errors of sums of ratios of counts


def patient_error(correct: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the jackknife standard error, over patients, of differences of balanced accuracy.

    Parameters
    ----------
    correct
        Correctly classified windows of the first classifier minus those of the second, `(n_pairs, n_patients,
        n_classes)`.
    total
        Labeled windows, `(n_patients, n_classes)`.

    Returns
    -------
    tuple of ndarray
        Standard error and degrees of freedom of Student's t, `(n_pairs,)` each. Both are NaN if a class has windows of
        a single patient, whose omission would leave no recall.

    Notes
    -----
    With n patients, the degrees of freedom are n - 1, or fewer if a class has windows of a few patients only: the
    variances of the recalls, each with one degree of freedom less than its class has patients, are added as Welch and
    Satterthwaite do.

    References
    ----------
    Efron, B. and Tibshirani, R. J. (1993). An Introduction to the Bootstrap, chapter 11. Chapman & Hall.
    Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components. Biometrics Bulletin 2.
    """
    present = total.sum(0) > 0
    correct, total = correct[..., present], total[:, present]
    n_patients = len(total)
    per_class = (total > 0).sum(0)
    undefined = np.full(len(correct), np.nan)
    if not present.any() or (per_class < 2).any():
        return undefined, undefined.copy()
    sums, totals = correct.sum(1), total.sum(0)
    without = ((sums[:, None] - correct) / (totals - total)).mean(-1)
    without -= without.mean(1, keepdims=True)
    error = np.sqrt((n_patients - 1) / n_patients * (without**2).sum(1))
    residual = (correct - (sums / totals)[:, None] * total) / totals
    variance = (residual**2).sum(1) * per_class / (per_class - 1)
    squares = (variance**2 / (per_class - 1)).sum(1)
    df = np.divide(variance.sum(1) ** 2, squares, out=np.full(len(correct), np.inf), where=squares > 0)
    return error, np.minimum(df, n_patients - 1)


def fold_test(differences: np.ndarray, n_folds: int) -> np.ndarray:
    """Compute two-sided p-values of the corrected resampled t-test.

    Parameters
    ----------
    differences
        Difference of the scores in each fold, `(n_pairs, n)`.
    n_folds
        Number of folds K of the cross-validation, at least n.

    Returns
    -------
    ndarray
        p-values, `(n_pairs,)`; NaN with fewer than two folds.

    Notes
    -----
    Any two folds share most of their training patients, so their differences are correlated, and the variance of their
    mean is larger than s²/n. The corrected variance is `s² (1/n + n_test/n_train)` with `n_test/n_train = 1/(K - 1)`.
    It assumes the correlation `n_test/(n_test + n_train) = 1/K`; if the correlation is smaller, as with classifiers
    that hardly depend on the training patients, the test is conservative.

    References
    ----------
    Nadeau, C. and Bengio, Y. (2003). Inference for the generalization error. Machine Learning 52, 239-281.
    """
    n = differences.shape[1]
    if n < 2 or n_folds < 2:
        return np.full(len(differences), np.nan)
    error = np.sqrt(differences.var(axis=1, ddof=1) * (1 / n + 1 / (n_folds - 1)))
    units = np.full(len(differences), n)
    return p_value(differences.mean(1), error, units - 1, units)


def p_value(difference: np.ndarray, error: np.ndarray, df: np.ndarray, n_units: np.ndarray) -> np.ndarray:
    """Two-sided p-values of Student's t.

    Parameters
    ----------
    difference, error, df
        Differences, their standard errors and degrees of freedom, `(n_pairs,)`.
    n_units
        Number of patients or folds, `(n_pairs,)`.

    Returns
    -------
    ndarray
        p-values, `(n_pairs,)`. No difference has p = 1, also without variance. A difference that is the same in all
        units has the p-value of the sign test, `2^(1 - n_units)`, instead of 0.
    """
    zero = np.abs(difference) < ROUNDING
    constant = error < ROUNDING
    t = np.divide(np.abs(difference), error, out=np.zeros_like(error), where=~constant)
    p = np.where(constant, 2.0 ** (1 - n_units), 2 * stdtr(df, -t))
    return np.where(np.isnan(error), np.nan, np.where(zero, 1.0, p))


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values for multiple testing, so that the family-wise error rate holds under any dependence.

    Parameters
    ----------
    p
        p-values of any shape; NaN where undefined, which are no part of the family.

    Returns
    -------
    ndarray
        Adjusted p-values of the same shape.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
    65-70.
    """
    flat = np.ravel(p)
    tested = np.flatnonzero(~np.isnan(flat))
    order = tested[np.argsort(flat[tested], kind="stable")]
    adjusted = np.full(flat.shape, np.nan)
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * flat[order]), 1)
    return adjusted.reshape(np.shape(p))
