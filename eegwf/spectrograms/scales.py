"""How finely each scale of a wavelet transform is sampled, and how its samples are pooled.

The power of a scale is a band-limited curve: it is known from samples that lie closer than its bandwidth asks
for, and so is its mean over a cell. For every scale this module finds the fewest samples a cell whose weighted
sum is that mean to a given tolerance, and the weights; and it finds the scales that need not be computed at all,
since their neighbours, which overlap with them, tell their power to the same tolerance.

All weights are those of least mean square error for white noise (best linear prediction, kriging). For white
Gaussian noise the coefficients of a scale are a complex Gaussian process whose autocorrelation R is the Fourier
transform of the squared gain, so that the covariance of its power at two moments is |R|^2, in units of the mean
power squared.
"""

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from eegwf.spectrograms.wavelets import Morlet, Morse, band

FINE = 96
"""Steps, at least, that a cell is cut into where its mean is integrated."""

LEAST = 2
"""Steps a cell, at least: slow scales cost little, and their power, hardly averaged, has deep notches."""

DENSE = 2
"""Scales with as many steps a cell or fewer are all computed: interpolation would fill their notches."""

NEIGHBOURS = 4
"""Scales on either side from which one in between is interpolated."""


@dataclass(frozen=True)
class Scales:
    """Scales that are sampled and pooled alike.

    Attributes
    ----------
    rows
        Their rows in the result, rising.
    points
        Steps a cell is sampled with.
    weights
        Shape (points + 1,): weights of the samples in a cell, both its edges included, of sum 1.
    """

    rows: tuple[int, ...]
    points: int
    weights: np.ndarray


def plan_scales(
    wavelet: Morlet | Morse, freqs: np.ndarray, sfreq: float, cell: float, tolerance: float
) -> tuple[list[Scales], np.ndarray]:
    """Find the scales to compute, their sampling, and the scales in between.

    Parameters
    ----------
    wavelet
        Any analytic wavelet.
    freqs
        Centre frequencies in Hz, rising evenly in the logarithm, shape (n_freqs,).
    sfreq
        Sampling rate in Hz.
    cell
        Length of a cell in seconds.
    tolerance
        Root mean square error of a cell's power, over its root mean square, for white noise.

    Returns
    -------
    scales : list of Scales
        Those that are computed, in the order of their rows.
    mixing : numpy.ndarray
        Shape (n_freqs, number of computed rows): every row from the computed ones, a computed one from itself.
    """
    points, weights, most = [], {}, LEAST
    for freq in freqs:
        # The rows of higher frequency need more: their weights serve the rows that need as many, and less.
        most, weights[most] = cell_weights(wavelet, freq, sfreq, cell, tolerance, most)
        points.append(most)
    dense = int(np.searchsorted(points, DENSE, side="right"))
    overlaps = _overlaps(wavelet, freqs, sfreq, tolerance)
    kept, mixing = list(range(len(freqs))), np.eye(len(freqs))
    for stride in range(2, len(freqs)):
        fewer = sorted({*range(dense), *range(len(freqs) - 1, dense - 1, -stride)})
        tried, error = _between(overlaps, fewer)
        if error > tolerance / 10:
            break
        kept, mixing = fewer, tried
    groups = groupby(kept, lambda row: points[row])
    return [Scales(tuple(rows), number, weights[number]) for number, rows in groups], mixing


def skirt(tolerance: float) -> float:
    """Gain below which a wavelet's spectrum is left out; at a tolerance of 1 %, 60 dB of power under its peak."""
    return tolerance / 10


def cell_weights(
    wavelet: Morlet | Morse, freq: float, sfreq: float, cell: float, tolerance: float, points: int = 1
) -> tuple[int, np.ndarray]:
    """Fewest steps a cell, from `points` on, that tell its mean power to the tolerance, and the weights.

    The weights are all positive, so that a mean of power never is negative. Numbers of steps are products of 2,
    3, 5 and 7, for the FFT.
    """
    while True:
        if _smooth(points):
            covariance = _power_covariance(wavelet, freq, sfreq, cell, tolerance, points)
            weights, error = _mean_weights(covariance, points)
            if error <= tolerance and weights.min() > 0:
                return points, weights
        points += 1


