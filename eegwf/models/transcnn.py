"""A convolutional stem, followed by a Transformer encoder."""

import torch
from torch import nn

from eegwf.models.image_layout import ImageLayout
from eegwf.models.tokens import TokenEncoder


class TransCNN(nn.Module):
    """Convolutions for local features, followed by a Transformer over the positions of the whole window.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window's spectrogram.
    n_outputs
        Number of classes.
    filters
        Number of filters of the first stage; it doubles with each further stage.
    stages
        Number of stages; each begins with a convolution of stride 2, which halves height and width, rounded up.
    width
        Size of a token; a multiple of `heads`.
    feedforward
        Width of a block's hidden layer.
    depth, heads
        Number of blocks, and number of attention heads in each.
    dropout
        Dropout probability in the blocks and before the head.
    layout
        `stacked`: the channels are the input channels of one image. `mosaic`: each channel is a separate image, all
        images share the convolutions, and the tokens of all channels attend to each other.
    pool
        Pooling of the tokens: `avg` for their mean, `max` for their maximum.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, `depth` is less than 1, or the name of an option is unknown.

    Notes
    -----
    Convolutions before a Transformer: Xiao et al. 2021 (NeurIPS); Vaswani et al. 2017. Group normalization (Wu and He
    2018) is used, so that the output for a window does not depend on the other windows of its batch. With
    `f = filters`, `s = stages` and `t` tokens, the model has about `9 * n_chans * f + f**2 * (4.5 * 4**s - 9) +
    2**(s - 1) * f * width + t * width + depth * (4 * width + 2 * feedforward) * width` parameters; for a mosaic,
    without the factor `n_chans`.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
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
        self.image_layout = ImageLayout(n_chans, n_freqs, n_frames, layout)
        self.n_images = self.image_layout.n_tiles
        layers: list[nn.Module] = []
        in_chans, height, length = n_chans // self.n_images, n_freqs, n_frames
        for stage in range(stages):
            out_chans = filters * 2**stage
            layers += [
                nn.Conv2d(in_chans, out_chans, 3, stride=2, padding=1, bias=False),
                nn.GroupNorm(_n_groups(out_chans), out_chans),
                nn.GELU(),
                nn.Conv2d(out_chans, out_chans, 3, padding=1, bias=False),
                nn.GroupNorm(_n_groups(out_chans), out_chans),
                nn.GELU(),
            ]
            in_chans, height, length = out_chans, -(-height // 2), -(-length // 2)
        self.stem = nn.Sequential(*layers, nn.Conv2d(in_chans, width, 1))
        self.encoder = TokenEncoder(
            (self.n_images * height, length),
            width,
            n_outputs,
            feedforward=feedforward,
            depth=depth,
            heads=heads,
            dropout=dropout,
            pool=pool,
        )
        self.gradcam_layer = self.encoder.gradcam_layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_frames)`."""
        x = self.stem(x.unflatten(1, (self.n_images, -1)).flatten(0, 1))
        # The feature maps (batch * n_images, width, height, length) become one grid of tokens per window, with the
        # images below each other.
        x = x.unflatten(0, (-1, self.n_images)).transpose(1, 2).flatten(2, 3)
        return self.encoder(x)

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, height, width)` to `(batch, n_chans, n_freqs, n_frames)`."""
        return self.image_layout.upsample_to_input(maps)


def _n_groups(filters: int) -> int:
    """Return the number of groups of a group norm: the largest of 8, 4, 2 and 1 that divides the filters."""
    return next(number for number in (8, 4, 2, 1) if filters % number == 0)
