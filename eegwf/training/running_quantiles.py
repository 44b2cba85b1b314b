"""Quantiles of the values seen so far, of many variables at once."""

from collections.abc import Sequence

import numpy as np

PART = 32
"""Values of each variable that are inserted before they are merged into the sorted ones. It decides the speed only."""


def quantile_of_sorted(values: np.ndarray, probability: float) -> np.ndarray:
    """Quantile along the last axis, interpolated linearly between order statistics (Hyndman and Fan 1996, type 7).

    Parameters
    ----------
    values
        Sorted values `(..., n)`, n at least 1.
    probability
        From 0 to 1.

    Returns
    -------
    ndarray
        Quantiles `(...)`, of the type of the values.
    """
    low, high, fraction = _neighbors(probability, values.shape[-1])
    return _between(values[..., low], values[..., high], fraction)


class RunningQuantiles:
    """Quantiles after each new value.

    They are order statistics of all values, so that their bits do not depend on how the values are divided among calls.

    Parameters
    ----------
    probabilities
        Probabilities of the quantiles.
    """

    def __init__(self, probabilities: Sequence[float]):
        self.probabilities = tuple(probabilities)
        self._sorted: np.ndarray | None = None

    def add(self, values: np.ndarray) -> np.ndarray:
        """Add values, and return the quantiles after each of them.

        Parameters
        ----------
        values
            float32 `(n, n_variables)`.

        Returns
        -------
        ndarray
            `(n_probabilities, n, n_variables)`, each entry of all values up to and including its own.
        """
        parts = [values[start : start + PART] for start in range(0, len(values), PART)]
        return np.concatenate([self._add(np.ascontiguousarray(part.T)) for part in parts], axis=1)

    def _add(self, new: np.ndarray) -> np.ndarray:
        """Add values `(n_variables, n)`."""
        known = self._sorted if self._sorted is not None else new[:, :0]
        result = np.stack([_after_each(known, new, probability) for probability in self.probabilities])
        # Stable sorting merges runs that are sorted already.
        self._sorted = np.sort(np.concatenate([known, np.sort(new, axis=1)], axis=1), axis=1, kind="stable")
        return result


def _after_each(known: np.ndarray, new: np.ndarray, probability: float) -> np.ndarray:
    """Quantiles `(n, n_variables)` of sorted values after each new value.

    The order statistics that are interpolated are at most n places from those of the sorted values, so that a new value
    is inserted into these alone.
    """
    n_known, n_new = known.shape[1], new.shape[1]
    first = max(0, _neighbors(probability, n_known + 1)[0] - n_new)
    last = min(n_known, _neighbors(probability, n_known + n_new)[1] + 1)
    part = known[:, first:last]
    result = np.empty(new.shape[::-1], dtype=new.dtype)
    limit = np.full((len(new), 1), np.inf, dtype=new.dtype)
    for number, value in enumerate(new.T[:, :, None], start=1):
        # Each value becomes the middle one of its left neighbor, itself and the new value.
        part = np.maximum(np.hstack([-limit, part]), np.minimum(np.hstack([part, limit]), value))
        low, high, fraction = _neighbors(probability, n_known + number)
        result[number - 1] = _between(part[:, low - first], part[:, high - first], fraction)
    return result


def _neighbors(probability: float, n: int) -> tuple[int, int, np.float32]:
    """Places of the order statistics around a quantile of n values, and its distance from the first of them."""
    place = probability * (n - 1)
    low = int(place)
    return low, min(low + 1, n - 1), np.float32(place - low)


def _between(low: np.ndarray, high: np.ndarray, fraction: np.float32) -> np.ndarray:
    return low + fraction * (high - low)
