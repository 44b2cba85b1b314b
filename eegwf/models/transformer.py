"""Transformer over the time frames of a spectrogram."""

import torch
from torch import nn

from eegwf.models.frames import Frames
from eegwf.models.tokens import TokenEncoder


class Transformer(nn.Module):
    """Transformer encoder whose tokens are time frames.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window's spectrogram; there is one token for each of the `n_times` frames.
    n_outputs
        Number of classes.
    width
        Size of a token; a multiple of `heads`.
    feedforward
        Width of a block's hidden layer.
    depth, heads
        Blocks, and attention heads of each.
    dropout
        Dropout in the blocks, and before the head.
    layout
        `stacked`: a frame is all channels and frequencies at its time. `mosaic`: each channel is a sequence of its
        own, all through the same weights, and the frames of all channels are pooled.
    pool
        How the frames become the window's code: their `avg` or their `max`.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, or a name is unknown.

    Notes
    -----
    Vaswani et al. 2017, Attention is all you need (NeurIPS): a learned projection, fixed sinusoidal positions, and
    blocks with the norm in front. About `n_chans * n_freqs * width + depth * (4 * width + 2 * feedforward) * width`
    parameters; in a mosaic without the factor `n_chans`.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_times: int,
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
        self.frames = Frames(n_chans, n_freqs, n_times, width, layout)
        self.encoder = TokenEncoder(
            (1, n_times),
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
        self.features = self.encoder.features

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_times)`."""
        return self.encoder(self.frames(x).transpose(1, 2)[:, :, None])

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, n_sequences, n_times)` of `features` as maps `(batch, n_freqs, n_times)` of the input."""
        return self.frames.to_input(maps)
