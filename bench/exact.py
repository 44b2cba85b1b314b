"""The continuous wavelet transform by its definition, in double precision, and noise to compare transforms on."""

import numpy as np

from eegwf.spectrograms.cwt import CWT


def exact_power(x: np.ndarray, module: CWT, fine: int = 256) -> np.ndarray:
    """Compute the mean power of the cells in double precision.

    Parameters
    ----------
    x
        Signals in microvolts, shape (n, n_times).
    module
        Transform with the wavelet, the frequencies and the grid.
    fine
        Minimum number of points per cell at which the coefficients are evaluated; the trapezoidal rule on 256 points
        is exact to 1e-5.

    Returns
    -------
    numpy.ndarray
        Power, shape (n, n_freqs, n_frames).

    Notes
    -----
    The analytic spectrum of the wavelet is multiplied with the whole spectrum of the mirrored signal, for all
    frequencies up to half of the sampling rate.
    """
    n_times, n_frames = module.n_times, module.n_frames
    fine = max(fine, -(-2 * n_times // n_frames))
    mirrored = np.concatenate([x, x[:, ::-1]], axis=-1)
    bins = np.arange(n_times)
    spectrum = np.fft.rfft(mirrored)[:, :n_times] * np.exp(-0.5j * np.pi * bins / n_times)
    cosines = spectrum.real / n_times
    power = np.empty((len(x), module.n_freqs, n_frames))
    for row, freq in enumerate(module.freqs):
        gain = module.wavelet.gain(bins * module.sfreq / (2 * n_times) / freq)
        waves = np.abs(np.fft.rfft(cosines * gain, n=2 * n_frames * fine)) ** 2
        edges = waves[:, ::fine]
        inside = waves[:, :-1].reshape(len(x), n_frames, fine).sum(-1)
        power[:, row] = (inside + (edges[:, 1:] - edges[:, :-1]) / 2) / fine
    return power


def noise(color: float, shape: tuple[int, int], seed: int) -> np.ndarray:
    """Draw Gaussian noise with a standard deviation of 30 uV.

    Parameters
    ----------
    color
        Exponent of the decrease of power with frequency: 0 for white noise, 1 for pink noise.
    shape
        Shape of the result, (n, n_times).
    seed
        Random seed.

    Returns
    -------
    numpy.ndarray
        The noise in microvolts.
    """
    white = np.fft.rfft(np.random.default_rng(seed).normal(size=shape))
    decrease = np.maximum(np.arange(white.shape[1]), 1.0) ** (-color / 2)
    x = np.fft.irfft(white * decrease, n=shape[1])
    return 30 * x / x.std()


def relative_error(measured: np.ndarray, expected: np.ndarray) -> float:
    """Relative error in the Frobenius norm.

    Parameters
    ----------
    measured, expected
        Arrays of the same shape.

    Returns
    -------
    float
        Norm of the difference, divided by the norm of the expected values.
    """
    return float(np.linalg.norm(measured - expected) / np.linalg.norm(expected))
