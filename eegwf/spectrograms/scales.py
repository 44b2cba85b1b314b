"""What a wavelet transform, pooled over cells, has to compute: the fewest products of each scale with the signal.

The power of a scale in a cell, the mean of |W|^2 over it, is a quadratic form of the signal in and near the cell. Its
matrix has few eigenvalues that matter, about as many as the product of the cell's length and the scale's bandwidth:
the power is the sum of that many squared products of the signal with eigenvectors, and nothing of W is computed in
between. Scales of similar frequency see the same band; they share a signal that is sampled just as densely as the
band is wide. And where scales lie so close that they overlap, every other one follows from its neighbours.
"""

from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len

from eegwf.spectrograms.wavelets import Morlet, Morse, band

GROUP = 2**0.5
"""Scales up to so many times apart share a band: wider bands take more samples, narrower ones more transforms."""

DENSE = 0.3
"""Scales of so little bandwidth times cell's length, or less, are all computed: they cost little, and their power,
hardly averaged, has deep notches that interpolation would fill."""

NEIGHBOURS = 4
"""Scales on either side from which one in between is interpolated."""


@dataclass(frozen=True)
class Band:
    """Scales that share a band-limited signal.

    Attributes
    ----------
    rows
        Their rows in the result, rising.
    first
        Lowest bin of the band; bins are half a period per window apart.
    points
        Samples of the band's signal in a cell: the band has 2 * n_cells * points bins.
    beyond
        Samples on either side of a cell that its power depends on.
    vectors
        Complex, shape (points + 1 + 2 * beyond, rows, number): the squared magnitudes of their products with the
        signal in and near a cell, summed over the last axis, are the power.
    """

    rows: tuple[int, ...]
    first: int
    points: int
    beyond: int
    vectors: np.ndarray


def skirt(tolerance: float) -> float:
    """Gain below which a wavelet's spectrum is left out; at a tolerance of 1 %, 54 dB of power under its peak."""
    return tolerance / 5


def plan_scales(
    wavelet: Morlet | Morse, freqs: np.ndarray, sfreq: float, n_times: int, n_cells: int, tolerance: float
) -> tuple[list[Band], np.ndarray]:
    """Find the scales to compute, and how, and the scales in between.

    Parameters
    ----------
    wavelet
        Any analytic wavelet.
    freqs
        Centre frequencies in Hz, rising evenly in the logarithm, shape (n_freqs,).
    sfreq
        Sampling rate in Hz.
    n_times, n_cells
        Samples and cells of a window.
    tolerance
        A thousand times the share of white noise's power that the eigenvectors left out may have: in EEG, what they
        see in a wavelet's skirts is often stronger than what it is tuned to. All else is as fine.

    Returns
    -------
    bands : list of Band
        With all scales that are computed, in the order of their rows.
    mixing : numpy.ndarray
        Shape (n_freqs, number of computed rows): every row's magnitude from the computed ones, a computed one's
        from itself.
    """
    cell = n_times / n_cells / sfreq
    dense = int(np.searchsorted(freqs, DENSE * wavelet.cycles / cell))
    overlaps = _overlaps(wavelet, freqs, sfreq, tolerance)
    kept, mixing = list(range(len(freqs))), np.eye(len(freqs))
    for stride in range(2, len(freqs)):
        fewer = sorted({*range(dense), *range(len(freqs) - 1, dense - 1, -stride)})
        tried, error = _between(overlaps, fewer)
        if error > tolerance / 10:
            break
        kept, mixing = fewer, tried
    bands = []
    while kept:
        rows = [row for row in kept if freqs[row] <= freqs[kept[0]] * GROUP]
        bands.append(_band(wavelet, freqs, rows, n_cells, n_times / sfreq, tolerance))
        kept = kept[len(rows) :]
    return bands, mixing


