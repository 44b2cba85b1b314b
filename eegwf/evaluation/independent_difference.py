"""Difference of a score between two independent groups of patients, with its interval."""

import numpy as np

from eegwf.evaluation.bootstrap import interval
from eegwf.evaluation.intervals import EQUAL, MIN_PATIENTS


def independent_difference(
    first: float | None,
    second: float | None,
    first_replicates: np.ndarray,
    second_replicates: np.ndarray,
    n_patients: int,
    confidence: float,
) -> dict[str, float | None]:
    """Compute the difference of two scores of independent patients, and its percentile interval.

    Parameters
    ----------
    first, second
        The scores; None if undefined.
    first_replicates, second_replicates
        Their bootstrap replicates, `(n_replicates,)` each, drawn with different seeds; NaN where undefined.
    n_patients
        The smallest number of patients that one of the scores depends on.
    confidence
        Level of the interval.

    Returns
    -------
    dict
        `value`, first minus second, `low` and `high`; None where undefined, and for the bounds with fewer than
        `MIN_PATIENTS` patients, if more than half of the differences are undefined, or if all replicates of a score are
        equal.

    Notes
    -----
    The two groups have no patient in common, so that each is resampled by itself, and a replicate of the difference is
    that of two independent replicates. A score of 1 (or 0) of all patients has the same value in each replicate, from
    which the bootstrap would conclude that it is exact.
    """
    if first is None or second is None:
        return {"value": None, "low": None, "high": None}
    low, high, _ = interval(first_replicates - second_replicates, confidence)
    if n_patients < MIN_PATIENTS or _is_constant(first_replicates) or _is_constant(second_replicates):
        low = high = None
    return {"value": first - second, "low": low, "high": high}


def _is_constant(replicates: np.ndarray) -> bool:
    defined = replicates[~np.isnan(replicates)]
    return not len(defined) or float(np.ptp(defined)) < EQUAL
