"""The continuous wavelet transform by its definition, and noises to try it on."""

import numpy as np

from eegwf.spectrograms.cwt import CWT


def exact_power(x: np.ndarray, module: CWT, fine: int = 256) -> np.ndarray:
    """Mean power of the cells, (n, n_freqs, n_frames), in double precision.

    The analytic spectrum of the wavelet times the whole spectrum of the mirrored signal, evaluated at `fine`
    points a cell or more (the trapezoidal rule on them is exact to 1e-5), for all frequencies up to half of the rate.
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


def noise(colour: float, shape: tuple[int, int], seed: int) -> np.ndarray:
    """Gaussian noise of 30 uV whose power falls with frequency to the power of `colour`: 0 white, 1 pink."""
    white = np.fft.rfft(np.random.default_rng(seed).normal(size=shape))
    falling = np.maximum(np.arange(white.shape[1]), 1.0) ** (-colour / 2)
    x = np.fft.irfft(white * falling, n=shape[1])
    return 30 * x / x.std()


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """Frobenius norm of the difference over that of what was expected."""
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))
