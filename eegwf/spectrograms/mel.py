"""Mel spectrogram: the power of the STFT through a bank of Slaney's mel filters."""

import math
from typing import Literal

import numpy as np
import torch
from scipy.signal import get_window

from eegwf.spectrograms.axes import window_samples
from eegwf.spectrograms.base import Spectrogram
from eegwf.spectrograms.frames import Frames
from eegwf.spectrograms.stft import FLOOR, density_scale

LINEAR_HZ = 200 / 3
"""Hz per mel below 1 kHz."""
CORNER_HZ = 1000.0
CORNER_MEL = CORNER_HZ / LINEAR_HZ
LOG_STEP = math.log(6.4) / 27
"""Above 1 kHz a mel multiplies the frequency by exp(LOG_STEP): 27 of them by 6.4."""


class Mel(Spectrogram):
    """Mean power spectral density under mel filters, in uV^2/Hz.

    Frames and densities are those of `eegwf.spectrograms.stft.STFT`, at the multiples of 1 / `window`. The
    filters (attribute `filters`, (n_freqs, window * sfreq // 2 + 1), 1/Hz) are those of
    `librosa.filters.mel(htk=False, norm="slaney")`: triangles evenly spaced on the mel scale of Slaney's
    Auditory Toolbox (1998), of area 1. The sum over the bins is multiplied by their distance, so that flat
    noise has the same level in mel and STFT; librosa leaves that constant factor out.

    By definition this scale is linear below 1 kHz: up to there, which is all of the EEG, the filters are equal
    triangles at equal distances, and what mel adds to the STFT is the averaging over each row's band.

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    n_times
        Samples of a window.
    n_freqs, n_frames
        Rows (filters) and columns of the result.
    f_min, f_max
        Lower end of the lowest filter and upper end of the highest, in Hz; `freqs` are their peaks.
    window
        Length of the Hann window in seconds, rounded to samples; also the length of the FFT.
    output
        "db": 10 log10(power + floor); "power": uV^2/Hz.
    floor
        Power added before the logarithm, uV^2/Hz; silence becomes 10 log10(floor) = -40 dB.

    Raises
    ------
    ValueError
        If the frequencies or the Hann window don't fit the sampling rate and the window, or if a filter falls
        between the bins of the FFT; the message says how many filters, or what window, would do.
    """

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
        n_freqs: int,
        n_frames: int,
        f_min: float,
        f_max: float,
        window: float,
        output: Literal["db", "power"] = "db",
        floor: float = FLOOR,
    ):
        super().__init__(
            sfreq=sfreq,
            n_times=n_times,
            n_freqs=n_freqs,
            n_frames=n_frames,
            f_min=f_min,
            f_max=f_max,
            floor=floor,
            output=output,
        )
        length = window_samples(self.name, window, sfreq, n_times)
        filters = mel_filters(sfreq, length, n_freqs, f_min, f_max)
        if empty_filters(filters):
            raise ValueError(self._no_empty_filters(filters, length, f_min, f_max))
        self.freqs = mel_points(n_freqs, f_min, f_max)[1:-1]
        hann = get_window("hann", length)
        bins = np.arange(length // 2 + 1) * sfreq / length
        scale = density_scale(bins, sfreq, hann) * sfreq / length
        self.frames = Frames(n_times, n_frames, length)
        self._constant("hann", hann)
        self._constant("filters", filters)
        self._constant("scale", scale)

    def _power(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        hann, bank = self.hann.to(signals.dtype), (self.filters * self.scale).T.to(signals.dtype)
        blocks = []
        for part in signals.split(max(1, block // self.frames.numel())):
            spectrum = torch.fft.rfft(self.frames(part) * hann)
            power = spectrum.real.square() + spectrum.imag.square()
            blocks.append((power @ bank).transpose(1, 2))
        return torch.cat(blocks) if blocks else signals.new_zeros(0, self.n_freqs, self.n_frames)

    def _no_empty_filters(self, filters: np.ndarray, length: int, f_min: float, f_max: float) -> str:
        sfreq = self.sfreq
        fewer = next(
            (
                n
                for n in range(self.n_freqs - 1, 0, -1)
                if not empty_filters(mel_filters(sfreq, length, n, f_min, f_max))
            ),
            None,
        )
        # an open interval wider than the distance of the bins holds a bin
        points = mel_points(self.n_freqs, f_min, f_max)
        longer = math.floor(sfreq / np.min(points[2:] - points[:-2])) + 1
        while longer <= self.n_times and empty_filters(mel_filters(sfreq, longer, self.n_freqs, f_min, f_max)):
            longer += 1
        ways = [f"n_freqs: {fewer}"] if fewer else []
        if longer <= self.n_times:
            ways.append(f"window: {math.ceil(longer / sfreq * 1000) / 1000:g}")
        return (
            f"mel: {empty_filters(filters)} of {self.n_freqs} filters from {f_min:g} to {f_max:g} Hz lie between the "
            f"bins of a {length / sfreq:g}-s Hann window, {sfreq / length:.3g} Hz apart, and would be empty; "
            f"choose {' or '.join(ways) or 'a wider range of frequencies'}"
        )


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
