"""Tests of the differences of balanced accuracy between classifiers that were tested on the same windows.

Two tests of two hypotheses. The test over patients asks whether the trained classifiers differ on further patients of
the same kind; it doesn't include the variation of training. The test over folds asks whether the procedures that
trained them differ, when they are repeated with other training patients; its power is small, because a study has few
folds. Neither replaces the other.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from eegwf.evaluation.paired_tests import fold_test, p_value, patient_error

CELLS = 2_000_000  # numbers in memory at once for a block of pairs: a few arrays of 16 MB each


@dataclass(frozen=True)
class Counts:
    """Correctly classified windows of several classifiers, by patient and class.

    Attributes
    ----------
    correct
        Windows that each classifier has classified correctly, `(n_classifiers, n_patients, n_classes)`.
    total
        Labeled windows, the same for all classifiers, `(n_patients, n_classes)`.
    fold
        Test fold of each patient, `(n_patients,)`.
    n_folds
        Number of outer folds of the study, of which some may have no labeled window.
    """

    correct: np.ndarray
    total: np.ndarray
    fold: np.ndarray
    n_folds: int


@dataclass(frozen=True)
class Comparison:
    """Differences of pairs of classifiers, first minus second, and their tests; every attribute is `(n_pairs,)`.

    Attributes
    ----------
    difference
        Difference of the balanced accuracies of all windows.
    fold_difference
        Mean difference of the balanced accuracies of the folds, which the test over folds tests; NaN without folds.
    low, high
        Confidence interval of the difference, from the test over patients; NaN where the test is undefined.
    bootstrap_low, bootstrap_high
        Percentile interval of the paired patient bootstrap; NaN without replicates.
    p_patients, p_folds
        Two-sided p-values of the test over patients and of the test over folds; NaN where undefined.
    folds
        Number of folds in the test over folds: those with windows of every class.
    """

    difference: np.ndarray
    fold_difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bootstrap_low: np.ndarray
    bootstrap_high: np.ndarray
    p_patients: np.ndarray
    p_folds: np.ndarray
    folds: np.ndarray


def count_windows(classes: np.ndarray, patient: np.ndarray, n_patients: int, n_classes: int) -> np.ndarray:
    """Count windows by patient and class.

    Parameters
    ----------
    classes
        Class number of each window, `(n_windows,)`.
    patient
        Patient number of each window, `(n_windows,)`.
    n_patients, n_classes
        Numbers of patients and classes.

    Returns
    -------
    ndarray of float
        Number of windows, `(n_patients, n_classes)`.
    """
    cells = np.bincount(patient * n_classes + classes, minlength=n_patients * n_classes)
    return cells.reshape(n_patients, n_classes).astype(float)


def all_pairs(n: int) -> np.ndarray:
    """Pairs of numbers below `n`, the smaller first, `(n (n - 1) / 2, 2)`."""
    return np.column_stack(np.triu_indices(n, 1))


def compare(counts: Counts, pairs: np.ndarray, draws: np.ndarray | None = None, confidence: float = 0.95) -> Comparison:
    """Test the differences of balanced accuracy of pairs of classifiers.

    Parameters
    ----------
    counts
        Correctly classified windows.
    pairs
        Numbers of the classifiers of each pair, `(n_pairs, 2)`.
    draws
        How often each patient is drawn in each replicate of the bootstrap, `(n_replicates, n_patients)`, from
        `bootstrap.patient_draws`; None for no bootstrap.
    confidence
        Level of the intervals.

    Returns
    -------
    Comparison
        Differences and tests.

    Notes
    -----
    Balanced accuracy is the mean recall over the classes that have windows, and all differences are paired: both
    classifiers are evaluated on the same patients, replicates and folds.

    Test over patients (`patient_error`): the patients are left out one at a time, and the jackknife standard error is
    compared with Student's t. The percentile interval of the bootstrap over patients has the same purpose, but excludes
    the true difference too often if there are few patients (`python -m bench.levels` measures it), and its p-values,
    multiples of 1/`n_replicates`, are too coarse for a correction over many pairs. It is computed for comparison with
    the intervals of the scores.

    Test over folds (`fold_test`): the corrected resampled t-test of the differences by fold. Folds that lack a class
    are left out, since a balanced accuracy over other classes is another quantity.
    """
    n_pairs = len(pairs)
    scores = recalls(counts.correct.sum(1), counts.total.sum(0)).mean(-1)
    by_fold = fold_scores(counts)
    step = max(1, CELLS // max(counts.total.size, 1 if draws is None else len(draws)))
    replicates = None if draws is None else replicate_scores(counts, draws)
    values = np.full((7, n_pairs), np.nan)
    for start in range(0, n_pairs, step):
        first, second = pairs[start : start + step].T
        block = slice(start, start + len(first))
        difference = scores[first] - scores[second]
        error, df = patient_error(counts.correct[first] - counts.correct[second], counts.total)
        reach = stdtrit(df, (1 + confidence) / 2) * error
        values[0, block], values[1, block] = difference - reach, difference + reach
        n_units = np.full(len(first), len(counts.total))
        values[2, block] = p_value(difference, error, df, n_units)
        if by_fold.shape[1]:
            values[3, block] = fold_test(by_fold[first] - by_fold[second], counts.n_folds)
            values[4, block] = (by_fold[first] - by_fold[second]).mean(axis=1)
        if replicates is not None:
            levels = [(1 - confidence) / 2, (1 + confidence) / 2]
            values[5:, block] = _percentiles(replicates[first] - replicates[second], levels)
    low, high, p_patients, p_folds, fold_difference, bootstrap_low, bootstrap_high = values
    difference = scores[pairs[:, 0]] - scores[pairs[:, 1]]
    folds = np.full(n_pairs, by_fold.shape[1])
    intervals = (low, high, bootstrap_low, bootstrap_high)
    return Comparison(difference, fold_difference, *intervals, p_patients, p_folds, folds)


def recalls(correct: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Recall of the classes that have windows.

    Parameters
    ----------
    correct
        Correctly classified windows, `(..., n_classes)`.
    total
        Windows, `(n_classes,)`.

    Returns
    -------
    ndarray
        Recalls, `(..., n_present)`.
    """
    present = total > 0
    return correct[..., present] / total[present]


