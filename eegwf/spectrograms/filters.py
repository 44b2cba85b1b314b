"""Slaney's mel scale and its triangular filters."""

import math

import numpy as np

LINEAR_HZ = 200 / 3
"""Hz per mel below 1 kHz."""
CORNER_HZ = 1000.0
CORNER_MEL = CORNER_HZ / LINEAR_HZ
LOG_STEP = math.log(6.4) / 27
"""Above 1 kHz a mel multiplies the frequency by exp(LOG_STEP): 27 of them by 6.4."""


def hz_to_mel(freqs: np.ndarray | float) -> np.ndarray:
    """Mel of frequencies in Hz on Slaney's scale."""
    freqs = np.asarray(freqs, dtype=np.float64)
    above = np.log(np.maximum(freqs, CORNER_HZ) / CORNER_HZ) / LOG_STEP
    return np.where(freqs < CORNER_HZ, freqs / LINEAR_HZ, CORNER_MEL + above)


def mel_to_hz(mels: np.ndarray | float) -> np.ndarray:
    """Frequencies in Hz of mels on Slaney's scale."""
    mels = np.asarray(mels, dtype=np.float64)
    above = CORNER_HZ * np.exp(LOG_STEP * (np.maximum(mels, CORNER_MEL) - CORNER_MEL))
    return np.where(mels < CORNER_MEL, mels * LINEAR_HZ, above)


def mel_points(n_freqs: int, f_min: float, f_max: float) -> np.ndarray:
    """Ends and peaks of the filters in Hz, shape (n_freqs + 2,): filter i has i and i + 2, peak i + 1."""
    return mel_to_hz(np.linspace(hz_to_mel(f_min), hz_to_mel(f_max), n_freqs + 2))


def mel_filters(sfreq: float, n_fft: int, n_freqs: int, f_min: float, f_max: float) -> np.ndarray:
    """Triangles of area 1, shape (n_freqs, n_fft // 2 + 1), in 1/Hz."""
    bins = np.arange(n_fft // 2 + 1) * sfreq / n_fft
    points = mel_points(n_freqs, f_min, f_max)[:, None]
    low, peak, high = points[:-2], points[1:-1], points[2:]
    triangles = np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak))
    return np.maximum(triangles, 0) * (2 / (high - low))


def empty_filters(filters: np.ndarray) -> int:
    """Count the filters without a bin of any weight (a millionth of the highest is rounding, not weight)."""
    return int(np.sum(filters.max(axis=1) < 1e-6 * filters.max(initial=1e-300)))


def check_filters(sfreq: float, n_times: int, n_fft: int, n_freqs: int, f_min: float, f_max: float) -> None:
    """Refuse filters that lie between the bins of the FFT and would be empty.

    Parameters
    ----------
    sfreq, n_times
        Sampling rate in Hz, and samples of a window.
    n_fft
        Length of the FFT, samples of the Hann window.
    n_freqs, f_min, f_max
        Number of filters, and their range in Hz.

    Raises
    ------
    ValueError
        The message says how many filters, or what Hann window, would do.
    """
    filters = mel_filters(sfreq, n_fft, n_freqs, f_min, f_max)
    if not empty_filters(filters):
        return
    fewer = next(
        (n for n in range(n_freqs - 1, 0, -1) if not empty_filters(mel_filters(sfreq, n_fft, n, f_min, f_max))), None
    )
    # an open interval wider than the distance of the bins holds a bin
    points = mel_points(n_freqs, f_min, f_max)
    longer = math.floor(sfreq / np.min(points[2:] - points[:-2])) + 1
    while longer <= n_times and empty_filters(mel_filters(sfreq, longer, n_freqs, f_min, f_max)):
        longer += 1
    ways = [f"n_freqs: {fewer}"] if fewer else []
    if longer <= n_times:
        ways.append(f"window: {math.ceil(longer / sfreq * 1000) / 1000:g}")
    raise ValueError(
        f"mel: {empty_filters(filters)} of {n_freqs} filters from {f_min:g} to {f_max:g} Hz lie between the "
        f"bins of a {n_fft / sfreq:g}-s Hann window, {sfreq / n_fft:.3g} Hz apart, and would be empty; "
        f"choose {' or '.join(ways) or 'a wider range of frequencies'}"
    )
