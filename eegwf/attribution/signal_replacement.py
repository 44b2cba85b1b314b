"""Replacement of a band or a time interval of a signal by that of another signal."""

from itertools import pairwise

import numpy as np
import torch

from eegwf.attribution.cells import BANDS, Cells

EDGE = 0.5
"""Width in Hz over which a band-stop filter passes from nothing to everything."""
CROSS_FADE = 0.1
"""Seconds over which one signal passes into the other."""


def band_weights(cells: Cells, n_times: int, sfreq: float) -> torch.Tensor:
    """Weights of the bands of cells at the frequencies of the discrete Fourier transform.

    Parameters
    ----------
    cells
        Partition, whose bands are those of `BANDS`, some of them joined with a neighbor that is not among them.
    n_times
        Number of samples.
    sfreq
        Sampling rate in Hz.

    Returns
    -------
    torch.Tensor
        Weights from 0 to 1, `(n_bands, n_times // 2 + 1)`, with edges half a hertz wide. They sum to 1 over the bands.
    """
    edges = [-np.inf, *(BANDS[name][0] for name in cells.band_names[1:]), np.inf]
    freqs = np.fft.rfftfreq(n_times, 1 / sfreq)
    weights = [_plateau(freqs, low, high, EDGE) for low, high in pairwise(edges)]
    return torch.from_numpy(np.stack(weights)).float()


def run_weights(cells: Cells, length: int, n_times: int, sfreq: float, context: int = 0) -> torch.Tensor:
    """Weights of the samples in each run of consecutive intervals.

    Parameters
    ----------
    cells
        Partition with the intervals.
    length
        Number of intervals of a run.
    n_times
        Number of samples.
    sfreq
        Sampling rate in Hz.
    context
        Number of samples before the onset of the window.

    Returns
    -------
    torch.Tensor
        Weights from 0 to 1, `(n_intervals - length + 1, n_times)`, with cross-fades centered at the ends of the runs.
    """
    starts, ends = cells.intervals[: len(cells.intervals) - length + 1, 0], cells.intervals[length - 1 :, 1]
    # A sample is in the middle of its sampling interval, half of which is before the first sample.
    times, half = np.arange(-context, n_times - context) / sfreq, 0.5 / sfreq
    weights = [
        _plateau(times, start if start > times[0] + half else -np.inf, end if end < times[-1] else np.inf, CROSS_FADE)
        for start, end in zip(starts, ends, strict=True)
    ]
    return torch.from_numpy(np.stack(weights)).float()


def replace_band(signals: torch.Tensor, fill: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Remove a band by a zero-phase band-stop filter, and add the same band of other signals.

    Parameters
    ----------
    signals, fill
        Signals `(n, n_chans, n_times)`, and those from which the band is taken.
    weights
        Weights of the frequencies for each window, `(n, n_times // 2 + 1)`.

    Returns
    -------
    torch.Tensor
        Signals `(n, n_chans, n_times)`.
    """
    difference = torch.fft.rfft(fill - signals) * weights[:, None]
    return signals + torch.fft.irfft(difference, n=signals.shape[2])


def replace_interval(signals: torch.Tensor, fill: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Cross-fade to other signals and back.

    Parameters
    ----------
    signals, fill
        Signals `(n, n_chans, n_times)`, and those that replace them.
    weights
        Weights of the samples for each window, `(n, n_times)`.

    Returns
    -------
    torch.Tensor
        Signals `(n, n_chans, n_times)`.
    """
    return signals + (fill - signals) * weights[:, None]


def _plateau(x: np.ndarray, low: float, high: float, width: float) -> np.ndarray:
    """1 from `low` to `high` and 0 outside, with half a cosine period of this width at both; none at infinities."""
    rising = _step(x - low, width) if np.isfinite(low) else 1.0
    return rising - (_step(x - high, width) if np.isfinite(high) else np.zeros_like(x))


def _step(x: np.ndarray, width: float) -> np.ndarray:
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(x / width + 0.5, 0, 1))
