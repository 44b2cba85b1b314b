"""The same spectrograms of one window (n_chans, n_times), computed by other libraries as their manuals describe it."""

from collections.abc import Callable

import librosa
import numpy as np
import pywt
import ssqueezepy
from scipy.signal import ShortTimeFFT, get_window

from bench.shapes import N_FRAMES, N_FREQS, N_TIMES, SFREQ

HOP = N_TIMES // N_FRAMES
CYCLES = 6.0
FREQS = np.geomspace(1.0, SFREQ / 2, N_FREQS)
CENTER = CYCLES / (2 * np.pi)
MORLET = f"cmor2.0-{CENTER:.15f}"
STARTS = np.arange(N_FRAMES) * N_TIMES // N_FRAMES


def pool(coefficients: np.ndarray) -> np.ndarray:
    """Root mean square of the coefficients over each column of the grid, which has 51 or 52 samples."""
    power = coefficients.real**2 + coefficients.imag**2
    return np.sqrt(np.add.reduceat(power, STARTS, axis=-1) / np.diff([*STARTS, N_TIMES]))


def pywavelets(x: np.ndarray) -> np.ndarray:
    """PyWavelets, all channels in one call, which is its fastest use."""
    return pool(pywt.cwt(x, CENTER * SFREQ / FREQS, MORLET, method="fft", axis=-1)[0])


def pywavelets_by_channel(x: np.ndarray) -> list[np.ndarray]:
    """PyWavelets, one call for each channel, as in most scripts."""
    return [pywavelets(channel) for channel in x]


def ssqueeze(x: np.ndarray) -> list[np.ndarray]:
    """ssqueezepy, one call for each channel."""
    scales = CENTER * SFREQ / FREQS[::-1]
    return [pool(ssqueezepy.cwt(channel, ("morlet", {"mu": CYCLES}), scales=scales)[0]) for channel in x]


def fcwt_or_none() -> Callable[[np.ndarray], object] | None:
    """Return the transform of fCWT, or None if it is not installed; it needs a compiler and FFTW."""
    try:
        import fcwt
    except ImportError:
        return None
    return lambda x: [
        pool(np.asarray(fcwt.cwt(channel, int(SFREQ), 1.0, SFREQ / 2, N_FREQS, scaling="log")[1])) for channel in x
    ]


SHORT_TIME_FFT = ShortTimeFFT(get_window("hann", 256), hop=HOP, fs=SFREQ, scale_to="psd", fft_mode="onesided2X")


def scipy_stft(x: np.ndarray) -> np.ndarray:
    """SciPy, windows of 1 s every 51 samples, 129 frequencies."""
    return SHORT_TIME_FFT.spectrogram(x)


def librosa_mel(x: np.ndarray) -> np.ndarray:
    """librosa, windows of 2 s every 51 samples, 100 filters."""
    return librosa.feature.melspectrogram(
        y=x, sr=int(SFREQ), n_fft=512, hop_length=HOP, n_mels=N_FREQS, fmin=0.5, fmax=SFREQ / 2, htk=False
    )
