"""LSTM with attention pooling over the time frames of a spectrogram."""

import torch
from torch import nn

from eegwf.models.frames import Frames

ATTENTIONS = ("additive", "multihead")


class LSTM(nn.Module):
    """Long short-term memory over time frames, pooled by attention.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window's spectrogram; the LSTM makes `n_frames` steps.
    n_outputs
        Number of classes.
    width
        Size of a projected frame.
    hidden
        Size of the hidden state of each direction.
    layers
        Number of LSTM layers.
    bidirectional
        Whether a second LSTM processes each window in reverse.
    attention
        `additive` (Bahdanau et al. 2015): one score for each frame. `multihead`: `heads` learned queries, each for a
        separate part of the states (Vaswani et al. 2017).
    heads
        Number of heads of the attention `multihead`; must divide the size of a state.
    dropout
        Dropout probability of the frames, between layers, and before the head.
    layout
        `stacked`: a frame consists of all channels and frequencies at its time. `mosaic`: each channel is a separate
        sequence, all channels share the weights, and their pooled states are combined by the elementwise maximum.

    Raises
    ------
    ValueError
        If `heads` doesn't divide the size of a state, or the name of an option is unknown.

    Notes
    -----
    Hochreiter and Schmidhuber 1997, as implemented in torch. With `h = hidden` and `r` directions, the first layer has
    `4 * r * h * (width + h + 2)` parameters, each further layer `4 * r * h * (r * h + h + 2)`, and the projection
    `(n_chans * n_freqs + 1) * width` (for a mosaic, without the factor `n_chans`).
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
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
        state_size = hidden * (2 if bidirectional else 1)
        if attention not in ATTENTIONS:
            raise ValueError(f"lstm: unknown attention {attention!r}; expected {' or '.join(ATTENTIONS)}")
        self.heads = heads if attention == "multihead" else 1
        if state_size % self.heads:
            raise ValueError(f"lstm: the size of a state, {state_size}, is not a multiple of heads {heads}")
        self.frames = Frames(n_chans, n_freqs, n_frames, width, layout)
        self.dropout = nn.Dropout(dropout)
        layer_dropout = dropout if layers > 1 else 0.0
        self.lstm = nn.LSTM(width, hidden, layers, batch_first=True, dropout=layer_dropout, bidirectional=bidirectional)
        self.gradcam_layer = nn.Identity()
        self.norm = nn.LayerNorm(state_size)
        self.additive = attention == "additive"
        # Without the tanh of additive attention, a bias would add the same value to all scores of a head, and the
        # softmax would cancel it.
        self.key = nn.Linear(state_size, state_size, bias=self.additive)
        self.query = nn.Parameter(torch.randn(state_size) * (self.heads / state_size) ** 0.5)
        self.head = nn.Linear(state_size, n_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_frames)`."""
        return self.attend(x)[0]

    def attend(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the logits of spectrograms, and the attention weights.

        Parameters
        ----------
        x
            Spectrograms `(batch, n_chans, n_freqs, n_frames)`.

        Returns
        -------
        logits
            Logits `(batch, n_outputs)`.
        weights
            Attention weights `(batch, n_sequences, heads, n_frames)`, with sum 1 over the frames. `n_sequences` is 1
            for the layout `stacked` and `n_chans` for `mosaic`.
        """
        n_sequences = self.frames.n_sequences
        frames = self.dropout(self.frames(x)).float()
        # cuDNN's LSTM computes gradients only in training mode, but attribution needs gradients in evaluation mode,
        # without dropout; torch's implementation is used there.
        # The other flags are given, since their defaults would enable TF32 and nondeterministic algorithms.
        cudnn = torch.backends.cudnn
        # Autocast would run the LSTM in float16 even if bfloat16 is selected, and without loss scaling.
        with (
            cudnn.flags(
                enabled=self.training or not torch.is_grad_enabled(),
                benchmark=cudnn.benchmark,
                deterministic=cudnn.deterministic,
                allow_tf32=cudnn.allow_tf32,
            ),
            torch.autocast(x.device.type, enabled=False),
        ):
            states, _ = self.lstm(frames)
        states = states.unflatten(0, (-1, n_sequences))
        # Grad-CAM uses the states as `(batch, state_size, n_sequences, n_frames)`.
        states = self.gradcam_layer(states.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        states = self.norm(states)
        keys = self.key(states)
        if self.additive:
            keys = keys.tanh()
        scores = (keys * self.query).unflatten(-1, (self.heads, -1)).sum(dim=-1)
        weights = scores.softmax(dim=2)
        pooled = (weights[..., None] * states.unflatten(-1, (self.heads, -1))).sum(dim=2).flatten(2)
        logits = self.head(self.dropout(pooled.amax(dim=1)))
        return logits, weights.transpose(2, 3)

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, n_sequences, n_frames)` to `(batch, n_chans, n_freqs, n_frames)`."""
        return self.frames.upsample_to_input(maps)