def _band(wavelet, freqs: np.ndarray, rows: list[int], n_cells: int, seconds: float, tolerance: float) -> Band:
    below, above = band(wavelet, skirt(tolerance))
    cell, bins = seconds / n_cells, 2 * seconds
    first = max(1, int(below * freqs[rows[0]] * bins))
    low, high = first / bins, above * freqs[rows[-1]]
    points = next_fast_len(max(1, int(np.ceil((high - low) * cell))), real=True)
    rate = points / cell
    beyond = _reach(wavelet, freqs[rows[0]], low, rate, 2 * n_cells * points, tolerance)
    samples = np.arange(-beyond, points + 1 + beyond)
    # The power is averaged over moments between the samples, midway in steps of which a cell has 32 or more.
    fine = max(4, -(-32 // points))
    moments = (np.arange(fine * points) + 0.5) / fine
    lags = np.rint(2 * fine * (moments[:, None] - samples)).astype(int)
    decomposed = []
    for row in rows:
        kernel = _kernel(wavelet, freqs[row], low, rate, points + beyond + 1, 2 * fine)
        kernel = kernel[lags] / np.sqrt(len(moments))  # negative lags count from the end
        decomposed.append(np.linalg.svd(kernel, full_matrices=False)[1:])
    shares = np.array([1 - np.cumsum(values**2) / np.sum(values**2) for values, _ in decomposed])
    number = int((shares > tolerance / 1000).sum(axis=1).max()) + 1
    vectors = np.stack([vectors[:number].T * values[:number] for values, vectors in decomposed], axis=1)
    vectors /= np.sqrt(1 - shares[:, number - 1])[:, None]  # white noise keeps its power
    return Band(tuple(rows), first, points, beyond, vectors)


def _kernel(wavelet, freq: float, low: float, rate: float, longest: int, fine: int) -> np.ndarray:
    """Weights of samples for the coefficient of a scale, at lags of 0, 1 / fine, 2 / fine, ... samples.

    They reach at least to +-`longest` samples; negative lags stand at the end, as an FFT gives them. The samples are
    conjugate, as a forward FFT of the spectrum gives them, and so are the weights.
    """
    # Sums over frequency recur in time after so many samples as there are terms.
    terms = 4 * longest + 128
    gain = wavelet.gain((low + (np.arange(terms) + 0.5) / terms * rate) / freq)
    # The band is periodic in frequency: terms are half a step off the grid of the FFT, which turns the weights.
    lags = np.fft.fftfreq(fine * terms, 1 / terms)
    return np.fft.fft(gain, n=fine * terms) * np.exp(-1j * np.pi * lags / terms) / terms


def _reach(wavelet, freq: float, low: float, rate: float, most: int, tolerance: float) -> int:
    """Samples beyond which a scale's kernel has less than a hundredth of the tolerance of its energy.

    Raises
    ------
    ValueError
        If they are more than `most`: a wavelet of few cycles breaks off at 0 Hz, and such a kernel fades slowly.
    """
    longest = 64
    while True:
        energy = np.abs(_kernel(wavelet, freq, low, rate, longest, 1)[:longest]) ** 2
        outside = 1 - np.cumsum(energy) / energy.sum()
        beyond = int(np.argmax(outside < tolerance / 100)) + 1
        if outside[longest // 2] < tolerance / 1000 or beyond > most:
            break
        longest *= 2
    if beyond > most:
        raise ValueError(
            f"cwt: a wavelet of cycles: {wavelet.cycles:g} fades too slowly at {freq:g} Hz for tolerance: "
            f"{tolerance:g} in windows of this length; choose more cycles, a larger tolerance, or a higher f_min"
        )
    return beyond


def _overlaps(wavelet, freqs: np.ndarray, sfreq: float, tolerance: float) -> np.ndarray:
    """Correlation of two scales at one moment, in white noise, shape (n_freqs, n_freqs)."""
    low, high = band(wavelet, skirt(tolerance))
    nu = np.geomspace(max(low, 1e-3) * freqs[0], min(high * freqs[-1], sfreq / 2), 4096)
    spectra = wavelet.gain(nu / freqs[:, None]) * np.sqrt(nu)  # sqrt(d nu) on a logarithmic axis
    spectra /= np.linalg.norm(spectra, axis=1, keepdims=True)
    return spectra @ spectra.T


def _between(overlaps: np.ndarray, kept: list[int]) -> tuple[np.ndarray, float]:
    """Weights (all rows, rows kept) that give every row's magnitude, and the largest error.

    They are those of least mean square error (kriging): magnitudes have a mean that matters, hence the 1 that is
    added to every moment, and are as smooth along frequency as the coefficients' correlation says.
    """
    rows, moments = np.array(kept), overlaps + 1
    mixing, errors = np.zeros((len(overlaps), len(rows))), []
    for row in range(len(overlaps)):
        at = int(np.searchsorted(rows, row))
        exact = at < len(rows) and rows[at] == row
        near = np.array([at]) if exact else np.arange(max(0, at - NEIGHBOURS), min(len(rows), at + NEIGHBOURS))
        among, between = moments[np.ix_(rows[near], rows[near])], moments[rows[near], row]
        weights = np.linalg.lstsq(among, between, rcond=1e-10)[0]
        mixing[row, near] = weights
        square = moments[row, row] - 2 * weights @ between + weights @ among @ weights
        errors.append(np.sqrt(max(square, 0) / moments[row, row]))
    return mixing, max(errors)
