"""Difference of a score between two independent groups of patients, with its interval."""

import numpy as np

from eegwf.evaluation.bootstrap import interval
from eegwf.evaluation.intervals import MIN_PATIENTS


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
        `MIN_PATIENTS` patients or if more than half of the differences are undefined.

    Notes
    -----
    The two groups have no patient in common, so that each is resampled by itself, and a replicate of the difference is
    that of two independent replicates.
    """
    if first is None or second is None:
        return {"value": None, "low": None, "high": None}
    low, high, _ = interval(first_replicates - second_replicates, confidence)
    if n_patients < MIN_PATIENTS:
        low = high = None
    return {"value": first - second, "low": low, "high": high}
