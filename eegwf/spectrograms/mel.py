"""Mel spectrogram: the power of the STFT through a bank of Slaney's mel filters."""

import numpy as np
import torch
from scipy.signal import get_window

from eegwf.spectrograms.axes import window_samples
from eegwf.spectrograms.base import Output, Spectrogram
from eegwf.spectrograms.filters import check_filters, mel_filters, mel_points
from eegwf.spectrograms.frames import Frames
from eegwf.spectrograms.stft import FLOOR, density_scale


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
        Rows (filters) and columns of the result; 100 columns if neither `n_frames` nor `hop` is given.
    hop
        Distance of the columns in seconds, in place of `n_frames`; it must divide the window.
    f_min, f_max
        Lower end of the lowest filter and upper end of the highest, in Hz; `freqs` are their peaks. `f_max` None:
        half of the sampling rate.
    window
        Length of the Hann window in seconds, rounded to samples; also the length of the FFT.
    output
        "db": 10 log10(power + floor); "power": uV^2/Hz; "magnitude": its root, uV/sqrt(Hz).
    floor
        Power added before the logarithm, uV^2/Hz; silence becomes 10 log10(floor) = -40 dB.
    check_finite
        Refuse NaN and infinity; on a GPU the check waits for the input.

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
        n_freqs: int = 100,
        n_frames: int | None = None,
        hop: float | None = None,
        f_min: float = 0.5,
        f_max: float | None = None,
        window: float = 2.0,
        output: Output = "db",
        floor: float = FLOOR,
        check_finite: bool = True,
    ):
        super().__init__(
            sfreq=sfreq,
            n_times=n_times,
            n_freqs=n_freqs,
            n_frames=n_frames,
            hop=hop,
            f_min=f_min,
            f_max=f_max,
            floor=floor,
            output=output,
            check_finite=check_finite,
        )
        length = window_samples(self.name, window, self.sfreq, self.n_times, self.f_min)
        check_filters(self.sfreq, self.n_times, length, self.n_freqs, self.f_min, self.f_max)
        filters = mel_filters(self.sfreq, length, self.n_freqs, self.f_min, self.f_max)
        self.freqs = mel_points(self.n_freqs, self.f_min, self.f_max)[1:-1]
        hann = get_window("hann", length)
        bins = np.arange(length // 2 + 1) * self.sfreq / length
        scale = density_scale(bins, self.sfreq, hann) * self.sfreq / length
        self.frames = Frames(self.n_times, self.n_frames, length)
        self._constant("hann", hann)
        self._constant("filters", filters)
        self._constant("scale", scale)
        self.spans = filter_spans(filters)

    def _power(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        hann, bank = self.hann.to(signals.dtype), (self.filters * self.scale).to(signals.dtype)
        blocks = []
        for part in signals.split(max(1, 2 * block // self.frames.numel())):
            parts = torch.view_as_real(torch.fft.rfft(self.frames(part, hann)))
            parts = parts.square() if parts.requires_grad else parts.square_()
            power = (parts[..., 0] + parts[..., 1]).mT
            rows = [torch.bmm(bank[rows, bins].expand(len(part), -1, -1), power[:, bins]) for rows, bins in self.spans]
            blocks.append(torch.cat(rows, dim=1))
        return torch.cat(blocks) if blocks else signals.new_zeros(0, self.n_freqs, self.n_frames)


def filter_spans(filters: np.ndarray, parts: int = 4) -> list[tuple[slice, slice]]:
    """Rows of a filter bank in some parts, each with the bins that its filters touch: little of the bank is not 0."""
    spans = []
    for rows in np.array_split(np.arange(len(filters)), min(parts, len(filters))):
        bins = np.flatnonzero(filters[rows].any(axis=0))
        spans.append((slice(rows[0], rows[-1] + 1), slice(bins[0], bins[-1] + 1)))
    return spans
