"""A convolutional stem and a Transformer over its tokens."""

import torch
from torch import nn

from eegwf.models.image_layout import Picture
from eegwf.models.tokens import TokenEncoder


class TransCNN(nn.Module):
    """Convolutions that see what is near, then a Transformer that relates it over the whole window.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window's spectrogram.
    n_outputs
        Number of classes.
    filters
        Filters of the first convolution; each further one has twice as many.
    stages
        Convolutions of stride 2, each halving the picture, rounded up.
    width
        Size of a token; a multiple of `heads`.
    feedforward
        Width of a block's hidden layer.
    depth, heads
        Blocks, and attention heads of each.
    dropout
        Dropout in the blocks, and before the head.
    layout
        `stacked`: the channels are the colours of one picture. `mosaic`: each channel is a picture of its own, all
        through the same convolutions, and the Transformer relates the tokens of all.
    pool
        How tokens become the window's code: their `avg` or their `max`.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, or a name is unknown.

    Notes
    -----
    Early convolutions in front of a Transformer: Xiao et al. 2021 (NeurIPS); Vaswani et al. 2017. Norms over groups of
    filters (Wu and He 2018), so that no window depends on its batch. With `f = filters`, `s = stages` and `t` tokens
    about `9 * n_chans * f + f**2 * (4.5 * 4**s - 9) + 2**(s - 1) * f * width + t * width + depth * (4 * width +
    2 * feedforward) * width` parameters; in a mosaic without the factor `n_chans`.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_times: int,
        n_outputs: int,
        *,
        filters: int = 16,
        stages: int = 3,
        width: int = 64,
        feedforward: int = 128,
        depth: int = 2,
        heads: int = 4,
        dropout: float = 0.1,
        layout: str = "stacked",
        pool: str = "avg",
    ):
        super().__init__()
        self.picture = Picture(n_chans, n_freqs, n_times, "stacked")
        self.n_pictures = Picture(n_chans, n_freqs, n_times, layout).tiles
        layers, before, size = [], n_chans // self.n_pictures, (n_freqs, n_times)
        for stage in range(stages):
            now = filters * 2**stage
            layers += [
                nn.Conv2d(before, now, 3, stride=2, padding=1, bias=False),
                nn.GroupNorm(_groups(now), now),
                nn.GELU(),
                nn.Conv2d(now, now, 3, padding=1, bias=False),
                nn.GroupNorm(_groups(now), now),
                nn.GELU(),
            ]
            before, size = now, tuple(-(-length // 2) for length in size)
        self.stem = nn.Sequential(*layers, nn.Conv2d(before, width, 1))
        self.encoder = TokenEncoder(
            (self.n_pictures * size[0], size[1]),
            width,
            n_outputs,
            feedforward=feedforward,
            depth=depth,
            heads=heads,
            dropout=dropout,
            pool=pool,
        )
        self.features = self.encoder.features

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_times)`."""
        x = self.stem(x.unflatten(1, (self.n_pictures, -1)).flatten(0, 1))
        # (batch * pictures, width, height, width) as one picture of tokens, the channels below each other.
        x = x.unflatten(0, (-1, self.n_pictures)).transpose(1, 2).flatten(2, 3)
        return self.encoder(x)

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, height, width)` of `features` as maps `(batch, n_freqs, n_times)` of the input."""
        return self.picture.to_input(maps.unflatten(2, (self.n_pictures, -1)).mean(dim=2))


def _groups(filters: int) -> int:
    """At most 8 groups that divide the filters."""
    return next(number for number in (8, 4, 2, 1) if filters % number == 0)
