"""Transformer over the time frames of a spectrogram."""

import torch
from torch import nn

from eegwf.models.frames import Frames
from eegwf.models.tokens import TokenEncoder


class Transformer(nn.Module):
    """Transformer encoder with one token for each time frame.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window's spectrogram; each of the `n_frames` frames is a token.
    n_outputs
        Number of classes.
    width
        Size of a token; a multiple of `heads`.
    feedforward
        Width of a block's hidden layer.
    depth, heads
        Number of blocks, and number of attention heads in each.
    dropout
        Dropout probability in the blocks and before the head.
    layout
        `stacked`: a frame consists of all channels and frequencies at its time. `mosaic`: each channel is a separate
        sequence, all channels share the weights, and the frames of all channels are pooled.
    pool
        Pooling of the frames: `avg` for their mean, `max` for their maximum.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, `depth` is less than 1, or the name of an option is unknown.

    Notes
    -----
    Vaswani et al. 2017, Attention is all you need (NeurIPS): a learned projection, fixed sinusoidal positions, and
    blocks with the norm before each layer. The model has about `n_chans * n_freqs * width + depth * (4 * width +
    2 * feedforward) * width` parameters; for a mosaic, without the factor `n_chans`.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
        n_outputs: int,
        *,
        width: int = 64,
        feedforward: int = 128,
        depth: int = 2,
        heads: int = 4,
        dropout: float = 0.1,
        layout: str = "stacked",
        pool: str = "avg",
    ):
        super().__init__()
        self.frames = Frames(n_chans, n_freqs, n_frames, width, layout)
        self.encoder = TokenEncoder(
            (1, n_frames),
            width,
            n_outputs,
            feedforward=feedforward,
            depth=depth,
            heads=heads,
            dropout=dropout,
            pool=pool,
            positions="sines",
            n_sequences=self.frames.n_sequences,
        )
        self.gradcam_layer = self.encoder.gradcam_layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_frames)`."""
        return self.encoder(self.frames(x).transpose(1, 2)[:, :, None])

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, n_sequences, n_frames)` to `(batch, n_chans, n_freqs, n_frames)`."""
        return self.frames.upsample_to_input(maps)
