"""Sampling of the windows of an epoch, and class weights of the loss."""

import numpy as np

from eegwf.seeds import seed_of


def epoch_order(label: np.ndarray, balance: str, seed: int, epoch: int) -> np.ndarray:
    """Draw the windows of an epoch.

    Parameters
    ----------
    label
        Class index of each training window, `(n_windows,)`.
    balance
        `sampling`: each class equally often, about `n_windows` draws in total, windows of small classes repeatedly;
        `undersampling`: each class as often as the smallest one; `weights` and `none`: each window once.
    seed, epoch
        Seed of the training, and number of the epoch from 0. Nothing else decides the order, so that a resumed
        training has the same order.

    Returns
    -------
    ndarray
        Positions in `label`, in the order of training.
    """
    rng = np.random.default_rng(seed_of(seed, "order", epoch))
    members = [np.flatnonzero(label == number) for number in np.unique(label)]
    if balance == "sampling":
        per_class = -(-len(label) // len(members))
        drawn = [
            np.concatenate([rng.permutation(rows) for _ in range(-(-per_class // len(rows)))])[:per_class]
            for rows in members
        ]
    elif balance == "undersampling":
        smallest = min(map(len, members))
        drawn = [rng.permutation(rows)[:smallest] for rows in members]
    else:
        drawn = members
    return rng.permutation(np.concatenate(drawn))


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
