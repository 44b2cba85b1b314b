"""A convolutional network with the same weights for every channel, and statistics over the channels."""

from typing import Any

import numpy as np
import torch
from torch import nn

POOLS = ("statistics", "mean", "max")
EPSILON = 1e-4  # added to a variance, since the derivative of the root is infinite at 0


class SharedCNN(nn.Module):
    """Convolutions that all channels share, followed by statistics over the channels.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window's spectrogram.
    n_outputs
        Number of classes.
    freqs
        Frequencies of the spectrogram in Hz: a list of `n_freqs` values, or one list for each of the spectrograms that
        are stacked on the channel axis. Only the number of these lists is used: the spectrograms of a channel are the
        input channels of its image.
    filters
        Number of filters of the first stage; it doubles with each further stage.
    stages
        Number of stages; each halves height and width, rounded up.
    width
        Number of features of a channel.
    pool
        `statistics`: mean, maximum and standard deviation of each feature over the channels; `mean` or `max`: only one
        of these.
    dropout
        Dropout probability before the features of a channel, and before the head.

    Raises
    ------
    ValueError
        If the name of `pool` is unknown, or `n_chans` is not a multiple of the stacked spectrograms.

    Notes
    -----
    The output does not depend on the order of the channels, so that the network can't learn at which electrodes the
    training patients had their seizures. Sharing weights over channels and pooling over them is the usual design for
    the detection of seizures at unknown places (O'Shea et al. 2020, Neural Networks 123:12). Each channel's image is
    averaged over time at the end, but not over frequency. With `f = filters`, `s = stages`, `p` stacked spectrograms,
    `h` rows after the last stage, `w = width` and `k` statistics, the model has about `25 p f + 1.5 (4**s - 4) f**2 +
    2**(s - 1) f h w + k w n_outputs` parameters.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
        n_outputs: int,
        *,
        freqs: Any = None,
        filters: int = 8,
        stages: int = 2,
        width: int = 32,
        pool: str = "statistics",
        dropout: float = 0.3,
    ):
        super().__init__()
        if pool not in POOLS:
            raise ValueError(f"unknown pool {pool!r}; expected {', '.join(POOLS[:-1])} or {POOLS[-1]}")
        if stages < 1:
            raise ValueError(f"sharedcnn: stages is {stages}; expected 1 or more")
        self.n_parts = 1 if freqs is None else len(np.atleast_2d(freqs))
        if n_chans % self.n_parts:
            raise ValueError(f"sharedcnn: n_chans is {n_chans}; expected a multiple of {self.n_parts} spectrograms")
        self.n_electrodes, self.shape = n_chans // self.n_parts, (n_freqs, n_frames)
        self.pool = pool
        layers: list[nn.Module] = []
        in_chans, height = self.n_parts, n_freqs
        for stage in range(stages):
            out_chans = filters * 2**stage
            layers += [
                nn.Conv2d(in_chans, out_chans, 5 if stage == 0 else 3, padding="same", bias=False),
                nn.BatchNorm2d(out_chans),
                nn.MaxPool2d(2, ceil_mode=True),
                nn.ReLU(),  # after the pooling, with the same result, on a quarter of the values
            ]
            in_chans, height = out_chans, -(-height // 2)
        # This memory layout doubles the speed on a CPU, where the maps of all channels exceed the cache.
        self.stem = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        self.gradcam_layer = nn.Identity()
        self.drop = nn.Dropout(dropout)
        self.features = nn.Linear(in_chans * height, width)
        self.relu = nn.ReLU()
        self.head = nn.Linear(width * (3 if pool == "statistics" else 1), n_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_frames)`."""
        n = self.n_electrodes
        x = self.stem(x.unflatten(1, (self.n_parts, n)).transpose(1, 2).flatten(0, 1))
        # For Grad-CAM, the maps of all channels become one, below each other.
        maps = x.unflatten(0, (-1, n)).transpose(1, 2).flatten(2, 3)
        maps = self.gradcam_layer(maps).unflatten(2, (n, -1)).transpose(1, 2)
        channels = self.relu(self.features(self.drop(maps.mean(dim=4).flatten(2))))
        return self.head(self.drop(self._pooled(channels)))

    def _pooled(self, channels: torch.Tensor) -> torch.Tensor:
        """Statistics `(batch, width)` or `(batch, 3 * width)` of features `(batch, n_channels, width)`."""
        mean = channels.mean(dim=1)
        if self.pool == "mean":
            return mean
        maximum = channels.amax(dim=1)
        if self.pool == "max":
            return maximum
        deviation = ((channels - mean[:, None]).square().mean(dim=1) + EPSILON).sqrt()
        return torch.cat([mean, maximum, deviation], dim=1)

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, n_electrodes * height, width)` to `(batch, n_chans, n_freqs, n_frames)`.

        The spectrograms of a channel have the same map.
        """
        maps = maps.unflatten(2, (self.n_electrodes, -1))[:, 0]
        maps = nn.functional.interpolate(maps, size=self.shape, mode="nearest-exact")
        return maps.repeat(1, self.n_parts, 1, 1)
