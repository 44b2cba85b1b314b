"""Transformer encoder over tokens, with position embeddings, pooling and the head; shared by several models."""

import math

import torch
from torch import nn

POOLS = ("avg", "max")


def sinusoids(n_tokens: int, width: int) -> torch.Tensor:
    """Compute fixed sinusoidal position embeddings (Vaswani et al. 2017, section 3.5).

    Parameters
    ----------
    n_tokens
        Number of positions.
    width
        Size of a token.

    Returns
    -------
    torch.Tensor
        Position embeddings `(n_tokens, width)`.
    """
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angles = torch.arange(n_tokens)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :width]


class TokenEncoder(nn.Module):
    """Transformer encoder over a grid of tokens.

    Parameters
    ----------
    grid
        Height and width of the grid of tokens.
    width
        Size of a token; a multiple of `heads`.
    n_outputs
        Number of classes.
    feedforward
        Width of a block's hidden layer.
    depth, heads
        Number of blocks, and number of attention heads in each.
    dropout
        Dropout probability in a block's layers and before the head. Attention weights are not dropped, so that torch
        can use fused attention.
    pool
        Pooling of the tokens: `avg` for their mean, `max` for their maximum.
    positions
        Position embeddings: `learned`, as for images, or `sines` (fixed), as for sequences.
    n_sequences
        Number of token grids per window, consecutive in the batch. Tokens attend only to tokens of the same grid, and
        the tokens of all grids are pooled together.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, `depth` is less than 1, or the pooling is unknown.

    Notes
    -----
    Vaswani et al. 2017, Attention is all you need (NeurIPS), with the norm before each layer (Xiong et al. 2020), as
    implemented in torch. About `depth * (4 * width + 2 * feedforward) * width` parameters.
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
            raise ValueError(f"width {width} is not a multiple of heads {heads}")
        if depth < 1:
            raise ValueError(f"depth is {depth}; expected at least 1")
        if pool not in POOLS:
            raise ValueError(f"unknown pool {pool!r}; expected {' or '.join(POOLS)}")
        self.grid = grid
        self.pool = pool
        self.n_sequences = n_sequences
        if positions == "learned":
            self.pos_embed = nn.Parameter(nn.init.trunc_normal_(torch.empty(grid[0] * grid[1], width), std=0.02))
        else:
            self.register_buffer("pos_embed", sinusoids(grid[0] * grid[1], width), persistent=False)
        blocks = [
            nn.TransformerEncoderLayer(
                width, heads, feedforward, dropout, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(depth)
        ]
        for block in blocks:
            block.self_attn.dropout = 0.0
        self.blocks = nn.ModuleList(blocks)
        self.gradcam_layer = nn.Identity()
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, n_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of tokens `(batch * n_sequences, width, *grid)`."""
        x = x.flatten(2).transpose(1, 2) + self.pos_embed
        for block in self.blocks[:-1]:
            x = block(x)
        # Grad-CAM uses the input of the last block; after it, mean pooling would make all tokens' gradients equal.
        x = image_to_tokens(self.gradcam_layer(tokens_to_image(x, self.grid, self.n_sequences)), self.n_sequences)
        x = self.norm(self.blocks[-1](x)).unflatten(0, (-1, self.n_sequences)).flatten(1, 2)
        return self.head(self.dropout(x.mean(dim=1) if self.pool == "avg" else x.amax(dim=1)))


def tokens_to_image(x: torch.Tensor, grid: tuple[int, int], n_sequences: int) -> torch.Tensor:
    """Arrange the tokens of a window as an image, with its grids below each other.

    Parameters
    ----------
    x
        Tokens `(batch * n_sequences, n_tokens, channels)`.
    grid
        Height and width of a grid of tokens.
    n_sequences
        Number of token grids per window.

    Returns
    -------
    torch.Tensor
        Image `(batch, channels, n_sequences * height, width)`.
    """
    x = x.unflatten(0, (-1, n_sequences)).unflatten(2, grid)
    return x.permute(0, 4, 1, 2, 3).flatten(2, 3)


def image_to_tokens(x: torch.Tensor, n_sequences: int) -> torch.Tensor:
    """Invert `tokens_to_image`.

    Parameters
    ----------
    x
        Image `(batch, channels, n_sequences * height, width)`.
    n_sequences
        Number of token grids per window.

    Returns
    -------
    torch.Tensor
        Tokens `(batch * n_sequences, n_tokens, channels)`.
    """
    x = x.unflatten(2, (n_sequences, -1)).permute(0, 2, 3, 4, 1)
    return x.flatten(0, 1).flatten(1, 2)
