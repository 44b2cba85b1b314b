"""The time frames of a spectrogram as vectors: the input of the models that read a window as a sequence."""

import torch
from torch import nn

from eegwf.models.image_layout import LAYOUTS


class Frames(nn.Module):
    """A learned projection of each time frame.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window.
    width
        Size of a projected frame.
    layout
        `stacked`: a frame is all channels and frequencies at its time. `mosaic`: each channel is a sequence of its
        own, all through one projection.

    Raises
    ------
    ValueError
        If there is no such layout.
    """

    def __init__(self, n_chans: int, n_freqs: int, n_times: int, width: int, layout: str):
        super().__init__()
        if layout not in LAYOUTS:
            raise ValueError(f"layout {layout!r}; there are {' and '.join(LAYOUTS)}")
        self.shape = (n_freqs, n_times)
        self.n_sequences = n_chans if layout == "mosaic" else 1
        self.projection = nn.Linear(n_chans // self.n_sequences * n_freqs, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Frames `(batch * n_sequences, n_times, width)` of spectrograms `(batch, n_chans, n_freqs, n_times)`."""
        # Channels and frequencies are joined before time moves to the front: no frame holds a bin of another time.
        x = x.unflatten(1, (self.n_sequences, -1)).flatten(0, 1).flatten(1, 2)
        return self.projection(x.transpose(1, 2))

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, n_sequences, n_times)` as maps `(batch, n_freqs, n_times)`: alike at all frequencies."""
        return maps.mean(dim=2).expand(-1, *self.shape)