def fold_scores(counts: Counts) -> np.ndarray:
    """Balanced accuracy of each classifier in each fold that has windows of every class, `(n_classifiers, n_kept)`."""
    classes = counts.total.sum(0) > 0
    scores = []
    for fold in np.unique(counts.fold):
        rows = counts.fold == fold
        total = counts.total[rows].sum(0)
        if (total[classes] > 0).all():
            scores.append(recalls(counts.correct[:, rows].sum(1), total).mean(-1))
    return np.stack(scores, axis=-1) if scores else np.empty((len(counts.correct), 0))


def replicate_scores(counts: Counts, draws: np.ndarray) -> np.ndarray:
    """Balanced accuracy of each classifier in each replicate of the patient bootstrap.

    Parameters
    ----------
    counts
        Correctly classified windows.
    draws
        How often each patient is drawn in each replicate, `(n_replicates, n_patients)`.

    Returns
    -------
    ndarray
        Scores, `(n_classifiers, n_replicates)`, over the classes that the drawn patients have.
    """
    total = draws @ counts.total
    recall = np.divide(
        draws @ counts.correct, total, out=np.zeros((len(counts.correct), *total.shape)), where=total > 0
    )
    return recall.sum(-1) / (total > 0).sum(-1)


def _percentiles(values: np.ndarray, levels: list[float]) -> np.ndarray:
    """Quantiles of each row, interpolated linearly: `(n_levels, n_rows)`; partition is quicker than sorting."""
    positions = np.asarray(levels) * (values.shape[1] - 1)
    below = np.floor(positions).astype(int)
    above = np.minimum(below + 1, values.shape[1] - 1)
    ordered = np.partition(values, np.unique([below, above]), axis=1)
    low, high = ordered[:, below], ordered[:, above]
    return (low + (high - low) * (positions - below)).T
