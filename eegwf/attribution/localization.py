"""Localization: agreement of a map with the true region of a seizure.

All measures are computed from the positive part of a map. A map without a positive value counts as an even spread, so
that a method gains nothing from maps that say nothing: its AUROC is 0.5 and its relevance mass 1.
"""

from collections.abc import Iterator

import numpy as np
from scipy.stats import rankdata

from eegwf.attribution.truth import Region

MEASURES = ("auroc_channels", "auroc_seconds", "auroc_freqs", "pointing", "mass", "mass_share")


def localization(maps: np.ndarray, region: Region) -> dict[str, float]:
    """Measure how well a map agrees with the true region of a seizure.

    Parameters
    ----------
    maps
        Map of a window, `(n_chans, n_freqs, n_frames)`.
    region
        True region of the seizure in the window.

    Returns
    -------
    dict
        For each of `MEASURES` that is defined, its value:

        - `auroc_channels`: AUROC of the sum over each channel, for reached against other channels;
        - `auroc_seconds`: of the mean over each second, where a second is in the seizure if half of its frames are;
        - `auroc_freqs`: of the sum over each frequency, for frequencies on the track against others; with stacked
          spectrograms the mean over them, since their values may differ in scale;
        - `pointing`: 1 if the bin with the highest value is in the region, 0 if not; of several such bins, the share
          that is in the region;
        - `mass_share`: share of the sum over all bins that is in the region;
        - `mass`: this share divided by the region's share of the bins; 1 for an even spread.

        An AUROC is undefined if all or none of its channels, seconds or frequencies are in the region; the other
        measures if all or none of the bins are.
    """
    positive = np.maximum(np.asarray(maps, dtype=float), 0.0)
    if not positive.any():
        positive = np.ones_like(positive)
    share, relative = relevance_mass(positive, region.mask)
    values = {
        "auroc_channels": auroc(positive.sum(axis=(1, 2)), region.channels),
        "auroc_seconds": auroc(*_by_second(positive, region)),
        "auroc_freqs": _auroc_freqs(positive, region),
        "pointing": pointing(positive, region.mask),
        "mass": relative,
        "mass_share": share,
    }
    return {name: float(value) for name, value in values.items() if not np.isnan(value)}


def auroc(values: np.ndarray, inside: np.ndarray) -> float:
    """Compute the area under the ROC curve: the probability that a value inside is higher than one outside.

    Parameters
    ----------
    values
        Values, `(n,)`. Equal ones count half, so that a constant profile has 0.5.
    inside
        Whether each is inside, `(n,)`.

    Returns
    -------
    float
        NaN if all or none are inside.
    """
    n_inside = int(inside.sum())
    n_outside = inside.size - n_inside
    if not n_inside or not n_outside:
        return np.nan
    surplus = rankdata(_equal_if_close(values))[inside].sum() - n_inside * (n_inside + 1) / 2
    return float(surplus / (n_inside * n_outside))


def pointing(values: np.ndarray, inside: np.ndarray) -> float:
    """Determine whether the highest value is inside (pointing game).

    Parameters
    ----------
    values
        Values of any shape.
    inside
        Whether each is inside, of the same shape.

    Returns
    -------
    float
        1 or 0; of several equal highest values, the share that is inside. NaN if all or none are inside.
    """
    if inside.all() or not inside.any():
        return np.nan
    return float(inside[values == values.max()].mean())


def relevance_mass(values: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
    """Compute the share of the sum of the values that is inside.

    Parameters
    ----------
    values
        Values of any shape, not negative and not all 0.
    inside
        Whether each is inside, of the same shape.

    Returns
    -------
    tuple of float
        The share, and the share divided by that of the bins. NaN if all or none are inside.
    """
    if inside.all() or not inside.any():
        return np.nan, np.nan
    share = float(values[inside].sum() / values.sum())
    return share, share / float(inside.mean())


def _by_second(positive: np.ndarray, region: Region) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the frames of each second, and whether it is in the seizure."""
    frames = np.array([positive[region.array == number].sum(axis=(0, 1)) for number in range(len(region.second))])
    second = np.unique(region.second, return_inverse=True)[1].ravel()
    n_frames = np.bincount(second)
    inside = np.bincount(second, region.frames.ravel()) / n_frames >= 0.5
    return np.bincount(second, frames.ravel()) / n_frames, inside


def _auroc_freqs(positive: np.ndarray, region: Region) -> float:
    """Mean of the AUROC over frequencies of the stacked spectrograms in which it is defined; NaN if there is none."""
    defined = [value for value in _each_auroc_freqs(positive, region) if not np.isnan(value)]
    return float(np.mean(defined)) if defined else np.nan


def _each_auroc_freqs(positive: np.ndarray, region: Region) -> Iterator[float]:
    for number, freqs in enumerate(() if region.freqs is None else region.freqs):
        yield auroc(positive[region.array == number].sum(axis=(0, 2)), freqs)


def _equal_if_close(values: np.ndarray) -> np.ndarray:
    """Values without the rounding errors of sums, by which equal profiles would differ."""
    scale = np.abs(values).max()
    return np.round(values / scale, 10) if scale > 0 else values
