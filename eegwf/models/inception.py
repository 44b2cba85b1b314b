"""The first part of InceptionV3 and a Transformer over its tokens."""

from collections import OrderedDict

import torch
from torch import nn

from eegwf.models.image_layout import Picture
from eegwf.models.pretrained import create
from eegwf.models.tokens import TokenEncoder

# Layers after which the network can be left, with its reduction; the names are timm's.
CUTS = ("Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e")
# In order: how many of them are frozen is a parameter.
LAYERS = (
    *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Pool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "Pool2"),
    *("Mixed_5b", "Mixed_5c", "Mixed_5d"),
    *("Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
)
SMALLEST = 75


def _length(length: int) -> int:
    """The next `16 m + 11` from a length on: its unpadded convolutions and poolings then come out even, as at 299."""
    return length + (11 - length) % 16


class Inception(nn.Module):
    """InceptionV3 up to one of its stages, a Transformer over the places of its maps.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window's spectrogram. Less than 75 bins are enlarged to 75, and what its unpadded convolutions would
        cut is padded.
    n_outputs
        Number of classes.
    cut
        Where the network is left: `Conv2d_4a_3x3` (192 maps, a quarter of the size), `Mixed_5d` (288, an eighth) or
        `Mixed_6e` (768, a sixteenth).
    frozen
        How many of its layers, from the input on, keep the weights they start with and their norms' statistics: up to
        6 with the cut `Conv2d_4a_3x3`, 10 with `Mixed_5d`, 15 with `Mixed_6e`.
    width
        Size of a token; a multiple of `heads`.
    feedforward
        Width of a block's hidden layer.
    depth, heads
        Blocks, and attention heads of each.
    dropout
        Dropout in the blocks, and before the head.
    layout
        `stacked`: the channels are the picture's colours. `mosaic`: they are tiled below each other.
    pool
        How tokens become the window's code: their `avg` or their `max`.
    pretrained
        Start from ImageNet weights, the first layer's fitted to the channels.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, or a name is unknown.

    Notes
    -----
    Szegedy et al. 2016, Rethinking the Inception architecture (CVPR), as timm implements it; Vaswani et al. 2017. The
    stem has 0.2 million parameters up to `Conv2d_4a_3x3`, 1.0 million up to `Mixed_5d`, 9 million up to `Mixed_6e`;
    the rest about `maps * width + tokens * width + depth * (4 * width + 2 * feedforward) * width`.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_times: int,
        n_outputs: int,
        *,
        cut: str = "Mixed_5d",
        frozen: int = 0,
        width: int = 64,
        feedforward: int = 128,
        depth: int = 1,
        heads: int = 4,
        dropout: float = 0.1,
        layout: str = "stacked",
        pool: str = "avg",
        pretrained: bool = False,
    ):
        super().__init__()
        if cut not in CUTS:
            raise ValueError(f"inception: cut {cut!r}; there are {', '.join(CUTS)}")
        self.picture = Picture(
            n_chans, n_freqs, n_times, layout, height=_length, width=_length, smallest=(SMALLEST, SMALLEST)
        )
        whole = create("inception_v3", pretrained, in_chans=self.picture.in_chans, num_classes=0)
        names = LAYERS[: LAYERS.index(cut) + 1]
        if not 0 <= frozen <= len(names):
            raise ValueError(f"inception: frozen {frozen}; up to {cut} it has {len(names)} layers")
        self.stem = nn.Sequential(OrderedDict((name, getattr(whole, name)) for name in names))
        self.frozen = frozen
        for layer in self.stem[:frozen]:
            layer.requires_grad_(False)
        with torch.no_grad():
            maps = self.stem.eval()(torch.zeros(1, self.picture.in_chans, *self.picture.size))
        self.encoder = TokenEncoder(
            tuple(maps.shape[2:]),
            width,
            n_outputs,
            feedforward=feedforward,
            depth=depth,
            heads=heads,
            dropout=dropout,
            pool=pool,
        )
        self.embed = nn.Conv2d(maps.shape[1], width, 1)
        self.features = self.encoder.features
        self.train()

    def train(self, mode: bool = True) -> "Inception":
        """Training mode, of which frozen norms take no part: their statistics belong to their weights."""
        super().train(mode)
        self.stem[: self.frozen].eval()
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_times)`."""
        return self.encoder(self.embed(self.stem(self.picture(x))))

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, height, width)` of `features` as maps `(batch, n_freqs, n_times)` of the input."""
        return self.picture.to_input(maps)
