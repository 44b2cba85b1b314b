"""How others compute the same spectrograms of one window, (n_chans, n_times), as their manuals say."""

from collections.abc import Callable

import librosa
import numpy as np
import pywt
import ssqueezepy
from scipy.signal import ShortTimeFFT, get_window

SFREQ, N_CHANS, N_TIMES, N_FREQS, N_FRAMES = 256.0, 20, 5120, 100, 100
HOP = N_TIMES // N_FRAMES
CYCLES = 6.0
FREQS = np.geomspace(1.0, SFREQ / 2, N_FREQS)
CENTRE = CYCLES / (2 * np.pi)
MORLET = f"cmor2.0-{CENTRE:.15f}"
STARTS = np.arange(N_FRAMES) * N_TIMES // N_FRAMES


def pool(coefficients: np.ndarray) -> np.ndarray:
    """Root mean square over the columns of the grid, which hold 51 or 52 samples."""
    power = coefficients.real**2 + coefficients.imag**2
    return np.sqrt(np.add.reduceat(power, STARTS, axis=-1) / np.diff([*STARTS, N_TIMES]))


def pywavelets(x: np.ndarray) -> np.ndarray:
    """All channels in one call, which is its fastest."""
    return pool(pywt.cwt(x, CENTRE * SFREQ / FREQS, MORLET, method="fft", axis=-1)[0])


def pywavelets_by_channel(x: np.ndarray) -> list[np.ndarray]:
    """A call for each channel, as most scripts have it."""
    return [pywavelets(channel) for channel in x]


def ssqueeze(x: np.ndarray) -> list[np.ndarray]:
    """ssqueezepy, a call for each channel."""
    scales = CENTRE * SFREQ / FREQS[::-1]
    return [pool(ssqueezepy.cwt(channel, ("morlet", {"mu": CYCLES}), scales=scales)[0]) for channel in x]


def fcwt_or_none() -> Callable[[np.ndarray], object] | None:
    """The fCWT library, if it is installed: it needs a compiler and FFTW."""
    try:
        import fcwt
    except ImportError:
        return None
    return lambda x: [
        pool(np.asarray(fcwt.cwt(channel, int(SFREQ), 1.0, SFREQ / 2, N_FREQS, scaling="log")[1])) for channel in x
    ]


SLIDING = ShortTimeFFT(get_window("hann", 256), hop=HOP, fs=SFREQ, scale_to="psd", fft_mode="onesided2X")


def scipy_stft(x: np.ndarray) -> np.ndarray:
    """Frames of 1 s every 51 samples, 129 frequencies."""
    return SLIDING.spectrogram(x)


def librosa_mel(x: np.ndarray) -> np.ndarray:
    """Frames of 2 s every 51 samples, 100 filters."""
    return librosa.feature.melspectrogram(
        y=x, sr=int(SFREQ), n_fft=512, hop_length=HOP, n_mels=N_FREQS, fmin=0.5, fmax=SFREQ / 2, htk=False
    )
