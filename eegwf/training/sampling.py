"""Sampling of the windows of an epoch, and class weights of the loss."""

import numpy as np

from eegwf.seeds import seed_of
from eegwf.training.patient_balance import draws_of_patients


def epoch_order(
    label: np.ndarray,
    balance: str,
    seed: int,
    epoch: int,
    patient: np.ndarray | None = None,
    patient_balance: str = "none",
) -> np.ndarray:
    """Draw the windows of an epoch.

    Parameters
    ----------
    label
        Class index of each training window, `(n_windows,)`.
    balance
        `sampling`: each class equally often, about `n_windows` draws in total, windows of small classes repeatedly;
        `undersampling`: each class as often as the smallest one; `weights` and `none`: each class as often as it has
        windows, without `patient_balance` each window once.
    seed, epoch
        Seed of the training, and number of the epoch from 0. Nothing else decides the order, so that a resumed
        training has the same order.
    patient
        Patient of each training window, `(n_windows,)`; unused if `patient_balance` is `none`.
    patient_balance
        How the draws of a class are distributed over its patients, see
        `eegwf.training.patient_balance.draws_of_patients`; `none`: they are not. The number of draws of a class does
        not depend on it.

    Returns
    -------
    ndarray
        Positions in `label`, in the order of training. A window is repeated only after all others of its class, and
        with `patient_balance` of its patient and class, were drawn.
    """
    rng = np.random.default_rng(seed_of(seed, "order", epoch))
    members = [np.flatnonzero(label == number) for number in np.unique(label)]
    counts = _draws_of_classes(list(map(len, members)), balance)
    if patient_balance != "none":
        assert patient is not None
        drawn = [
            _draw(rng, rows[patient[rows] == name], n_draws)
            for rows, count in zip(members, counts, strict=True)
            for name, n_draws in draws_of_patients(patient[rows], count, patient_balance, rng).items()
        ]
    elif balance in ("sampling", "undersampling"):
        drawn = [_draw(rng, rows, count) for rows, count in zip(members, counts, strict=True)]
    else:
        drawn = members
    return rng.permutation(np.concatenate(drawn))


def _draws_of_classes(sizes: list[int], balance: str) -> list[int]:
    """Number of draws of each class, from its number of windows."""
    if balance == "sampling":
        return [-(-sum(sizes) // len(sizes))] * len(sizes)
    return [min(sizes)] * len(sizes) if balance == "undersampling" else sizes


def _draw(rng: np.random.Generator, rows: np.ndarray, count: int) -> np.ndarray:
    """Draw rows without repetition until all were drawn, and again as often as necessary."""
    return np.concatenate([rows[:0], *(rng.permutation(rows) for _ in range(-(-count // len(rows))))])[:count]


def epoch_size(label: np.ndarray, balance: str) -> int:
    """Number of windows of an epoch.

    Parameters
    ----------
    label
        Class index of each training window, `(n_windows,)`.
    balance
        As in `epoch_order`.

    Returns
    -------
    int
        Length of the order of an epoch.
    """
    return len(epoch_order(label, balance, 0, 0))


def class_weights(label: np.ndarray, n_outputs: int, balance: str) -> np.ndarray | None:
    """Compute the weights of the classes in the loss.

    Parameters
    ----------
    label
        Class index of each training window, `(n_windows,)`.
    n_outputs
        Number of classes.
    balance
        As in `epoch_order`.

    Returns
    -------
    ndarray or None
        Float32 weights `(n_outputs,)` whose mean over the windows is 1; None unless `balance` is `weights`.
    """
    if balance != "weights":
        return None
    counts = np.bincount(label, minlength=n_outputs)
    return (len(label) / (n_outputs * np.maximum(counts, 1))).astype(np.float32)