def _smooth(number: int) -> bool:
    for prime in (2, 3, 5, 7):
        while number % prime == 0:
            number //= prime
    return number == 1


def _power_covariance(wavelet, freq: float, sfreq: float, cell: float, tolerance: float, points: int) -> np.ndarray:
    """|R|^2 at lags from 0 to a cell, in at least FINE steps, a multiple of `points`."""
    low, high = band(wavelet, skirt(tolerance))
    nu = np.linspace(low * freq, min(high * freq, sfreq / 2), 513)
    spectrum = wavelet.gain(nu / freq) ** 2
    steps = points * -(-FINE // points)
    lags = np.arange(steps + 1) * cell / steps
    correlation = np.exp(2j * np.pi * np.outer(lags, nu)) @ (spectrum / spectrum.sum())
    return np.abs(correlation) ** 2


def _mean_weights(covariance: np.ndarray, points: int) -> tuple[np.ndarray, float]:
    """Weights of points + 1 samples for the mean over the cell, and the relative error that is left."""
    steps = len(covariance) - 1
    samples, fine = np.arange(points + 1) * (steps // points), np.arange(steps + 1)
    trapezoid = np.full(steps + 1, 1 / steps)
    trapezoid[[0, -1]] /= 2
    among = covariance[np.abs(samples[:, None] - samples)]
    mean = covariance[np.abs(samples[:, None] - fine)] @ trapezoid
    itself = trapezoid @ covariance[np.abs(fine[:, None] - fine)] @ trapezoid
    weights, error = _best(among, mean[:, None], np.array([itself]))
    return weights[0], float(error[0])


def _overlaps(wavelet, freqs: np.ndarray, sfreq: float, tolerance: float) -> np.ndarray:
    """Covariance of the power of two scales at one moment, shape (n_freqs, n_freqs)."""
    low, high = band(wavelet, skirt(tolerance))
    nu = np.geomspace(max(low, 1e-3) * freqs[0], min(high * freqs[-1], sfreq / 2), 4096)
    spectra = wavelet.gain(nu / freqs[:, None]) * np.sqrt(nu)  # sqrt(d nu) on a logarithmic axis
    spectra /= np.linalg.norm(spectra, axis=1, keepdims=True)
    return spectra @ spectra.T


def _between(overlaps: np.ndarray, kept: list[int]) -> tuple[np.ndarray, float]:
    """Weights (all rows, rows kept) that give every row, and the largest error."""
    rows = np.array(kept)
    mixing, errors = np.zeros((len(overlaps), len(rows))), []
    for row in range(len(overlaps)):
        at = int(np.searchsorted(rows, row))
        exact = at < len(rows) and rows[at] == row
        near = np.array([at]) if exact else np.arange(max(0, at - NEIGHBOURS), min(len(rows), at + NEIGHBOURS))
        among = overlaps[np.ix_(rows[near], rows[near])]
        weights, error = _best(among, overlaps[rows[near], row][:, None], np.ones(1))
        mixing[row, near] = weights[0]
        errors.append(float(error[0]))
    return mixing, max(errors)


def _best(among: np.ndarray, between: np.ndarray, itself: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of least mean square error, and that error over the root mean square.

    Parameters
    ----------
    among
        Covariance of the samples, (n, n).
    between
        Covariance of samples and what is predicted, (n, m).
    itself
        Variance of what is predicted, (m,).

    Notes
    -----
    All have mean 1, which the second moments, covariance + 1, take in.
    """
    among, between, itself = among + 1, between + 1, itself + 1
    weights = np.linalg.lstsq(among, between, rcond=1e-10)[0].T
    squares = itself - 2 * np.sum(weights * between.T, axis=1) + np.sum((weights @ among) * weights, axis=1)
    return weights, np.sqrt(np.maximum(squares, 0) / itself)
