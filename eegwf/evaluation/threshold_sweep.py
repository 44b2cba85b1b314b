"""Windows at many thresholds of the probability of a seizure, the same threshold for all folds.

The numbers describe the test folds. A threshold that is chosen on them is no result.
"""

from collections.abc import Iterable

import numpy as np

N_EVEN, N_QUANTILES, DIGITS = 51, 50, 4


def threshold_grid(p: np.ndarray, chosen: Iterable[float] = ()) -> list[float]:
    """Thresholds that show how the scores change: evenly spaced ones, quantiles of the probabilities, and given ones.

    Parameters
    ----------
    p
        Probability of a seizure in each window, `(n_windows,)`.
    chosen
        Thresholds to include as they are; infinite ones are omitted.

    Returns
    -------
    list of float
        In ascending order, from 0 to 1; those that are not given have four decimals.
    """
    # As many quantiles in the upper tail as in the rest: few windows are seizures, and a few more are false alarms.
    tail = 1 - np.geomspace(0.5, 1 / max(len(p), 4), N_QUANTILES // 2)
    quantiles = np.quantile(p, np.concatenate([np.linspace(0, 1, N_QUANTILES // 2), tail])) if len(p) else []
    rounded = np.round(np.concatenate([np.linspace(0, 1, N_EVEN), quantiles]), DIGITS)
    return sorted({*rounded.tolist(), *(float(value) for value in chosen if np.isfinite(value))})


def count_correct(
    positive: np.ndarray, p: np.ndarray, patient: np.ndarray, n_patients: int, threshold: float | np.ndarray
) -> np.ndarray:
    """Count the windows of each patient that a threshold assigns correctly.

    Parameters
    ----------
    positive
        Whether the label of a window is a seizure, `(n_windows,)`.
    p
        Probability of a seizure, `(n_windows,)`.
    patient
        Patient number of each window, `(n_windows,)`.
    n_patients
        Number of patients.
    threshold
        A window is positive if its probability is larger; one threshold, or one of each window.

    Returns
    -------
    ndarray of int64
        True positive and true negative windows of each patient, `(n_patients, 2)`.
    """
    above = p > threshold
    found = [np.bincount(patient[mask], minlength=n_patients) for mask in (above & positive, ~above & ~positive)]
    return np.stack(found, axis=1)
