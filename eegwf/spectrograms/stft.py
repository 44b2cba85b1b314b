"""Short-time Fourier transform at arbitrary, evenly spaced frequencies and times."""

import numpy as np
import torch

from eegwf.spectrograms.axes import window_samples
from eegwf.spectrograms.base import Output, PowerSpectrogram
from eegwf.spectrograms.frames import Frames, hann_window

FLOOR = 1e-4
"""uV^2/Hz: 10 nV per root Hz, about the thermal noise of a 5-kOhm electrode and thus below any EEG."""


class STFT(PowerSpectrogram):
    """Power spectral density of Hann-windowed frames, one-sided, in uV^2/Hz.

    The frames (periodic Hann window, not detrended) are centered on `n_frames` equal cells of the window, to the
    nearest sample (`eegwf.spectrograms.axes.frame_starts`). Beyond its edges, the window is continued by its mirror
    image. The Fourier sum is evaluated at `n_freqs` evenly spaced frequencies from `f_min` to `f_max`, both included,
    which need not be multiples of 1 / `window`. At a multiple, the result is that of `scipy.signal.ShortTimeFFT`
    (`scale_to="psd"`, `fft_mode="onesided2X"`); at other frequencies, it is that of a zero-padded FFT. A row covers
    about 1 / `window` Hz on either side, so rows more than 2 / `window` apart leave gaps between them.

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
        Lowest and highest frequency in Hz; `f_max` None means half of the sampling rate.
    window
        Length of the Hann window in seconds, rounded to samples.
    output
        "db": 10 log10(power + floor); "power": uV^2/Hz; "magnitude": its square root, uV/sqrt(Hz).
    floor
        Power added before the logarithm, uV^2/Hz; a signal of zeros is 10 log10(floor) = -40 dB.
    check_finite
        Whether to refuse NaN and infinity; on a GPU the check waits for the input.

    Raises
    ------
    ValueError
        If the frequencies or the Hann window do not fit the sampling rate and the window.
    """

    cosines: torch.Tensor
    sines: torch.Tensor

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
        span: float | None = None,
        n_freqs: int = 100,
        n_frames: int | None = None,
        hop: float | None = None,
        f_min: float = 1.0,
        f_max: float | None = None,
        window: float = 1.0,
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
        self.freqs = np.linspace(self.f_min, self.f_max, self.n_freqs)
        self.frames = Frames(self.n_times, self.n_frames, length)
        self.n_pairs = length // 2
        cosines, sines = fourier_kernels(self.freqs, self.sfreq, length)
        self._constant("cosines", cosines)
        self._constant("sines", sines)

    def _power(self, signals: torch.Tensor, block: int) -> torch.Tensor:
        cosines, sines = self.cosines.to(signals.dtype), self.sines.to(signals.dtype)
        blocks = []
        for part in signals.split(max(1, block // self.frames.numel())):
            frames = self.frames(part)
            # A frame is the sum of an even and an odd part about its middle. Cosines are even and sines odd, so each
            # product needs only half of the frame.
            left = frames[..., 1 : self.n_pairs + 1].mT
            right = frames[..., self.frames.length - self.n_pairs :].flip(-1).mT
            even = torch.bmm(cosines.expand(len(part), -1, -1), left + right)
            odd = torch.bmm(sines.expand(len(part), -1, -1), left - right)
            blocks.append(torch.addcmul(even.square(), odd, odd))
        return torch.cat(blocks) if blocks else signals.new_zeros(0, self.n_freqs, self.n_frames)


def density_scale(freqs: np.ndarray, sfreq: float, hann: np.ndarray) -> np.ndarray:
    """Factor that converts the squared magnitude of the Fourier sum to a one-sided density.

    Parameters
    ----------
    freqs
        Frequencies in Hz, shape (n_freqs,).
    sfreq
        Sampling rate in Hz.
    hann
        The window, shape (length,).

    Returns
    -------
    numpy.ndarray
        1/Hz, shape (n_freqs,); the power is doubled except at 0 Hz and at half of `sfreq`, which have no counterpart
        at negative frequencies.
    """
    single = (freqs == 0) | np.isclose(freqs, sfreq / 2, rtol=1e-12, atol=0)
    return np.where(single, 1.0, 2.0) / (sfreq * np.sum(hann**2))


def fourier_kernels(freqs: np.ndarray, sfreq: float, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Windowed cosines and sines for the even and the odd part of a frame.

    Row f of the cosines is multiplied with the sums, and of the sines with the differences, of samples n and
    `length - n`, for n from 1 to `length // 2`. The sum of the squares of both products is the density of the frame.
    Sample 0 is not needed, since the periodic Hann window is 0 there.

    Parameters
    ----------
    freqs
        Frequencies in Hz, shape (n_freqs,).
    sfreq
        Sampling rate in Hz.
    length
        Samples of a frame.

    Returns
    -------
    cosines, sines : numpy.ndarray
        Shape (n_freqs, length // 2).
    """
    hann = hann_window(length)
    samples = np.arange(1, length // 2 + 1)
    scale = np.sqrt(density_scale(freqs, sfreq, hann))
    # The middle sample of an even length is its own mirror image: sum and difference contain it twice.
    weight = hann[samples] * np.where(2 * samples == length, 0.5, 1.0)
    phase = 2 * np.pi * np.outer(freqs, length / 2 - samples) / sfreq
    return np.cos(phase) * scale[:, None] * weight, np.sin(phase) * scale[:, None] * weight
