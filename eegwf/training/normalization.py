"""Normalization of the input of a network, and its statistics, which are those of the training windows only."""

import numpy as np
import torch
from torch import nn

from eegwf.training.batch_loader import BatchLoader
from eegwf.training.spectrogram_dataset import SpectrogramDataset

BLOCK_BYTES = 1 << 27
# Number of sets of rows whose statistics a loader keeps.
MAX_CACHED_STATISTICS = 10


class Normalization(nn.Module):
    """Normalization of the input, stored with the weights.

    Parameters
    ----------
    kind
        `none`; `window`: each channel of each window by its own mean and standard deviation; `patients`: each channel
        and frequency by those of the training patients; `level`: the same after the level of each window was removed,
        separately for each of several stacked spectrograms.
        Input of other kinds is normalized by recording before (`eegwf.training.recording_normalization`).
    n_chans, n_freqs
        Shape of the stored statistics.
    clip
        Limit of the normalized values; None for no limit. `none` has no limit.
    """

    mean: torch.Tensor
    deviation: torch.Tensor
    averaging: torch.Tensor

    def __init__(self, kind: str, n_chans: int, n_freqs: int, clip: float | None = None):
        super().__init__()
        self.kind, self.clip = kind, None if kind == "none" else clip
        if kind in FITTED:
            self.register_buffer("mean", torch.zeros(n_chans, n_freqs, 1))
            self.register_buffer("deviation", torch.ones(n_chans, n_freqs, 1))
        if kind == "level":
            self.register_buffer("averaging", channel_averaging(n_chans, 1))

    def fit(self, loader: BatchLoader, rows: np.ndarray) -> None:
        """Compute the statistics of `patients` and `level` from these rows only, in float64.

        Parameters
        ----------
        loader
            Loader that has the rows.
        rows
            Rows of the training windows.
        """
        if self.kind not in FITTED:
            return
        if self.kind == "level":
            self.averaging.copy_(channel_averaging(loader.dataset.n_chans, n_stacked(loader.dataset)))
        mean, deviation = channel_statistics(loader, rows, self.kind)
        self.mean.copy_(mean[:, :, None])
        self.deviation.copy_(deviation[:, :, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalized input of the same shape."""
        x = self._normalized(x)
        return x if self.clip is None else x.clamp(-self.clip, self.clip)

    def _normalized(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind in FITTED:
            x = without_level(x, self.averaging) if self.kind == "level" else x
            return (x - self.mean).div_(self.deviation)
        if self.kind == "window":
            mean = x.mean(dim=(2, 3), keepdim=True)
            return (x - mean) / x.std(dim=(2, 3), keepdim=True).clamp_min(1e-3)
        return x


def without_level(x: torch.Tensor, averaging: torch.Tensor) -> torch.Tensor:
    """Remove the level of each window, on which the gain of an amplifier acts.

    Parameters
    ----------
    x
        Windows `(n_windows, n_chans, n_freqs, n_frames)`.
    averaging
        Weights `(n_chans, n_chans)` of the channels in the level of each channel, as by `channel_averaging`.

    Returns
    -------
    torch.Tensor
        In dB, the windows without the mean of all values of a spectrogram; time series (one frequency) divided by the
        standard deviation of all their values.
    """
    if x.shape[2] == 1:
        return x / x.std(dim=(1, 2, 3), keepdim=True).clamp_min(1e-3)
    # Not a matrix product, which a GPU may compute with fewer digits.
    level = (x.mean(dim=(2, 3))[:, None] * averaging).sum(dim=2)
    return x - level[:, :, None, None]


def channel_averaging(n_chans: int, n_stacked: int) -> torch.Tensor:
    """Weights `(n_chans, n_chans)` that average over the channels of a spectrogram.

    Parameters
    ----------
    n_chans
        Number of channels of all spectrograms.
    n_stacked
        Number of spectrograms that are stacked on the channel axis; their units may differ.

    Returns
    -------
    torch.Tensor
        Blocks of equal weights on the diagonal.
    """
    size = n_chans // n_stacked
    return torch.block_diag(*[torch.full((size, size), 1 / size)] * n_stacked)


def n_stacked(dataset: SpectrogramDataset) -> int:
    """Number of spectrograms that are stacked on the channel axis; 1 for time series."""
    return len(dataset.axes["freqs"] or [None])


FITTED = ("patients", "level")
"""Kinds that have statistics of the training windows."""


def channel_statistics(
    loader: BatchLoader, rows: np.ndarray, kind: str = "patients"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each channel and frequency, computed in double precision on the device.

    The loader keeps the results, since all trials of an Optuna study need the same ones.

    Parameters
    ----------
    loader
        Loader that has the rows.
    rows
        Rows of the training windows, in any order.
    kind
        `patients`, or `level` for those of the windows without their level.

    Returns
    -------
    mean, deviation
        Tensors `(n_chans, n_freqs)`. The deviation is 1 where it is below 0.001.
    """
    rows = np.sort(rows)
    key = kind.encode() + rows.tobytes()
    if key not in loader.statistics:
        latest = list(loader.statistics.items())[-MAX_CACHED_STATISTICS:]
        loader.statistics = {**dict(latest), key: _compute_statistics(loader, rows, kind)}
        loader.wait()
    return loader.statistics[key]


def _compute_statistics(loader: BatchLoader, rows: np.ndarray, kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Statistics of sorted rows, in blocks whose size depends on the shape of a window only."""
    dataset = loader.dataset
    averaging = channel_averaging(dataset.n_chans, n_stacked(dataset)).to(loader.device) if kind == "level" else None
    total, square = torch.zeros(2, dataset.n_chans, dataset.n_freqs, dtype=torch.float64, device=loader.device)
    size = max(1, BLOCK_BYTES // (8 * dataset.n_values))
    for block in loader.stream([rows[start : start + size] for start in range(0, len(rows), size)]):
        x = (block if averaging is None else without_level(block, averaging)).double()
        total += x.sum(dim=(0, 3))
        square += x.square().sum(dim=(0, 3))
    count = len(rows) * dataset.n_frames
    mean = total / count
    deviation = (square / count - mean**2).clamp_min(0).sqrt()
    return mean, torch.where(deviation < 1e-3, 1.0, deviation)
