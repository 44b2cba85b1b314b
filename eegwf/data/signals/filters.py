"""Filtering and resampling of a segment of a signal, with the same result as for the whole signal."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from eegwf.config.data import Signals
from eegwf.errors import InputError

# Limit of the factors of a resampling ratio; the length of the anti-aliasing filter is proportional to them.
MAX_FACTOR = 20_000


@lru_cache(maxsize=64)
def kernel(sfreq: float, l_freq: float | None, h_freq: float | None, notch: tuple[float, ...] = ()) -> np.ndarray:
    """Design a zero-phase FIR filter: band-pass and notches in MNE's default design (Hamming window).

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    l_freq, h_freq
        High-pass and low-pass edge in Hz; None (or 0 for the high-pass) for no filter.
    notch
        Frequencies to remove, in Hz; the stop bands are those of `mne.filter.notch_filter`.

    Returns
    -------
    array (n_taps,)
        Symmetric, with an odd number of taps; a single tap of 1 if there is no filter.

    References
    ----------
    Widmann et al. (2015), Journal of Neuroscience Methods 250:34.
    """
    from mne.filter import create_filter

    taps = np.ones(1)
    if l_freq or h_freq:
        taps = create_filter(None, sfreq, l_freq or None, h_freq, verbose="ERROR")
    if notch:
        centers = np.array(notch)
        stops = create_filter(
            None,
            sfreq,
            centers * (1 + 1 / 400) + 0.5,
            centers * (1 - 1 / 400) - 0.5,
            l_trans_bandwidth=0.5,
            h_trans_bandwidth=0.5,
            verbose="ERROR",
        )
        taps = np.convolve(taps, stops)
    return taps


def reflected_indices(start: int, stop: int, n_times: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the samples from which a signal padded at both ends is built.

    Beyond each end, the signal is padded with its point reflection at the last sample, and with zeros where the
    reflection ends (MNE's padding `reflect_limited`).

    Parameters
    ----------
    start, stop
        First sample of the padded signal, and the one after the last; may be outside 0 to `n_times`.
    n_times
        Samples of the signal.

    Returns
    -------
    source : array (stop - start,)
        Index of the sample to use; -1 for zero.
    side : array (stop - start,)
        -1 before the signal, 0 within it, 1 after it.
    """
    index = np.arange(start, stop)
    side = np.where(index < 0, -1, np.where(index >= n_times, 1, 0))
    source = np.where(side < 0, -index, np.where(side > 0, 2 * (n_times - 1) - index, index))
    return np.where((source >= 0) & (source < n_times), source, -1), side


def convolve(segment: np.ndarray, taps: np.ndarray) -> np.ndarray:
    """Filter each row of a segment; the result is shorter by `n_taps - 1` samples.

    Parameters
    ----------
    segment
        Array `(n_rows, n_times + n_taps - 1)`.
    taps
        Symmetric filter `(n_taps,)`.

    Returns
    -------
    array (n_rows, n_times)
    """
    # Imported here because importing scipy.signal takes a second, and reading headers does not need it.
    from scipy.signal import oaconvolve

    return segment * taps[0] if len(taps) == 1 else oaconvolve(segment, taps[np.newaxis], "valid", axes=1)


@dataclass(frozen=True)
class Resampling:
    """Polyphase resampling by `up / down`, with the same samples as `scipy.signal.resample_poly`.

    Attributes
    ----------
    up, down
        Factors of upsampling and downsampling.
    """

    up: int
    down: int

    @classmethod
    def between(cls, recorded: float, target: float) -> "Resampling":
        """Resampling from one sampling rate to another.

        Parameters
        ----------
        recorded, target
            Sampling rates in Hz.

        Returns
        -------
        Resampling
            The ratio of the rates as a fraction in lowest terms.
        """
        ratio = Fraction(target).limit_denominator(1_000_000) / Fraction(recorded).limit_denominator(1_000_000)
        if max(ratio.numerator, ratio.denominator) > MAX_FACTOR:
            ratio = Fraction(target / recorded).limit_denominator(MAX_FACTOR // 4)
        return cls(ratio.numerator, ratio.denominator)

    @property
    def half_length(self) -> int:
        """Half of the filter length in samples at `up` times the recorded rate."""
        return 10 * max(self.up, self.down)

    def n_times(self, n_times: int) -> int:
        """Number of samples after resampling a signal of `n_times` samples."""
        return -(-n_times * self.up // self.down)

    def input_range(self, start: int, stop: int) -> tuple[int, int]:
        """Recorded samples from which a range of resampled samples is computed.

        Parameters
        ----------
        start, stop
            First resampled sample, and the one after the last.

        Returns
        -------
        start, stop : int
            First recorded sample, and the one after the last; may be outside the signal.
        """
        first = -(-(start * self.down - self.half_length) // self.up)
        last = ((stop - 1) * self.down + self.half_length) // self.up
        return first, last + 1

    def apply(self, segment: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Compute a range of resampled samples.

        Parameters
        ----------
        segment
            Recorded samples in the range `input_range(start, stop)`, shape `(n_rows, n_recorded)`.
        start, stop
            First resampled sample, and the one after the last.

        Returns
        -------
        array (n_rows, stop - start)
        """
        from scipy.signal import upfirdn

        first, _ = self.input_range(start, stop)
        # Zeros before the filter shift its phase to align the output with the resampled samples of the whole signal.
        shift = (first * self.up - self.half_length) % self.down
        taps = np.concatenate([np.zeros(shift), _antialias(self.up, self.down)])
        skip = (start * self.down + self.half_length - first * self.up + shift) // self.down
        return upfirdn(taps, segment, self.up, self.down, axis=1)[:, skip : skip + stop - start]


@lru_cache(maxsize=16)
def _antialias(up: int, down: int) -> np.ndarray:
    from scipy.signal import firwin

    factor = max(up, down)
    return up * firwin(20 * factor + 1, 1 / factor, window=("kaiser", 5.0))


def check_filters(sfreq: float, signals: Signals, path: Path | str) -> None:
    """Refuse filters that can't be made for a recording.

    Parameters
    ----------
    sfreq
        Recorded rate in Hz.
    signals
        Settings of the filters.
    path
        The recording, for errors.

    Raises
    ------
    InputError
        If a filter is outside the range from 0 to half of the rate, or two filters overlap.
    """
    nyquist = sfreq / 2
    edges = [("l_freq", signals.l_freq, 0.0), ("h_freq", signals.h_freq, 0.0)]
    # The transition bands of a notch end 1 Hz plus 1/400 of its frequency above and below that frequency.
    edges += [("notch", value, 1.0 + value / 400) for value in signals.notch]
    for name, value, margin in edges:
        if value is not None and (value + margin >= nyquist or value - margin < 0):
            raise InputError(
                f"{path}: signals.{name} {value:g} Hz does not fit a recording of {sfreq:g} Hz; set it "
                f"to a frequency from {margin:.4g} Hz to below {nyquist - margin:.4g} Hz"
            )
    try:
        kernel(sfreq, signals.l_freq, signals.h_freq, tuple(signals.notch))
    except ValueError as error:
        raise InputError(
            f"{path}: signals.l_freq, h_freq or notch don't fit a recording of {sfreq:g} Hz "
            f"({' '.join(str(error).split())})"
        ) from None
