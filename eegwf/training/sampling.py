"""Which windows an epoch draws, and how the loss weighs them."""

import numpy as np

from eegwf.seeds import seed_of


def epoch_order(label: np.ndarray, balance: str, seed: int, epoch: int) -> np.ndarray:
    """Positions of the windows of one epoch, in order.

    Parameters
    ----------
    label
        Class index of each training window, `(n_windows,)`.
    balance
        `sampling`: every class equally often, `n_windows` draws in all, small classes repeated; `undersampling`:
        every class as often as the smallest; `weights` and `none`: every window once.
    seed, epoch
        They alone decide the order, so that a resumed training draws what it would have drawn.
    """
    rng = np.random.default_rng(seed_of(seed, "order", epoch))
    members = [np.flatnonzero(label == number) for number in np.unique(label)]
    if balance == "sampling":
        share = -(-len(label) // len(members))
        drawn = [
            np.concatenate([rng.permutation(rows) for _ in range(-(-share // len(rows)))])[:share] for rows in members
        ]
    elif balance == "undersampling":
        smallest = min(map(len, members))
        drawn = [rng.permutation(rows)[:smallest] for rows in members]
    else:
        drawn = members
    return rng.permutation(np.concatenate(drawn))


def epoch_size(label: np.ndarray, balance: str) -> int:
    """Windows that an epoch draws."""
    return len(epoch_order(label, balance, 0, 0))


def class_weights(label: np.ndarray, n_outputs: int, balance: str) -> np.ndarray | None:
    """Weights of the classes in the loss, `(n_outputs,)`, mean 1 over the windows; None unless `weights`."""
    if balance != "weights":
        return None
    counts = np.bincount(label, minlength=n_outputs)
    return (len(label) / (n_outputs * np.maximum(counts, 1))).astype(np.float32)
