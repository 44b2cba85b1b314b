"""Computation plan of a wavelet transform that is averaged over cells.

The result for one row (scale) and one cell is the mean of |W|^2 over the cell. It could be obtained by computing W at
every sample, squaring and averaging, but most of that work is discarded by the average. Four observations reduce it:

1. *Band-limited signals.* A wavelet passes a narrow band of frequencies. Scales within half an octave (`GROUP`) pass
   nearly the same band, so they share one complex signal that contains only this band and is sampled at a rate equal
   to the width of the band. One short FFT of the window's cosine coefficients yields it (`CWT._cells`).
2. *A quadratic form.* W at any moment is a linear function of these samples x, W = Kx, where the rows of K are the
   moments of the cell. The mean power is x^H K^H K x, a quadratic form of the samples in and near the cell. The
   eigenvectors v_i of K^H K and its eigenvalues s_i^2 express it as sum_i s_i^2 |v_i^H x|^2.
3. *Few eigenvalues matter.* Their number is about the length of the cell in seconds times the bandwidth of the scale
   in Hz (the number of degrees of freedom of a band-limited signal in a limited time; Landau & Pollak 1962). The other
   terms are omitted. The power of a scale in a cell thus takes only a few products, and W is never computed.
4. *Neighboring scales are correlated.* Where the scales are dense, most of them are predicted from the magnitudes of
   their neighbors (kriging) instead of being computed.

All approximations are controlled by one parameter, `tolerance`. The plan depends on the parameters of the transform
alone, not on the data, and is computed once in double precision.
"""

from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len

from eegwf.spectrograms.wavelets import Morlet, Morse, band

GROUP = 2**0.5
"""Largest ratio of the frequencies of scales that share a band. A larger value needs more samples for each band, a
smaller value more FFTs."""

DENSE = 0.3
"""Scales whose bandwidth times the length of a cell is at most this value are all computed. They need few products.
Their power is hardly averaged in a cell and has deep notches, which interpolation would fill."""

NEIGHBORS = 4
"""Number of computed scales on either side from which a scale is interpolated."""


@dataclass(frozen=True)
class Band:
    """Scales that share a band-limited signal.

    Attributes
    ----------
    rows
        Rows of the scales in the result, increasing.
    first
        Lowest frequency bin of the band. Bins are 1 / (2 * length of the window) apart, since the window and its mirror
        image form the period.
    points
        Samples of the band's signal in a cell; the band has 2 * n_cells * points bins.
    beyond
        Number of samples on either side of a cell on which its power depends.
    vectors
        Complex, shape (points + 1 + 2 * beyond, rows, number): the power is the sum, over the last axis, of the squared
        magnitudes of their products with the signal in and near a cell.
    """

    rows: tuple[int, ...]
    first: int
    points: int
    beyond: int
    vectors: np.ndarray


def skirt(tolerance: float) -> float:
    """Gain below which the spectrum of a wavelet is omitted: 54 dB of power below its peak for a tolerance of 1 %."""
    return tolerance / 5


def plan_scales(
    wavelet: Morlet | Morse, freqs: np.ndarray, sfreq: float, n_times: int, n_cells: int, tolerance: float
) -> tuple[list[Band], np.ndarray]:
    """Select the scales to compute and derive their vectors, and the weights of the scales in between.

    Parameters
    ----------
    wavelet
        Any analytic wavelet.
    freqs
        Center frequencies in Hz, increasing evenly in the logarithm, shape (n_freqs,).
    sfreq
        Sampling rate in Hz.
    n_times, n_cells
        Samples and cells of a window.
    tolerance
        Accuracy of all approximations. The omitted eigenvectors contain at most a thousandth of this share of the power
        of white noise. The limit is this small because the spectrum of EEG decreases steeply: the power that a wavelet
        receives through the skirts of its spectrum is often larger than the power at its center frequency.

    Returns
    -------
    bands : list of Band
        All scales that are computed, in the order of their rows.
    mixing : numpy.ndarray
        Shape (n_freqs, number of computed rows): the weights with which the magnitudes of all rows follow from those of
        the computed rows. A computed row has weight 1 for itself.

    Raises
    ------
    ValueError
        If the response of a wavelet decays too slowly for the window.
    """
    cell = n_times / n_cells / sfreq
    dense = int(np.searchsorted(freqs, DENSE * wavelet.cycles / cell))
    correlations = _correlations(wavelet, freqs, sfreq, tolerance)
    kept, mixing = list(range(len(freqs))), np.eye(len(freqs))
    # Above the `dense` scales, only every stride-th scale is computed, with the largest stride whose interpolation
    # error is below a tenth of the tolerance. The error grows with the stride, so the search ends at the first stride
    # that is too large. Counting starts at the highest row, which is therefore always computed, never extrapolated.
    for stride in range(2, len(freqs)):
        fewer = sorted({*range(dense), *range(len(freqs) - 1, dense - 1, -stride)})
        weights, error = _interpolation_weights(correlations, fewer)
        if error > tolerance / 10:
            break
        kept, mixing = fewer, weights
    # The bandwidth of a wavelet is proportional to its frequency, so scales are grouped by ratio. Each group of half an
    # octave has its own FFT, whose length is proportional to the bandwidth of the group.
    bands = []
    while kept:
        rows = [row for row in kept if freqs[row] <= freqs[kept[0]] * GROUP]
        bands.append(_band(wavelet, freqs, rows, n_cells, n_times / sfreq, tolerance))
        kept = kept[len(rows) :]
    return bands, mixing


