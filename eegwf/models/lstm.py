"""LSTM with attention over the time frames of a spectrogram."""

import torch
from torch import nn

from eegwf.models.frames import Frames

ATTENTIONS = ("additive", "multihead")


class LSTM(nn.Module):
    """Long short-term memory over time frames, pooled by attention.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window's spectrogram; the LSTM makes `n_times` steps.
    n_outputs
        Number of classes.
    width
        Size of a projected frame.
    hidden
        Size of the hidden state of each direction.
    layers
        LSTM layers.
    bidirectional
        Whether a second LSTM reads each window backwards.
    attention
        `additive` (Bahdanau et al. 2015): one score for each frame. `multihead`: `heads` learned queries, each over its
        own part of the states (Vaswani et al. 2017).
    heads
        Heads of the attention `multihead`; they divide the size of a state.
    dropout
        Of the frames, between layers, and before the head.
    layout
        `stacked`: a frame is all channels and frequencies at its time. `mosaic`: each channel is a sequence of its
        own, all through the same weights, and the largest of their codes counts, element by element.

    Raises
    ------
    ValueError
        If `heads` doesn't divide the size of a state, or a name is unknown.

    Notes
    -----
    Hochreiter and Schmidhuber 1997, as torch implements it. With `h = hidden` and `r` directions, the first layer has
    `4 * r * h * (width + h + 2)` parameters, each further one `4 * r * h * (r * h + h + 2)`, the projection
    `(n_chans * n_freqs + 1) * width` (in a mosaic without the factor `n_chans`).
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_times: int,
        n_outputs: int,
        *,
        width: int = 64,
        hidden: int = 64,
        layers: int = 1,
        bidirectional: bool = True,
        attention: str = "additive",
        heads: int = 4,
        dropout: float = 0.1,
        layout: str = "stacked",
    ):
        super().__init__()
        size = hidden * (2 if bidirectional else 1)
        if attention not in ATTENTIONS:
            raise ValueError(f"lstm: attention {attention!r}; there are {' and '.join(ATTENTIONS)}")
        self.heads = heads if attention == "multihead" else 1
        if size % self.heads:
            raise ValueError(f"lstm: states of size {size} are no multiple of heads {heads}")
        self.frames = Frames(n_chans, n_freqs, n_times, width, layout)
        self.dropout = nn.Dropout(dropout)
        between = dropout if layers > 1 else 0.0
        self.lstm = nn.LSTM(width, hidden, layers, batch_first=True, dropout=between, bidirectional=bidirectional)
        self.features = nn.Identity()
        self.norm = nn.LayerNorm(size)
        self.additive = attention == "additive"
        # Without the tanh a bias would add the same to all scores, and fall out of the softmax.
        self.key = nn.Linear(size, size, bias=self.additive)
        self.query = nn.Parameter(torch.randn(size) * (self.heads / size) ** 0.5)
        self.head = nn.Linear(size, n_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_times)`."""
        return self.attend(x)[0]

    def attend(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits `(batch, n_outputs)` and attention `(batch, n_sequences, heads, n_times)`, which sums to 1 over time.

        `n_sequences` is 1 for `stacked` and `n_chans` for `mosaic`.
        """
        n_sequences = self.frames.n_sequences
        # cuDNN's LSTM has gradients in training mode alone; what explains a trained model must not drop anything.
        frames = self.dropout(self.frames(x)).float()
        # Autocast would run it in float16, whatever it was asked for, and without scaling the loss.
        with (
            torch.backends.cudnn.flags(enabled=self.training or not torch.is_grad_enabled()),
            torch.autocast(x.device.type, enabled=False),
        ):
            states, _ = self.lstm(frames)
        states = states.unflatten(0, (-1, n_sequences))
        # (batch, size, n_sequences, n_times): what Grad-CAM reads.
        states = self.features(states.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        states = self.norm(states)
        keys = self.key(states)
        if self.additive:
            keys = keys.tanh()
        scores = (keys * self.query).unflatten(-1, (self.heads, -1)).sum(dim=-1)
        weights = scores.softmax(dim=2)
        codes = (weights[..., None] * states.unflatten(-1, (self.heads, -1))).sum(dim=2).flatten(2)
        logits = self.head(self.dropout(codes.amax(dim=1)))
        return logits, weights.transpose(2, 3)

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, n_sequences, n_times)` of `features` as maps `(batch, n_freqs, n_times)` of the input."""
        return self.frames.to_input(maps)
