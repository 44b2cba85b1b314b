"""Projection of the time frames of a spectrogram, for the models that process a window as a sequence."""

import torch
from torch import nn

from eegwf.models.image_layout import LAYOUTS


class Frames(nn.Module):
    """A learned projection of each time frame.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window.
    width
        Size of a projected frame.
    layout
        `stacked`: a frame consists of all channels and frequencies at its time. `mosaic`: each channel is a separate
        sequence, and all channels share one projection.

    Raises
    ------
    ValueError
        If the layout is unknown.
    """

    def __init__(self, n_chans: int, n_freqs: int, n_frames: int, width: int, layout: str):
        super().__init__()
        if layout not in LAYOUTS:
            raise ValueError(f"unknown layout {layout!r}; expected {' or '.join(LAYOUTS)}")
        self.shape = (n_chans, n_freqs, n_frames)
        self.n_sequences = n_chans if layout == "mosaic" else 1
        self.projection = nn.Linear(n_chans // self.n_sequences * n_freqs, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return frames `(batch * n_sequences, n_frames, width)` of `(batch, n_chans, n_freqs, n_frames)`."""
        # Channels and frequencies are flattened before the transposition, so that a frame contains only its own time.
        x = x.unflatten(1, (self.n_sequences, -1)).flatten(0, 1).flatten(1, 2)
        return self.projection(x.transpose(1, 2))

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, n_sequences, n_frames)` to `(batch, n_chans, n_freqs, n_frames)`.

        They are equal at all frequencies, and in all channels if the channels are stacked.
        """
        return maps[:, 0, :, None].expand(-1, *self.shape)
