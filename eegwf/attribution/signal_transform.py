"""From the time series of windows to the input of a classifier: the transforms whose results are stored."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from eegwf.config.spectrograms import Acf, Cwt, Grid, Mel, Stft
from eegwf.errors import InputError
from eegwf.spectrograms.transforms import make_transform

GRIDS: dict[str, type[Grid]] = {"mel": Mel, "stft": Stft, "cwt": Cwt, "acf": Acf}
RAW = "raw"
Normalize = Callable[[torch.Tensor, np.ndarray], torch.Tensor]
"""Normalization by recording of inputs `(n, n_chans, n_freqs, n_frames)` of windows with these rows in the arrays."""


def unnormalized(x: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
    """Inputs of a classifier that is not normalized by recording.

    Parameters
    ----------
    x
        Inputs in dB or microvolts.
    rows
        Rows of the windows in the arrays.

    Returns
    -------
    torch.Tensor
        The inputs.
    """
    return x


class TimeSeries(nn.Module):
    """Layout of a time series as input of a model: its samples are the frames of one frequency."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return windows `(n, n_chans, 1, n_times)` of windows `(n, n_chans, n_times)`."""
        return x[:, :, None]


class SignalTransform(nn.Module):
    """Transform of time series to the input of a classifier, differentiable.

    Parameters
    ----------
    parts
        Transform of each of the spectrograms that are stacked on the channel axis.
    """

    def __init__(self, parts: Sequence[nn.Module]):
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return inputs `(n, n_chans, n_freqs, n_frames)` of windows `(n, n_signal_chans, n_times)` in microvolts."""
        return torch.cat([part(x) for part in self.parts], dim=1)

    @torch.no_grad()
    def stored(self, x: torch.Tensor) -> torch.Tensor:
        """Like `forward`, rounded to float16 as in the stored arrays, from which classifiers read; float32."""
        return self(x).to(torch.float16).float()


def make_transforms(
    described: Sequence[Mapping[str, Any]], windows: Mapping[str, Any] | None
) -> SignalTransform | None:
    """Make the transform by which the arrays of a study were computed from its windows.

    Parameters
    ----------
    described
        Description of each array, as in `SpectrogramDataset.described`: `spectrogram`, `ch_names`, and `parameters`
        (not for the time series).
    windows
        Description of the time series, `windows.json`: `sfreq`, `n_times` and `ch_names`; None if there is none.

    Returns
    -------
    SignalTransform or None
        None if the arrays were imported: there is no time series, or the parameters are unknown.

    Raises
    ------
    InputError
        If an array has other channels than the time series.
    """
    if windows is None or not all(_computed(array) for array in described):
        return None
    for array in described:
        if list(array["ch_names"]) != list(windows["ch_names"]):
            raise InputError(
                f"{array['spectrogram']}: channels {', '.join(array['ch_names'])}; the windows have "
                f"{', '.join(windows['ch_names'])}; compute the spectrogram again"
            )
    return SignalTransform([_part(array, windows) for array in described])


def _computed(array: Mapping[str, Any]) -> bool:
    """Whether the workflow computed an array; an imported one has assumed axes."""
    return array["spectrogram"] == RAW or "assumed" not in array.get("parameters", {"assumed": []})


def _part(array: Mapping[str, Any], windows: Mapping[str, Any]) -> nn.Module:
    name = array["spectrogram"]
    if name == RAW:
        return TimeSeries()
    grid = GRIDS[name].model_validate(array["parameters"])
    return make_transform(name, grid, windows["sfreq"], windows["n_times"])
