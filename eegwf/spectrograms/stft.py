"""Short-time Fourier transform on exactly the rows and columns that are asked for."""

import numpy as np
import torch
from scipy.signal import get_window

from eegwf.spectrograms.axes import window_samples
from eegwf.spectrograms.base import Output, Spectrogram
from eegwf.spectrograms.frames import Frames

FLOOR = 1e-4
"""uV^2/Hz: 10 nV per root Hz, about the thermal noise of a 5-kOhm electrode; below it there is no EEG."""


class STFT(Spectrogram):
    """Power spectral density of Hann-windowed frames, one-sided, in uV^2/Hz.

    The frames (periodic Hann, not detrended) are centred on `n_frames` equal cells of the window, to the
    nearest sample (`eegwf.spectrograms.axes.frame_starts`); beyond its edges the window goes on as its mirror
    image. The Fourier sum is evaluated at `n_freqs` frequencies from `f_min` to `f_max`, ends included, spaced
    evenly: no frequency has to be a multiple of 1 / `window`. Where one is, it is the value that
    `scipy.signal.ShortTimeFFT` gives (`scale_to="psd"`, `fft_mode="onesided2X"`), where not, the value of a
    zero-padded FFT. A row sees about 1 / `window` Hz to either side: rows further apart than 2 / `window`
    leave gaps between them.

    Parameters
    ----------
    sfreq
        Sampling rate in Hz.
    n_times
        Samples of a window.
    n_freqs, n_frames
        Rows and columns of the result; 100 columns if neither `n_frames` nor `hop` is given.
    hop
        Distance of the columns in seconds, in place of `n_frames`; it must divide the window.
    f_min, f_max
        Lowest and highest frequency in Hz; `f_max` None: half of the sampling rate.
    window
        Length of the Hann window in seconds, rounded to samples.
    output
        "db": 10 log10(power + floor); "power": uV^2/Hz; "magnitude": its root, uV/sqrt(Hz).
    floor
        Power added before the logarithm, uV^2/Hz; silence becomes 10 log10(floor) = -40 dB.
    check_finite
        Refuse NaN and infinity; on a GPU the check waits for the input.

    Raises
    ------
    ValueError
        If the frequencies or the Hann window don't fit the sampling rate and the window.
    """

    def __init__(
        self,
        *,
        sfreq: float,
        n_times: int,
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
            # About its middle a frame is even plus odd; cosines see the one, sines the other.
            left = frames[..., 1 : self.n_pairs + 1].mT
            right = frames[..., self.frames.length - self.n_pairs :].flip(-1).mT
            even = torch.bmm(cosines.expand(len(part), -1, -1), left + right)
            odd = torch.bmm(sines.expand(len(part), -1, -1), left - right)
            blocks.append(torch.addcmul(even.square(), odd, odd))
        return torch.cat(blocks) if blocks else signals.new_zeros(0, self.n_freqs, self.n_frames)


def density_scale(freqs: np.ndarray, sfreq: float, hann: np.ndarray) -> np.ndarray:
    """Factor from |Fourier sum|^2 to one-sided density: doubled, but at 0 Hz and at half of `sfreq`."""
    single = (freqs == 0) | np.isclose(freqs, sfreq / 2, rtol=1e-12, atol=0)
    return np.where(single, 1.0, 2.0) / (sfreq * np.sum(hann**2))


def fourier_kernels(freqs: np.ndarray, sfreq: float, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n_freqs, length // 2) for the sums and differences of samples n and `length - n`, n from 1 on.

    The sum of the squares of both products is the density of the frame.
    """
    hann = get_window("hann", length)
    samples = np.arange(1, length // 2 + 1)
    scale = np.sqrt(density_scale(freqs, sfreq, hann))
    weight = hann[samples] * np.where(2 * samples == length, 0.5, 1.0)  # the sample in the middle is its own mirror
    phase = 2 * np.pi * np.outer(freqs, length / 2 - samples) / sfreq
    return np.cos(phase) * scale[:, None] * weight, np.sin(phase) * scale[:, None] * weight
