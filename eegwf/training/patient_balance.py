"""Balance of the patients within a class: draws of an epoch, and weights of windows for a fit without epochs."""

import numpy as np

# Exponent of a patient's number of windows, to which the share of the patient in the draws of a class is proportional.
EXPONENTS = {"sqrt": 0.5, "equal": 0.0}


def draws_of_patients(
    patient: np.ndarray, count: int, patient_balance: str, rng: np.random.Generator
) -> dict[object, int]:
    """Distribute the draws of a class over its patients.

    Parameters
    ----------
    patient
        Patient of each window of the class, `(n_windows,)`.
    count
        Number of draws of the class.
    patient_balance
        `equal`: the same number for each patient; `sqrt`: proportional to the square root of the number of windows.
    rng
        Generator that decides how the shares are rounded.

    Returns
    -------
    dict
        Number of draws of each patient, with the sum `count`. Each is the share of the patient, rounded up or down;
        its expected value is the share.

    Notes
    -----
    Systematic rounding: the cumulative shares are shifted by one uniform number before they are rounded down.
    """
    names, sizes = np.unique(patient, return_counts=True)
    edges = np.concatenate([[0.0], np.cumsum(count * _shares(sizes, patient_balance))])
    edges[-1] = count  # without the rounding error of the sum
    draws = np.diff(np.floor(edges + rng.random())).astype(int)
    return dict(zip(names.tolist(), draws.tolist(), strict=True))


def window_weights(label: np.ndarray, patient: np.ndarray, patient_balance: str) -> np.ndarray | None:
    """Compute weights of windows that have the effect of balanced draws on average.

    Parameters
    ----------
    label, patient
        Class index and patient of each training window, `(n_windows,)`.
    patient_balance
        As in `draws_of_patients`; `none` for equal weights.

    Returns
    -------
    ndarray or None
        Weights `(n_windows,)` whose mean over the windows of each class is 1; None for equal weights.
    """
    if patient_balance == "none":
        return None
    weights = np.empty(len(label))
    for number in np.unique(label):
        rows = np.flatnonzero(label == number)
        _, position, sizes = np.unique(patient[rows], return_inverse=True, return_counts=True)
        weights[rows] = (len(rows) * _shares(sizes, patient_balance) / sizes)[position]
    return weights


def _shares(sizes: np.ndarray, patient_balance: str) -> np.ndarray:
    """Fraction of the draws of a class that each patient gets."""
    parts = sizes ** EXPONENTS[patient_balance]
    return parts / parts.sum()
