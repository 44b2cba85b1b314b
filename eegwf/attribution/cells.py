"""Cells of a window: channel x frequency band x time interval, the units that occlusion and the evidence work on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from eegwf.attribution.bands import BANDS, BROADBAND


@dataclass(frozen=True)
class Cells:
    """Partition of the bins of a window into cells.

    Attributes
    ----------
    ch_names
        Names of the channels; those of stacked spectrograms one after another, as in the input of the model.
    band_names
        Names of the bands, in ascending frequency.
    intervals
        Start and end of each interval in seconds, `(n_intervals, 2)`.
    band
        Index of the band of each frequency of each channel, `(n_chans, n_freqs)`. Stacked spectrograms can have
        different frequencies.
    interval
        Index of the interval of each frame, `(n_frames,)`.
    """

    ch_names: tuple[str, ...]
    band_names: tuple[str, ...]
    intervals: np.ndarray
    band: np.ndarray
    interval: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of channels, bands and intervals."""
        return len(self.ch_names), len(self.band_names), len(self.intervals)

    @property
    def n_bins(self) -> np.ndarray:
        """Number of bins of each cell, `(n_chans, n_bands, n_intervals)`."""
        rows = (self.band[:, None, :] == np.arange(len(self.band_names))[:, None]).sum(axis=2)
        return rows[:, :, None] * np.bincount(self.interval, minlength=len(self.intervals))

    def mean(self, maps: torch.Tensor) -> torch.Tensor:
        """Mean over the bins of each cell.

        Parameters
        ----------
        maps
            Values of the bins, `(n, n_chans, n_freqs, n_frames)`.

        Returns
        -------
        torch.Tensor
            Means `(n, n_chans, n_bands, n_intervals)`.
        """
        rows = torch.from_numpy(self.band[:, None, :] == np.arange(len(self.band_names))[:, None]).to(maps)
        frames = torch.from_numpy(self.interval == np.arange(len(self.intervals))[:, None]).to(maps)
        sums = torch.einsum("ncft,cbf,st->ncbs", maps, rows, frames)
        return sums / torch.from_numpy(self.n_bins).to(maps)

    def expand(self, values: torch.Tensor) -> torch.Tensor:
        """Give each bin the value of its cell.

        Parameters
        ----------
        values
            Values of the cells, `(n, n_chans, n_bands, n_intervals)`.

        Returns
        -------
        torch.Tensor
            Values of the bins, `(n, n_chans, n_freqs, n_frames)`.
        """
        band = torch.from_numpy(self.band).to(values.device)
        interval = torch.from_numpy(self.interval).to(values.device)
        channel = torch.arange(len(band), device=values.device)[:, None, None]
        return values[:, channel, band[:, :, None], interval]


def make_cells(described: Sequence[dict[str, Any]], seconds: float) -> Cells:
    """Partition the bins of a window.

    Parameters
    ----------
    described
        Description of each stacked spectrogram, with `ch_names`, `freqs` (Hz; None for the time series) and `times`
        (s), as in `SpectrogramDataset.described`.
    seconds
        Length of an interval in seconds. A spectrogram with fewer frames has an interval for each frame.

    Returns
    -------
    Cells
        The partition. A band without a frequency in one of the spectrograms is joined with the next lower one (the
        lowest, with the next higher one).
    """
    times = np.asarray(described[0]["times"], dtype=float)
    _, interval = np.unique(np.floor(times / seconds + 1e-9), return_inverse=True)
    half = (times[1] - times[0]) / 2 if len(times) > 1 else seconds / 2
    frames = [times[interval == number] for number in range(interval.max() + 1)]
    intervals = [(max(inside[0] - half, 0.0), inside[-1] + half) for inside in frames]
    names, band = _bands([part["freqs"] for part in described])
    counts = [len(part["ch_names"]) for part in described]
    return Cells(
        ch_names=tuple(name for part in described for name in part["ch_names"]),
        band_names=names,
        intervals=np.array(intervals),
        band=np.repeat(band, counts, axis=0),
        interval=interval,
    )


def _bands(freqs: list[list[float] | None]) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the bands, and the index of the band of each frequency of each spectrogram."""
    if freqs[0] is None:
        return (BROADBAND,), np.zeros((len(freqs), 1), dtype=int)
    values = np.array(freqs, dtype=float)
    upper = np.array([high for _, high in BANDS.values()])
    number = np.searchsorted(upper, values, side="right")
    kept = [index for index in range(len(BANDS)) if (number == index).any(axis=1).all()]
    if not kept:
        return (BROADBAND,), np.zeros(values.shape, dtype=int)
    joined = np.maximum(np.searchsorted(kept, np.arange(len(BANDS)), side="right") - 1, 0)
    return tuple(list(BANDS)[index] for index in kept), joined[number]
