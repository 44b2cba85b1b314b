"""A Transformer over tokens, for the models that make their own: positions, blocks, pooling and the head."""

import math

import torch
from torch import nn

POOLS = ("avg", "max")


def sinusoids(n_tokens: int, width: int) -> torch.Tensor:
    """Fixed positions `(n_tokens, width)` (Vaswani et al. 2017, section 3.5)."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angles = torch.arange(n_tokens)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :width]


class TokenEncoder(nn.Module):
    """Transformer encoder over a picture of tokens.

    Parameters
    ----------
    grid
        Height and width of the picture of tokens.
    width
        Size of a token; a multiple of `heads`.
    n_outputs
        Number of classes.
    feedforward
        Width of a block's hidden layer.
    depth, heads
        Blocks, and attention heads of each.
    dropout
        Of a block's layers, and before the head. Not of the attention, which could then not be computed at once.
    pool
        How tokens become one: their `avg` or their `max`.
    positions
        `learned`, as images have them, or `sines`, fixed, as sequences have them.
    n_sequences
        Pictures of tokens that belong to one window, side by side in the batch: none attends to another, and all of
        their tokens are pooled together.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, there is no block, or no such pooling.

    Notes
    -----
    Vaswani et al. 2017, Attention is all you need (NeurIPS), with the norm in front of each layer (Xiong et al. 2020),
    as torch implements it, batch first. About `depth * (4 * width + 2 * feedforward) * width` parameters.
    """

    def __init__(
        self,
        grid: tuple[int, int],
        width: int,
        n_outputs: int,
        *,
        feedforward: int,
        depth: int,
        heads: int,
        dropout: float,
        pool: str,
        positions: str = "learned",
        n_sequences: int = 1,
    ):
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is no multiple of heads {heads}")
        if depth < 1:
            raise ValueError(f"depth {depth}; there must be a block")
        if pool not in POOLS:
            raise ValueError(f"pool {pool!r}; there are {' and '.join(POOLS)}")
        self.grid = grid
        self.pool = pool
        self.n_sequences = n_sequences
        if positions == "learned":
            self.pos_embed = nn.Parameter(nn.init.trunc_normal_(torch.empty(grid[0] * grid[1], width), std=0.02))
        else:
            self.register_buffer("pos_embed", sinusoids(grid[0] * grid[1], width), persistent=False)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, feedforward, dropout, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(depth)
        )
        for block in self.blocks:
            block.self_attn.dropout = 0.0
        self.features = nn.Identity()
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, n_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of tokens `(batch * n_sequences, width, *grid)`."""
        x = x.flatten(2).transpose(1, 2) + self.pos_embed
        for block in self.blocks[:-1]:
            x = block(x)
        # Tokens as a picture before the last block: what Grad-CAM reads. After it their gradients would be all alike.
        x = unfold(self.features(fold(x, self.grid, self.n_sequences)), self.n_sequences)
        x = self.norm(self.blocks[-1](x)).unflatten(0, (-1, self.n_sequences)).flatten(1, 2)
        return self.head(self.dropout(x.mean(dim=1) if self.pool == "avg" else x.amax(dim=1)))


def fold(x: torch.Tensor, grid: tuple[int, int], n_sequences: int) -> torch.Tensor:
    """Tokens `(batch * n_sequences, n_tokens, width)` as one picture `(batch, width, n_sequences * height, width)`."""
    x = x.unflatten(0, (-1, n_sequences)).unflatten(2, grid)
    return x.permute(0, 4, 1, 2, 3).flatten(2, 3)


def unfold(x: torch.Tensor, n_sequences: int) -> torch.Tensor:
    """The inverse of `fold`."""
    x = x.unflatten(2, (n_sequences, -1)).permute(0, 2, 3, 4, 1)
    return x.flatten(0, 1).flatten(1, 2)
