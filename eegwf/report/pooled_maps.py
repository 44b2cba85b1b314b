"""Mean attribution maps, pooled over the folds."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import rankdata

from eegwf.attribution.bands import BANDS
from eegwf.report.map_files import OUTCOMES, Maps
from eegwf.spectrograms.names import POWER_SPECTROGRAMS, SPECTROGRAMS

# Relative; maps of examples are stored in half precision.
EQUAL = 2e-3


@dataclass(frozen=True)
class Part:
    """A spectrogram of the input and its channels.

    Attributes
    ----------
    spectrogram
        Name of the spectrogram; `raw` is the time series.
    channels
        Indices of its channels in the maps.
    ch_names
        Names of the channels.
    freqs, times
        Frequencies in Hz (one of 0 for the time series) and times in s from the onset of the window.
    """

    spectrogram: str
    channels: slice
    ch_names: list[str]
    freqs: list[float]
    times: list[float]

    @property
    def is_correlation(self) -> bool:
        """Whether it is an autocorrelation, which has a sign, and whose rows are repetition rates."""
        return self.spectrogram in SPECTROGRAMS and self.spectrogram not in POWER_SPECTROGRAMS

    @property
    def row_name(self) -> str:
        """What its rows are, in Hz."""
        return "repetition rate" if self.is_correlation else "frequency"


@dataclass(frozen=True)
class PooledMaps:
    """Means over the folds, with the number of windows as weight.

    Attributes
    ----------
    about
        `maps.json` of the first fold.
    parts
        The spectrograms of the input.
    means, inputs
        Maps `(n_methods, n_classes, 2, n_chans, n_freqs)` and inputs `(n_classes, 2, n_chans, n_freqs)`; NaN without
        windows.
    n_windows
        Number of windows of each class, correctly and wrongly answered, `(n_classes, 2)`.
    """

    about: dict[str, Any]
    parts: list[Part]
    means: np.ndarray
    inputs: np.ndarray
    n_windows: np.ndarray

    def panels(self) -> list[tuple[int, int]]:
        """Index of class and outcome of the means with windows."""
        return [(int(label), int(outcome)) for label, outcome in np.argwhere(self.n_windows > 0)]

    def label(self, panel: tuple[int, int]) -> str:
        """Class and outcome of a mean, such as `seizure, wrong`."""
        return f"{self.about['classes'][panel[0]]}, {OUTCOMES[panel[1]]}"


def pool(folds: list[Maps]) -> PooledMaps:
    """Average the maps of at least one fold."""
    about = folds[0].about
    counts = np.array([_n_windows(maps) for maps in folds], dtype=float)
    return PooledMaps(
        about,
        parts_of(about),
        _weighted([_scaled(maps.means) for maps in folds], counts[:, None]),
        _weighted([maps.mean_inputs for maps in folds], counts),
        counts.sum(axis=0).astype(int),
    )


def parts_of(about: dict[str, Any]) -> list[Part]:
    """Spectrograms of the input in the description of the maps."""
    parts, first = [], 0
    for array in about["arrays"]:
        last = first + len(array["ch_names"])
        freqs = array.get("freqs") or [0.0]
        parts.append(Part(array["spectrogram"], slice(first, last), array["ch_names"], freqs, array["times"]))
        first = last
    return parts


def _n_windows(maps: Maps) -> list[list[int]]:
    table = maps.windows
    return [
        [int(((table["label"] == label) & (table["outcome"] == outcome)).sum()) for outcome in OUTCOMES]
        for label in maps.about["classes"]
    ]


def _scaled(means: np.ndarray) -> np.ndarray:
    """Maps of a fold with a mean magnitude of 1 for each method, so that no fold's model dominates the mean."""
    magnitude = np.nanmean(np.abs(means), axis=(1, 2, 3, 4), keepdims=True) if means.size else np.ones(1)
    return means / np.where(magnitude > 0, magnitude, 1)


def _weighted(values: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Weighted mean over the folds, NaN without windows; weights `(n_folds, ..., n_classes, 2)`."""
    total = np.zeros(values[0].shape)
    for fold, weight in zip(values, weights, strict=True):
        spread = weight[..., None, None]
        total += np.where(spread > 0, fold, 0) * spread
    weight_sum = weights.sum(axis=0)[..., None, None]
    return np.divide(total, weight_sum, out=np.full(total.shape, np.nan), where=weight_sum > 0)


def varies(values: np.ndarray, axis: int) -> bool:
    """Whether maps vary along an axis.

    Parameters
    ----------
    values
        The maps; NaN is ignored.
    axis
        The axis.

    Returns
    -------
    bool
        False if the differences along the axis can't be told from rounding in half precision.
    """
    finite = np.nan_to_num(values)
    return bool(np.ptp(finite, axis=axis).max(initial=0) > EQUAL * np.abs(finite).max(initial=0))


def band_means(values: np.ndarray, freqs: list[float], names: list[str]) -> np.ndarray:
    """Average maps over the frequencies of each clinical band.

    Parameters
    ----------
    values
        Maps `(..., n_freqs)`.
    freqs
        Frequencies in Hz.
    names
        Names of the bands, in ascending frequency. A frequency of another band belongs to the next lower one of them.

    Returns
    -------
    ndarray
        Means `(..., n_bands)`; NaN for a band without frequency.
    """
    order = list(BANDS)
    band = np.searchsorted([high for _, high in BANDS.values()], freqs, side="right")
    kept = [order.index(name) for name in names]
    number = np.maximum(np.searchsorted(kept, band, side="right") - 1, 0)
    means = [
        values[..., number == index].mean(axis=-1) if (number == index).any() else None for index in range(len(kept))
    ]
    return np.stack([np.full(values.shape[:-1], np.nan) if mean is None else mean for mean in means], axis=-1)


def fold_agreement(folds: list[Maps]) -> dict[str, float]:
    """Mean rank correlation of the mean maps of correctly answered windows between folds, of the same class.

    Parameters
    ----------
    folds
        Maps of the folds.

    Returns
    -------
    dict
        The mean over the classes and pairs of folds by method; NaN with less than two folds, and for maps that do not
        vary.
    """
    result = {}
    for number, method in enumerate(folds[0].about["methods"]):
        found = []
        for first, second in combinations([maps.means[number, :, 0] for maps in folds], 2):
            found += [_rank_correlation(*pair) for pair in zip(first, second, strict=True)]
        defined = [value for value in found if np.isfinite(value)]
        result[method] = float(np.mean(defined)) if defined else float("nan")
    return result


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman correlation of two maps; NaN if one is not defined or does not vary."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()) or not np.ptp(first) or not np.ptp(second):
        return float("nan")
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])
