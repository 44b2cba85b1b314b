"""The first layers of InceptionV3, followed by a Transformer encoder."""

from collections import OrderedDict

import torch
from torch import nn

from eegwf.models.image_layout import ImageLayout
from eegwf.models.pretrained import create
from eegwf.models.tokens import TokenEncoder

# Layers at which InceptionV3 can be truncated, under their names in timm.
CUTS = ("Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e")
# Layers in the order of the forward pass; the parameter `frozen` counts them from the first.
LAYERS = (
    *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Pool1", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "Pool2"),
    *("Mixed_5b", "Mixed_5c", "Mixed_5d"),
    *("Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"),
)
MIN_SIZE = 75  # minimum height and width of InceptionV3's input


def _round_up(length: int) -> int:
    """Round a length up to `16 m + 11`, at which the unpadded convolutions and poolings omit no bin, as at 299."""
    return length + (11 - length) % 16


class Inception(nn.Module):
    """InceptionV3 up to one of its stages, followed by a Transformer over the positions of its feature maps.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window's spectrogram. It is enlarged to at least 75 x 75 bins, and padded so that the unpadded
        convolutions omit no bin.
    n_outputs
        Number of classes.
    cut
        Last layer of InceptionV3 that is used: `Conv2d_4a_3x3` (192 feature maps, a quarter of the input's size),
        `Mixed_5d` (288, an eighth) or `Mixed_6e` (768, a sixteenth).
    frozen
        Number of layers, counted from the input, whose weights and batch norm statistics are not trained: at most 6
        for the cut `Conv2d_4a_3x3`, 10 for `Mixed_5d` and 15 for `Mixed_6e`.
    width
        Size of a token; a multiple of `heads`.
    feedforward
        Width of a block's hidden layer.
    depth, heads
        Number of blocks, and number of attention heads in each.
    dropout
        Dropout probability in the blocks and before the head.
    layout
        `stacked`: the channels are the image's input channels. `mosaic`: they are tiled below each other.
    pool
        Pooling of the tokens: `avg` for their mean, `max` for their maximum.
    pretrained
        Whether to start from ImageNet weights, with those of the first layer adapted to the channels.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, `depth` is less than 1, `frozen` is out of range, or the name of an option
        is unknown.

    Notes
    -----
    Szegedy et al. 2016, Rethinking the Inception architecture (CVPR), as implemented in timm; Vaswani et al. 2017. The
    stem has 0.2 million parameters up to `Conv2d_4a_3x3`, 1.0 million up to `Mixed_5d` and 9 million up to `Mixed_6e`;
    the remaining layers have about `maps * width + tokens * width + depth * (4 * width + 2 * feedforward) * width`.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
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
            raise ValueError(f"inception: unknown cut {cut!r}; expected {', '.join(CUTS[:-1])} or {CUTS[-1]}")
        self.image_layout = ImageLayout(
            n_chans, n_freqs, n_frames, layout, height=_round_up, width=_round_up, min_size=(MIN_SIZE, MIN_SIZE)
        )
        network = create("inception_v3", pretrained, in_chans=self.image_layout.in_chans, num_classes=0)
        names = LAYERS[: LAYERS.index(cut) + 1]
        if not 0 <= frozen <= len(names):
            raise ValueError(
                f"inception: frozen is {frozen}; expected 0 to {len(names)}, the number of layers up to {cut}"
            )
        self.stem = nn.Sequential(OrderedDict((name, getattr(network, name)) for name in names))
        self.frozen = frozen
        for layer in self.stem[:frozen]:
            layer.requires_grad_(False)
        with torch.no_grad():
            # Evaluation mode: the zeros must not change the batch norms' running statistics.
            maps = self.stem.eval()(torch.zeros(1, self.image_layout.in_chans, *self.image_layout.size))
        self.encoder = TokenEncoder(
            (maps.shape[2], maps.shape[3]),
            width,
            n_outputs,
            feedforward=feedforward,
            depth=depth,
            heads=heads,
            dropout=dropout,
            pool=pool,
        )
        self.embed = nn.Conv2d(maps.shape[1], width, 1)
        self.gradcam_layer = self.encoder.gradcam_layer
        self.train()

    def train(self, mode: bool = True) -> "Inception":
        """Set training or evaluation mode; frozen layers stay in evaluation mode, which fixes their statistics."""
        super().train(mode)
        self.stem[: self.frozen].eval()
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_frames)`."""
        return self.encoder(self.embed(self.stem(self.image_layout(x))))

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, height, width)` to `(batch, n_chans, n_freqs, n_frames)`."""
        return self.image_layout.upsample_to_input(maps)