def _band(
    wavelet: Morlet | Morse, freqs: np.ndarray, rows: list[int], n_cells: int, seconds: float, tolerance: float
) -> Band:
    # The band extends from the lower skirt of the lowest scale to the upper skirt of the highest. Bin 0 (0 Hz) is
    # excluded, since the mean of a window has no effect. A complex signal of this bandwidth is determined by as many
    # samples per second; their number in a cell is rounded up to a length for which the FFT is fast. It must be an
    # integer, so that all cells see the samples at the same positions and share their vectors.
    below, above = band(wavelet, skirt(tolerance))
    cell, bins = seconds / n_cells, 2 * seconds
    first = max(1, int(below * freqs[rows[0]] * bins))
    low, high = first / bins, above * freqs[rows[-1]]
    points = next_fast_len(max(1, int(np.ceil((high - low) * cell))), real=True)
    rate = points / cell
    # The lowest scale has the longest response, and determines how many samples outside a cell affect its power.
    beyond = _reach(wavelet, freqs[rows[0]], low, rate, 2 * n_cells * points, tolerance)
    samples = np.arange(-beyond, points + 1 + beyond)
    # The integral of |W|^2 over a cell is approximated by the midpoint rule with 4 or more moments per sample and 32 or
    # more per cell. |W|^2 has twice the bandwidth of W, so the samples themselves would not be dense enough.
    fine = max(4, -(-32 // points))
    moments = (np.arange(fine * points) + 0.5) / fine
    # Moments are midpoints, so all lags are multiples of half the distance between moments.
    lags = np.rint(2 * fine * (moments[:, None] - samples)).astype(int)
    decomposed = []
    for row in rows:
        kernel = _kernel(wavelet, freqs[row], low, rate, points + beyond + 1, 2 * fine)
        kernel = kernel[lags] / np.sqrt(len(moments))  # K, (moments, samples); a negative lag counts from the end
        # Right singular vectors of K are eigenvectors of K^H K, and the squared singular values its eigenvalues.
        # Decomposing K itself keeps the precision that squaring would lose.
        decomposed.append(np.linalg.svd(kernel, full_matrices=False)[1:])
    # For white noise, the samples are uncorrelated and the expected power is the sum of the eigenvalues. `shares[:, i]`
    # is the share of this power that is omitted with the first i + 1 eigenvectors. All scales of a band get the same
    # number of vectors, so that one matrix product computes them.
    shares = np.array([1 - np.cumsum(values**2) / np.sum(values**2) for values, _ in decomposed])
    number = int((shares > tolerance / 1000).sum(axis=1).max()) + 1
    vectors = np.stack([vectors[:number].T * values[:number] for values, vectors in decomposed], axis=1)
    # The remaining eigenvectors are scaled so that the mean power of white noise is exact: the omission causes no bias.
    vectors /= np.sqrt(1 - shares[:, number - 1])[:, None]
    return Band(tuple(rows), first, points, beyond, vectors)


def _kernel(wavelet: Morlet | Morse, freq: float, low: float, rate: float, longest: int, fine: int) -> np.ndarray:
    """Weights of the samples of a band's signal for the coefficient W of a scale, at lags in steps of 1 / fine samples.

    The weights both filter the signal with the wavelet and interpolate it between the samples. They are computed up to
    at least +-`longest` samples; negative lags are at the end, in the order of an FFT. The samples are the complex
    conjugates of the analytic signal, since a forward FFT computes them, and so are the weights.
    """
    # The weights are the Fourier integral of the gain over the band, approximated by a sum of `terms` terms. The sum is
    # periodic in time with a period of `terms` samples; it is long enough that the periods do not overlap.
    terms = 4 * longest + 128
    gain = wavelet.gain((low + (np.arange(terms) + 0.5) / terms * rate) / freq)
    # The terms are at the midpoints of equal parts of the band, but an FFT assumes that the first one is at 0. The
    # exponential is the phase of this half step. Padding with zeros yields the lags between the samples.
    lags = np.fft.fftfreq(fine * terms, 1 / terms)
    return np.fft.fft(gain, n=fine * terms) * np.exp(-1j * np.pi * lags / terms) / terms


def _reach(wavelet: Morlet | Morse, freq: float, low: float, rate: float, most: int, tolerance: float) -> int:
    """Lag in samples beyond which a scale's kernel has less than a hundredth of the tolerance of its energy.

    Raises
    ------
    ValueError
        If it is larger than `most`. The spectrum of a wavelet of few cycles is cut off at 0 Hz, and the kernel of a
        spectrum with a discontinuity decays slowly.
    """
    # The computed length is doubled until nearly all of the kernel's energy lies in its first half, since only then is
    # the energy beyond a lag known accurately.
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
            f"cwt: the response of a wavelet with cycles: {wavelet.cycles:g} decays too slowly at {freq:g} Hz for "
            f"tolerance: {tolerance:g} in windows of this length; choose more cycles, a larger tolerance, or a higher "
            "f_min"
        )
    return beyond


def _correlations(wavelet: Morlet | Morse, freqs: np.ndarray, sfreq: float, tolerance: float) -> np.ndarray:
    """Correlation of the coefficients of two scales at the same moment, for white noise, shape (n_freqs, n_freqs)."""
    low, high = band(wavelet, skirt(tolerance))
    nu = np.geomspace(max(low, 1e-3) * freqs[0], min(high * freqs[-1], sfreq / 2), 4096)
    # By Parseval's theorem, the correlation is the integral over frequency of the product of both spectra. The grid is
    # logarithmic, like the scales; sqrt(nu) in each factor is the differential d nu = nu d(log nu).
    spectra = wavelet.gain(nu / freqs[:, None]) * np.sqrt(nu)
    spectra /= np.linalg.norm(spectra, axis=1, keepdims=True)
    return spectra @ spectra.T


def _interpolation_weights(correlations: np.ndarray, kept: list[int]) -> tuple[np.ndarray, float]:
    """Weights (all rows, kept rows) that predict the magnitude of every row, and the largest relative error.

    The prediction is the linear one of least mean square error from the nearest kept rows (kriging). It requires the
    second moments of the magnitudes, E[m_i m_j]. They are modeled, up to a common factor, as 1 plus the correlation of
    the coefficients: the 1 is the squared mean of the magnitude, which is positive and must be reproduced, and the
    correlation describes how smoothly the magnitude varies with frequency.

    The error is the root of the mean square error of the prediction over the root mean square of the magnitude.
    """
    rows, moments = np.array(kept), correlations + 1
    mixing, errors = np.zeros((len(correlations), len(rows))), []
    for row in range(len(correlations)):
        place = int(np.searchsorted(rows, row))
        computed = place < len(rows) and rows[place] == row
        if computed:
            near = np.array([place])
        else:
            near = np.arange(max(0, place - NEIGHBORS), min(len(rows), place + NEIGHBORS))
        among, between = moments[np.ix_(rows[near], rows[near])], moments[rows[near], row]
        # Close scales are almost linearly dependent; `rcond` omits the directions that rounding errors dominate.
        weights = np.linalg.lstsq(among, between, rcond=1e-10)[0]
        mixing[row, near] = weights
        square = moments[row, row] - 2 * weights @ between + weights @ among @ weights
        errors.append(np.sqrt(max(square, 0) / moments[row, row]))
    return mixing, max(errors)
