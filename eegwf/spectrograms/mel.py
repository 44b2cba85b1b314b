"""Mel spectrogram: power of the STFT, filtered by Slaney's mel filters."""

import numpy as np
import torch

from eegwf.spectrograms.axes import window_samples
from eegwf.spectrograms.base import Output, PowerSpectrogram
from eegwf.spectrograms.filters import check_filters, mel_filters, mel_points
from eegwf.spectrograms.frames import Frames, hann_window
from eegwf.spectrograms.stft import FLOOR, density_scale


class Mel(PowerSpectrogram):
    """Mean power spectral density under mel filters, in uV^2/Hz.

    Frames and densities are those of `eegwf.spectrograms.stft.STFT` at the multiples of 1 / `window`. The filters
    (attribute `filters`, (n_freqs, window * sfreq // 2 + 1), 1/Hz) are those of
    `librosa.filters.mel(htk=False, norm="slaney")`: triangles of area 1 that are evenly spaced on the mel scale of
    Slaney's Auditory Toolbox (1998). The sum over the bins is multiplied by the distance between bins, so that white
    noise has the same level in mel and STFT; librosa omits this constant factor.

    By definition, the mel scale is linear below 1 kHz. In this range, which contains all of the EEG, the filters are
    equal triangles at equal distances, and mel differs from the STFT in that each row is an average over its band.

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of a window, with its context.
    span
        Seconds in the middle of it that are transformed; None for all.
    n_freqs, n_frames
        Rows (filters) and columns of the result; 100 columns if neither `n_frames` nor `hop` is given.
    hop
        Distance between columns in seconds, instead of `n_frames`; the span must be a multiple of it.
    f_min, f_max
        Lower edge of the lowest filter and upper edge of the highest, in Hz; `freqs` are the peaks. `f_max` None
        means half of the sampling rate.
    window
        Length of the Hann window in seconds, rounded to samples; also the length of the FFT.
    output
        "db": 10 log10(power + floor); "power": uV^2/Hz; "magnitude": its square root, uV/sqrt(Hz).
    floor
        Power added before the logarithm, uV^2/Hz; a signal of zeros is 10 log10(floor) = -40 dB.
    check_finite
        Whether to refuse NaN and infinity; on a GPU the check waits for the input.

    Raises
    ------
    ValueError
        If the frequencies or the Hann window do not fit the sampling rate and the window, or if a filter lies between
        two bins of the FFT; the message names the number of filters, or the window, that avoids it.
    """

    hann: torch.Tensor
    filters: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
        span: float | None = None,
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
            span=span,
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
        hann = hann_window(length)
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
        return torch.cat(blocks)


def filter_spans(filters: np.ndarray, parts: int = 4) -> list[tuple[slice, slice]]:
    """Divide a filter bank into groups of rows with the bins that they cover, since most weights of the bank are 0.

    Parameters
    ----------
    filters
        Weights of the bins, shape (n_freqs, n_bins).
    parts
        Maximum number of groups.

    Returns
    -------
    list of tuple
        Slices of the rows and of the bins of each group.
    """
    spans = []
    for rows in np.array_split(np.arange(len(filters)), min(parts, len(filters))):
        bins = np.flatnonzero(filters[rows].any(axis=0))
        spans.append((slice(rows[0], rows[-1] + 1), slice(bins[0], bins[-1] + 1)))
    return spans
