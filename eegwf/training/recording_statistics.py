"""Statistics of the windows of a recording, and the normalization of its windows by them. No labels are used.

Of each window only its own statistics are kept, so that a recording of a day fits into memory.
"""

from typing import NamedTuple

import numpy as np
import torch

from eegwf.errors import InputError
from eegwf.training.running_quantiles import RunningQuantiles, quantile_of_sorted

# Interquartile range of a normal distribution with standard deviation 1.
NORMAL_IQR = np.float32(1.3489795)
QUARTILES = (0.25, 0.5, 0.75)
# Scale below which a channel counts as constant and is not divided.
MIN_SCALE = 1e-3
# Ridge of the covariance, relative to the mean variance of the channels, and the smallest one in square microvolts.
RIDGE, MIN_RIDGE = 1e-3, 1e-6
FLOAT16_MAX = float(torch.finfo(torch.float16).max)


class Scaling(NamedTuple):
    """Normalization by a center and a scale of each channel and frequency.

    Attributes
    ----------
    center, scale
        float32 `(n, n_chans, n_freqs, 1)`, with n 1 or the number of windows.
    """

    center: torch.Tensor
    scale: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Normalized windows `(n_windows, n_chans, n_freqs, n_frames)`."""
        return (x - self.center.to(x.device)).div_(self.scale.to(x.device))


class Whitening(NamedTuple):
    """Normalization by a matrix of the channels.

    Attributes
    ----------
    matrix
        float64 `(n, n_chans, n_chans)`, with n 1 or the number of windows.
    """

    matrix: torch.Tensor

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Normalized time series `(n_windows, n_chans, 1, n_times)`."""
        # One product of fixed shape for each window, in double precision, so that no bit depends on the other windows.
        matrices = self.matrix.to(x.device).expand(len(x), -1, -1)
        parts = [matrix @ window[:, 0].double() for matrix, window in zip(matrices, x, strict=True)]
        return torch.stack(parts).to(x.dtype)[:, :, None] if parts else x


Normalizer = Scaling | Whitening


def finite_in_half(x: torch.Tensor) -> torch.Tensor:
    """Limit values to those of half precision; NaN stays NaN."""
    return x.clamp(-FLOAT16_MAX, FLOAT16_MAX)


class RunningScale:
    """Center and scale of each channel and frequency over the windows so far (`recording_causal`).

    Notes
    -----
    Let m be the mean and d the standard deviation of a window over its frames. The center is the median of m over the
    windows. The scale is the root of the sum of two squares: interquartile range of m divided by 1.349, the robust
    deviation between windows, and median of d, the deviation within them. Of a single window, the scale is d. A scale
    below 0.001 is replaced by 1.
    """

    def __init__(self) -> None:
        self._means, self._deviations = RunningQuantiles(QUARTILES), RunningQuantiles((0.5,))

    def add(self, windows: np.ndarray) -> Scaling:
        """Add windows and return the normalization of each of them.

        Parameters
        ----------
        windows
            float32 `(n_windows, n_chans, n_freqs, n_frames)`, in order of onset.

        Returns
        -------
        Scaling
            That of each window, by the windows up to and including it.
        """
        shape = windows.shape[:3]
        mean, deviation = _window_statistics(windows)
        lower, center, upper = self._means.add(mean)
        (within,) = self._deviations.add(deviation)
        return _scaling(lower, center, upper, within, shape)


class RecordingScale:
    """Center and scale over all windows of a recording (`recording`): those of `RunningScale` after the last window."""

    def __init__(self) -> None:
        self._statistics: list[tuple[np.ndarray, np.ndarray]] = []
        self._shape: tuple[int, ...] = ()

    def add(self, windows: np.ndarray) -> None:
        """Add windows, float32 `(n_windows, n_chans, n_freqs, n_frames)`."""
        self._shape = (1, *windows.shape[1:3])
        self._statistics.append(_window_statistics(windows))

    def result(self) -> Scaling:
        """Normalization of all windows."""
        means, deviations = (np.sort(np.concatenate(parts).T, axis=1) for parts in zip(*self._statistics, strict=True))
        lower, center, upper = (quantile_of_sorted(means, probability) for probability in QUARTILES)
        return _scaling(lower, center, upper, quantile_of_sorted(deviations, 0.5), self._shape)


class MeanCovariance:
    """Mean covariance of the channels of time series (`aligned`).

    Notes
    -----
    He and Wu 2020 (IEEE Transactions on Biomedical Engineering 67): windows are multiplied by the inverse square root
    of the mean of their covariances, which is the unit matrix afterward. Here the mean of each window is subtracted
    before its covariance is computed, and a thousandth of the mean variance is added to the diagonal, since an average
    reference and bipolar montages make the covariance singular.
    """

    def __init__(self) -> None:
        self._sum: np.ndarray | float = 0.0
        self._count = 0

    def add(self, windows: np.ndarray) -> None:
        """Add windows, float32 `(n_windows, n_chans, 1, n_times)` in microvolts.

        Raises
        ------
        InputError
            If they are spectrograms.
        """
        refuse_spectrogram(windows.shape[2])
        for window in windows[:, :, 0].astype(np.float64):
            centered = window - window.mean(axis=1, keepdims=True)
            # Not BLAS, whose bits depend on the number of threads.
            self._sum = self._sum + np.einsum("ct,dt->cd", centered, centered, optimize=False) / window.shape[1]
        self._count += len(windows)

    def result(self) -> Whitening:
        """Normalization of all windows."""
        covariance = np.asarray(self._sum / self._count)
        if not np.isfinite(covariance).all():
            return Whitening(torch.full((1, *covariance.shape), torch.nan, dtype=torch.float64))
        values, vectors = np.linalg.eigh(covariance)
        ridge = max(RIDGE * float(np.trace(covariance)) / len(covariance), MIN_RIDGE)
        root = (vectors / np.sqrt(np.maximum(values, 0) + ridge)) @ vectors.T
        return Whitening(torch.from_numpy(root)[None])


WHOLE_RECORDING: dict[str, type[RecordingScale] | type[MeanCovariance]] = {
    "recording": RecordingScale,
    "aligned": MeanCovariance,
}
"""Kinds whose statistics are those of all windows of a recording."""


def refuse_spectrogram(n_freqs: int) -> None:
    """Refuse spectrograms for `aligned`.

    Raises
    ------
    InputError
        If there are several frequencies.
    """
    if n_freqs > 1:
        raise InputError(
            f"training.normalization: aligned is for raw, the time series, but the input has {n_freqs} frequencies; "
            "choose another normalization"
        )


def _window_statistics(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each window over its frames, float32 `(n_windows, n_chans * n_freqs)`."""
    x = np.ascontiguousarray(windows, dtype=np.float32)
    mean = x.mean(axis=3, keepdims=True)
    deviation = np.sqrt(np.square(x - mean).mean(axis=3))
    return mean.reshape(len(x), -1), deviation.reshape(len(x), -1)


def _scaling(
    lower: np.ndarray, center: np.ndarray, upper: np.ndarray, within: np.ndarray, shape: tuple[int, ...]
) -> Scaling:
    between = (upper - lower) / NORMAL_IQR
    scale = np.sqrt(np.square(between) + np.square(within))
    scale = np.where(scale < MIN_SCALE, np.float32(1), scale)
    return Scaling(*(torch.from_numpy(values.reshape(*shape, 1)) for values in (center, scale)))
