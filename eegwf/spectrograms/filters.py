"""Slaney's mel scale and its triangular filters."""

import math

import numpy as np

LINEAR_HZ = 200 / 3
"""Hz per mel below 1 kHz."""
CORNER_HZ = 1000.0
CORNER_MEL = CORNER_HZ / LINEAR_HZ
LOG_STEP = math.log(6.4) / 27
"""Above 1 kHz, one mel multiplies the frequency by exp(LOG_STEP); 27 mels multiply it by 6.4."""


def hz_to_mel(freqs: np.ndarray | float) -> np.ndarray:
    """Convert frequencies in Hz to mels on Slaney's scale."""
    freqs = np.asarray(freqs, dtype=np.float64)
    above = np.log(np.maximum(freqs, CORNER_HZ) / CORNER_HZ) / LOG_STEP
    return np.where(freqs < CORNER_HZ, freqs / LINEAR_HZ, CORNER_MEL + above)


def mel_to_hz(mels: np.ndarray | float) -> np.ndarray:
    """Convert mels on Slaney's scale to frequencies in Hz."""
    mels = np.asarray(mels, dtype=np.float64)
    above = CORNER_HZ * np.exp(LOG_STEP * (np.maximum(mels, CORNER_MEL) - CORNER_MEL))
    return np.where(mels < CORNER_MEL, mels * LINEAR_HZ, above)


def mel_points(n_freqs: int, f_min: float, f_max: float) -> np.ndarray:
    """Edges and peaks of the filters.

    Parameters
    ----------
    n_freqs
        Number of filters.
    f_min, f_max
        Lower edge of the lowest filter and upper edge of the highest, in Hz.

    Returns
    -------
    numpy.ndarray
        Hz, shape (n_freqs + 2,): filter i has its lower edge at point i, its peak at i + 1, its upper edge at i + 2.
    """
    return mel_to_hz(np.linspace(hz_to_mel(f_min), hz_to_mel(f_max), n_freqs + 2))


def mel_filters(sfreq: float, n_fft: int, n_freqs: int, f_min: float, f_max: float) -> np.ndarray:
    """Triangular filters of area 1.

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    n_fft
        Length of the FFT in samples.
    n_freqs
        Number of filters.
    f_min, f_max
        Lower edge of the lowest filter and upper edge of the highest, in Hz.

    Returns
    -------
    numpy.ndarray
        Weights of the bins in 1/Hz, shape (n_freqs, n_fft // 2 + 1).
    """
    bins = np.arange(n_fft // 2 + 1) * sfreq / n_fft
    points = mel_points(n_freqs, f_min, f_max)[:, None]
    low, peak, high = points[:-2], points[1:-1], points[2:]
    triangles = np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak))
    return np.maximum(triangles, 0) * (2 / (high - low))


def empty_filters(filters: np.ndarray) -> int:
    """Count the filters whose weights are all zero up to rounding (a millionth of the largest weight)."""
    return int(np.sum(filters.max(axis=1) < 1e-6 * filters.max(initial=1e-300)))


def check_filters(sfreq: float, n_times: int, n_fft: int, n_freqs: int, f_min: float, f_max: float) -> None:
    """Refuse filters that lie between two bins of the FFT and would be empty.

    Parameters
    ----------
    sfreq, n_times
        Sampling rate in Hz, and number of samples of a window.
    n_fft
        Length of the FFT and of the Hann window in samples.
    n_freqs, f_min, f_max
        Number of filters, and their range in Hz.

    Raises
    ------
    ValueError
        If a filter is empty; the message names the number of filters, or the length of the Hann window, that avoids
        it.
    """
    filters = mel_filters(sfreq, n_fft, n_freqs, f_min, f_max)
    if not empty_filters(filters):
        return
    fewer = next(
        (n for n in range(n_freqs - 1, 0, -1) if not empty_filters(mel_filters(sfreq, n_fft, n, f_min, f_max))), None
    )
    # An open interval wider than the distance between bins contains a bin, so the search starts there.
    points = mel_points(n_freqs, f_min, f_max)
    longer = math.floor(sfreq / np.min(points[2:] - points[:-2])) + 1
    while longer <= n_times and empty_filters(mel_filters(sfreq, longer, n_freqs, f_min, f_max)):
        longer += 1
    choices = [f"n_freqs: {fewer}"] if fewer else []
    if longer <= n_times:
        choices.append(f"window: {math.ceil(longer / sfreq * 1000) / 1000:g}")
    raise ValueError(
        f"mel: {empty_filters(filters)} of {n_freqs} filters from {f_min:g} to {f_max:g} Hz lie between the "
        f"bins of a {n_fft / sfreq:g}-s Hann window, {sfreq / n_fft:.3g} Hz apart, and would be empty; "
        f"choose {' or '.join(choices) or 'a wider range of frequencies'}"
    )
