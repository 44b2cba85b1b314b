"""Filtering and resampling of a stretch of signal that gives what the whole signal would."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

LARGEST_FACTOR = 20_000


@lru_cache(maxsize=64)
def kernel(sfreq: float, l_freq: float | None, h_freq: float | None, notch: tuple[float, ...] = ()) -> np.ndarray:
    """Zero-phase FIR filter: MNE's default design (Hamming-windowed), band-pass and notches in one.

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    l_freq, h_freq
        High-pass and low-pass edge in Hz; None (or 0 for the high-pass) for none.
    notch
        Frequencies to remove, in Hz; stop bands as of `mne.filter.notch_filter`.

    Returns
    -------
    array (n_taps,)
        Odd and symmetric; one tap of 1 if nothing is to be filtered.

    References
    ----------
    Widmann et al. (2015), Journal of Neuroscience Methods 250:34.
    """
    from mne.filter import create_filter

    taps = np.ones(1)
    if l_freq or h_freq:
        taps = create_filter(None, sfreq, l_freq or None, h_freq, verbose="ERROR")
    if notch:
        centres = np.array(notch)
        stops = create_filter(
            None,
            sfreq,
            centres * (1 + 1 / 400) + 0.5,
            centres * (1 - 1 / 400) - 0.5,
            l_trans_bandwidth=0.5,
            h_trans_bandwidth=0.5,
            verbose="ERROR",
        )
        taps = np.convolve(taps, stops)
    return taps


def mirrored(lo: int, hi: int, n_times: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the samples `lo` to `hi` of a signal come from, beyond its ends too.

    Beyond an end the signal is continued by its point reflection in the end's sample, as far as it reaches, then
    by zeros (MNE's `reflect_limited`).

    Returns
    -------
    source, side
        (hi - lo,) each: index of the sample to take, -1 for zero; and -1, 0, 1 for before, within and after.
    """
    index = np.arange(lo, hi)
    side = np.where(index < 0, -1, np.where(index >= n_times, 1, 0))
    source = np.where(side < 0, -index, np.where(side > 0, 2 * (n_times - 1) - index, index))
    return np.where((source >= 0) & (source < n_times), source, -1), side


def convolve(stretch: np.ndarray, taps: np.ndarray) -> np.ndarray:
    """Filter each row; half the taps are lost at each end.

    Parameters
    ----------
    stretch
        (n_rows, n_times + n_taps - 1).
    taps
        (n_taps,), symmetric.

    Returns
    -------
    array (n_rows, n_times)
    """
    # Imported where it is used: SciPy's signal package takes a second, and headers are read without it.
    from scipy.signal import oaconvolve

    return stretch * taps[0] if len(taps) == 1 else oaconvolve(stretch, taps[np.newaxis], "valid", axes=1)


@dataclass(frozen=True)
class Resampling:
    """Polyphase resampling by `up / down`, sample for sample what `scipy.signal.resample_poly` gives."""

    up: int
    down: int

    @classmethod
    def between(cls, recorded: float, wanted: float) -> "Resampling":
        """Ratio of two sampling rates in Hz, as a fraction in lowest terms."""
        ratio = Fraction(wanted).limit_denominator(1_000_000) / Fraction(recorded).limit_denominator(1_000_000)
        if max(ratio.numerator, ratio.denominator) > LARGEST_FACTOR:
            ratio = Fraction(wanted / recorded).limit_denominator(LARGEST_FACTOR // 4)
        return cls(ratio.numerator, ratio.denominator)

    @property
    def half(self) -> int:
        """Half length of the filter, at the rate `up` times the recorded."""
        return 10 * max(self.up, self.down)

    def n_times(self, n_times: int) -> int:
        """Samples after resampling of so many samples."""
        return -(-n_times * self.up // self.down)

    def needs(self, start: int, stop: int) -> tuple[int, int]:
        """Recorded samples (first, last + 1) behind the resampled samples `start` to `stop`."""
        first = -(-(start * self.down - self.half) // self.up)
        last = ((stop - 1) * self.down + self.half) // self.up
        return first, last + 1

    def apply(self, stretch: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Resampled samples `start` to `stop` of a signal.

        Parameters
        ----------
        stretch
            (n_rows, n), the recorded samples that `needs(start, stop)` names.
        """
        from scipy.signal import upfirdn

        first, _ = self.needs(start, stop)
        # Zeros before the filter shift its phase, so that output `start` falls on the grid of the whole signal.
        shift = (first * self.up - self.half) % self.down
        taps = np.concatenate([np.zeros(shift), _antialias(self.up, self.down)])
        skip = (start * self.down + self.half - first * self.up + shift) // self.down
        return upfirdn(taps, stretch, self.up, self.down, axis=1)[:, skip : skip + stop - start]


@lru_cache(maxsize=16)
def _antialias(up: int, down: int) -> np.ndarray:
    from scipy.signal import firwin

    most = max(up, down)
    return up * firwin(20 * most + 1, 1 / most, window=("kaiser", 5.0))
