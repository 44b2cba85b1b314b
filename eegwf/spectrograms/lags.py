"""Frames and lags of the autocorrelation, importable without torch."""

import numpy as np

from eegwf.spectrograms.axes import window_samples

PERIODS = 1.5
"""Number of periods of `f_min` in a frame: the longest lag leaves a third of the frame to correlate."""


def frame_samples(window: float, sfreq: float, n_times: int, f_min: float) -> int:
    """Length in samples of a frame.

    Parameters
    ----------
    window
        Length of a frame in seconds.
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of a window.
    f_min
        Lowest repetition rate in Hz.

    Returns
    -------
    int
        The length rounded to samples.

    Raises
    ------
    ValueError
        If `f_min` is 0, or if the frame has fewer than 4 samples, is longer than the window or shorter than 1.5
        periods of `f_min`; the message names the values that are possible.
    """
    if not f_min > 0:
        raise ValueError("acf: f_min is 0 Hz, a repetition rate without a period; choose f_min above 0")
    return window_samples("acf", window, sfreq, n_times, f_min, kind="frame", periods=PERIODS)


def correlation_kernels(lags: np.ndarray, length: int, n_fft: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the spectrum of a zero-padded frame: its variance, and its autocovariance at lags.

    Parameters
    ----------
    lags
        Lags in samples, not necessarily whole, shape (n_freqs,).
    length
        Samples of a frame.
    n_fft
        Length of the FFT, at least twice that of a frame, so that the frame and its shifted copy do not wrap around.

    Returns
    -------
    weights : numpy.ndarray
        Shape (n_fft // 2 + 1,): multiplied with the squared magnitudes of the FFT, they are the variance of the frame.
    cosines : numpy.ndarray
        Shape (n_freqs, n_fft // 2 + 1): multiplied with the same, they are the unbiased autocovariance at the lags.
    """
    bins = np.arange(n_fft // 2 + 1)
    # A real signal has half of its power at negative frequencies, except at 0 Hz and at half of the sampling rate.
    single = (bins == 0) | (2 * bins == n_fft)
    weights = np.where(single, 1.0, 2.0) / (n_fft * length)
    cosines = np.cos(2 * np.pi * np.outer(lags, bins) / n_fft)
    return weights, weights * cosines * (length / (length - lags))[:, None]
