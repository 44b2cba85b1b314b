"""Mean of differences between validation values and test scores, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from eegwf.report.formats import defined


@dataclass(frozen=True)
class Difference:
    """A validation value minus a test score.

    Attributes
    ----------
    folds
        Folds of the tested patients.
    tuned, tested
        Validation value and test score.
    ratio
        Number of test folds divided by the number of training folds.
    """

    folds: tuple[int, ...]
    tuned: float
    tested: float
    ratio: float


@dataclass(frozen=True)
class Optimism:
    """Mean selection optimism.

    Attributes
    ----------
    value
        The mean; None if it is undefined.
    low, high
        Bounds of its confidence interval; None if there is none.
    reason
        Why there is no interval; empty otherwise.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


def mean_optimism(differences: Sequence[Difference], confidence: float) -> Optimism:
    """Compute the mean optimism with the interval of Student's t.

    Parameters
    ----------
    differences
        Differences of the outer folds that tuning has not used.
    confidence
        Confidence level of the interval.

    Returns
    -------
    Optimism
        Mean and interval.

    Notes
    -----
    Differences of the same patients are no independent observations: with several inner folds, a fold validates the
    trials of several outer folds, and a validation set without a class is joined with the next fold. Differences whose
    patients overlap, directly or through others, are therefore one unit. The interval is Student's t over the units,
    whose means are weighted by their number of differences.

    Two units share most of their training patients, so they are correlated. The variance of the mean of n units is
    multiplied by `1 + n n_test/n_train`, the correction of Nadeau and Bengio. Here `n_test/n_train` is `1/(K - 2)` in K
    folds: a trial is trained on K - 2 folds, as is the classifier that is tested on the same patients. It is
    `1/(K - 1)` if the differences are not paired. The correction was derived for random splits and is an approximation
    for cross-validation.

    References
    ----------
    Nadeau, C. and Bengio, Y. (2003). Inference for the generalization error. Machine Learning 52, 239-281.
    """
    if not differences:
        return Optimism(None)
    values = np.array([one.tuned - one.tested for one in differences])
    center = float(values.mean())
    unit = _units([one.folds for one in differences])
    n = len(set(unit))
    if n < 2:
        reason = "only one fold" if len(differences) == 1 else "all validation sets share patients"
        return Optimism(center, reason=reason)
    sums = np.array([(values[np.equal(unit, one)] - center).sum() for one in sorted(set(unit))])
    variance = n / (n - 1) * float(((sums / len(values)) ** 2).sum())
    error = np.sqrt(variance * (1 + n * np.mean([one.ratio for one in differences])))
    reach = float(stdtrit(n - 1, (1 + confidence) / 2) * error)
    return Optimism(center, center - reach, center + reach)


def _units(sets: list[tuple[int, ...]]) -> list[int]:
    """Number of the unit of each set: sets that have a fold in common, directly or through others, have the same."""
    units: list[set[int]] = []
    for folds in sets:
        joined = [unit for unit in units if unit & set(folds)]
        units = [unit for unit in units if unit not in joined] + [set(folds).union(*joined)]
    return [next(number for number, unit in enumerate(units) if folds[0] in unit) for folds in sets]


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of the defined values; None if there is none."""
    kept = [value for value in values if defined(value)]
    return float(np.mean(kept)) if kept else None
