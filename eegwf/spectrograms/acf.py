"""Short-time autocorrelation: how similar a signal is to itself one period of a repetition rate later."""

import numpy as np
import torch
from scipy.fft import next_fast_len

from eegwf.spectrograms.base import Spectrogram
from eegwf.spectrograms.frames import Frames
from eegwf.spectrograms.lags import correlation_kernels, frame_samples

FLOOR = 1e-4
"""uV^2: variance of a signal of 10 nV, which is below any EEG. It makes the autocorrelation of a flat frame 0 instead
of undefined, and changes that of an EEG of 1 uV by a ten-thousandth."""


class ACF(Spectrogram):
    """Autocorrelation of frames at the lags 1 / f, without unit, about -1 to 1.

    The frames are centered on `n_frames` equal cells of the window, to the nearest sample
    (`eegwf.spectrograms.axes.frame_starts`), and not tapered; beyond its edges, the window is continued by its mirror
    image. The mean of a frame is subtracted. Row f is r(1 / f) / (r(0) + floor), where r(d) is the sum of the products
    of the samples of the frame with those d seconds later, divided by the number of the products (the unbiased
    estimate, which can exceed r(0) somewhat). At a lag that is no whole number of samples, the frame is interpolated
    between them by its Fourier series, that is, without a loss of high frequencies.

    The gain of an amplifier has no effect, except that of the floor. A signal that repeats itself f times per second
    has a maximum near 1 at f, whatever its waveform, and at f/2, f/3, ..., since it is also equal to itself after two
    or three periods. The periodicity of the EEG distinguishes neonatal seizures (Liu et al. 1992,
    Electroencephalogr. Clin. Neurophysiol. 82:30; Navakatikyan et al. 2006, Clin. Neurophysiol. 117:1190).

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    n_times
        Number of samples of a window, with its context.
    span
        Seconds in the middle of it that are transformed; None for all.
    n_freqs, n_frames
        Rows and columns of the result; 100 columns if neither `n_frames` nor `hop` is given.
    hop
        Distance between columns in seconds, instead of `n_frames`; the span must be a multiple of it.
    f_min, f_max
        Lowest and highest repetition rate in Hz; `freqs` are evenly spaced in the logarithm between them, both
        included. `f_max` None means half of the sampling rate.
    window
        Length of a frame in seconds, rounded to samples; at least 1.5 / `f_min`.
    floor
        Variance in uV^2 that is added to r(0); a flat signal is 0.
    check_finite
        Whether to refuse NaN and infinity; on a GPU the check waits for the input.

    Raises
    ------
    ValueError
        If the rates or the frames do not fit the sampling rate and the window.

    Notes
    -----
    By the Wiener-Khinchin theorem, the sum of products at a lag is a sum of cosines over the power of the frame, which
    was padded with zeros to twice its length. The variance and all lags together are one matrix product.
    """

    kernels: torch.Tensor

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
        n_freqs: int = 100,
        n_frames: int | None = None,
        hop: float | None = None,
        span: float | None = None,
        f_min: float = 0.5,
        f_max: float | None = 8.0,
        window: float = 3.0,
        floor: float = FLOOR,
        check_finite: bool = True,
    ):
        super().__init__(
            sfreq=sfreq,
            n_times=n_times,
            n_freqs=n_freqs,
            n_frames=n_frames,
            hop=hop,
            span=span,
            f_min=f_min,
            f_max=f_max,
            floor=floor,
            check_finite=check_finite,
        )
        length = frame_samples(window, self.sfreq, self.n_times, self.f_min)
        self.freqs = np.geomspace(self.f_min, self.f_max, self.n_freqs)
        self.frames = Frames(self.n_times, self.n_frames, length)
        self.n_fft = next_fast_len(2 * length, real=True)
        weights, cosines = correlation_kernels(self.sfreq / self.freqs, length, self.n_fft)
        self._constant("kernels", np.concatenate([weights[None], cosines]))

    def _transform(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        kernels, blocks = self.kernels.to(signals.dtype), []
        for part in signals.split(max(1, block // (2 * self.n_frames * self.n_fft))):
            frames = self.frames(part)
            frames = frames - frames.mean(dim=-1, keepdim=True)
            parts = torch.view_as_real(torch.fft.rfft(frames, self.n_fft))
            parts = parts.square() if parts.requires_grad else parts.square_()
            power = (parts[..., 0] + parts[..., 1]).mT
            # The variance is a row of this product, whose shape is fixed: the bits of a product over all frames of the
            # block would depend on the place of a frame.
            sums = torch.bmm(kernels.expand(len(part), -1, -1), power)
            blocks.append(sums[:, 1:] / (sums[:, :1] + self.floor))
        return torch.cat(blocks)
