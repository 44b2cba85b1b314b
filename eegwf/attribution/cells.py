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
        Start and end of each interval in seconds from the onset of the window, `(n_intervals, 2)`.
    band
        Index of the band of each frequency of each channel, `(n_chans, n_freqs)`. Stacked spectrograms can have
        different frequencies.
    interval
        Index of the interval of each frame of each channel, `(n_chans, n_frames)`. Stacked spectrograms can have
        different times; a cell of a channel whose spectrogram does not reach the interval is empty.
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
        return self._rows.sum(axis=2)[:, :, None] * self._frames.sum(axis=2)[:, None]

    @property
    def _rows(self) -> np.ndarray:
        """Whether each frequency of each channel is in each band, `(n_chans, n_bands, n_freqs)`."""
        return self.band[:, None, :] == np.arange(len(self.band_names))[:, None]

    @property
    def _frames(self) -> np.ndarray:
        """Whether each frame of each channel is in each interval, `(n_chans, n_intervals, n_frames)`."""
        return self.interval[:, None, :] == np.arange(len(self.intervals))[:, None]

    def mean(self, maps: torch.Tensor) -> torch.Tensor:
        """Mean over the bins of each cell.

        Parameters
        ----------
        maps
            Values of the bins, `(n, n_chans, n_freqs, n_frames)`.

        Returns
        -------
        torch.Tensor
            Means `(n, n_chans, n_bands, n_intervals)`; 0 of empty cells.
        """
        rows, frames = torch.from_numpy(self._rows).to(maps), torch.from_numpy(self._frames).to(maps)
        sums = torch.einsum("ncft,cbf,cst->ncbs", maps, rows, frames)
        return sums / torch.from_numpy(np.maximum(self.n_bins, 1)).to(maps)

    def average(self, values: torch.Tensor, dim: tuple[int, ...]) -> torch.Tensor:
        """Mean over the cells that are not empty.

        Parameters
        ----------
        values
            Values of the cells, `(n, n_chans, n_bands, n_intervals)`; 0 of empty ones.
        dim
            Axes over which they are averaged.

        Returns
        -------
        torch.Tensor
            The means, with the other axes; 0 where all cells are empty.
        """
        filled = torch.from_numpy(self.n_bins > 0)[None].to(values)
        return values.sum(dim=dim) / filled.sum(dim=dim).clamp_min(1)

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
        return values[:, channel, band[:, :, None], interval[:, None, :]]


def make_cells(described: Sequence[dict[str, Any]], seconds: float) -> Cells:
    """Partition the bins of a window.

    Parameters
    ----------
    described
        Description of each stacked spectrogram, with `ch_names`, `freqs` (Hz; None for the time series) and `times`
        (s), as in `SpectrogramDataset.described`.
    seconds
        Length of an interval in seconds; intervals begin at multiples of it from the onset of the window. A spectrogram
        with fewer frames has an interval for each frame.

    Returns
    -------
    Cells
        The partition. A band without a frequency in one of the spectrograms is joined with the next lower one (the
        lowest, with the next higher one).
    """
    times = np.array([part["times"] for part in described], dtype=float)
    interval = np.unique(np.floor(times / seconds + 1e-9), return_inverse=True)[1].reshape(times.shape)
    half = (times[:, 1:2] - times[:, :1]) / 2 if times.shape[1] > 1 else np.full((len(times), 1), seconds / 2)
    # The first frame begins half a sampling interval before the first sample; without context, that is at 0.
    starts = np.where(times >= 0, np.maximum(times - half, 0.0), times - half)
    inside = [interval == number for number in range(interval.max() + 1)]
    intervals = [(starts[chosen].min(), (times + half)[chosen].max()) for chosen in inside]
    names, band = _bands([part["freqs"] for part in described])
    counts = [len(part["ch_names"]) for part in described]
    return Cells(
        ch_names=tuple(name for part in described for name in part["ch_names"]),
        band_names=names,
        intervals=np.array(intervals),
        band=np.repeat(band, counts, axis=0),
        interval=np.repeat(interval, counts, axis=0),
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
