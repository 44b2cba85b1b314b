"""Vision Transformer on spectrograms of any size."""

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional


class ViT(nn.Module):
    """Vision Transformer: patches of a multi-channel spectrogram as tokens, their mean as the window's code.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window's spectrogram.
    n_outputs
        Number of classes.
    patch_freqs, patch_times
        Size of a patch in bins. An edge that patches don't divide is padded with zeros (the mean of a normalised
        input), never cut.
    width
        Size of a token; a multiple of `heads`.
    depth
        Number of blocks.
    heads
        Attention heads of a block.
    mlp_ratio
        Width of a block's hidden layer as a multiple of `width`.
    dropout
        Dropout after the projections and before the head.
    layout
        `stacked`: a patch spans all channels at its place. `mosaic`: the channels are tiled below each other, so that
        every channel has patches of its own and all share one projection.
    pool
        How tokens become the window's code: their `avg`, or their `max`, which a seizure in few channels can win.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`.

    Notes
    -----
    Dosovitskiy et al. 2021, An image is worth 16x16 words (ICLR), as timm implements it, with pooling in place
    of the class token (Beyer et al. 2022), so that every token has a gradient. With `t` tokens of width `d` and `b`
    blocks it has about `n_chans * patch_freqs * patch_times * d + t * d + b * (4 + 2 * mlp_ratio) * d**2` parameters.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_times: int,
        n_outputs: int,
        *,
        patch_freqs: int = 8,
        patch_times: int = 8,
        width: int = 64,
        depth: int = 2,
        heads: int = 4,
        mlp_ratio: float = 2.0,
        dropout: float = 0.1,
        layout: str = "stacked",
        pool: str = "avg",
    ):
        super().__init__()
        if width % heads:
            raise ValueError(f"vit: width {width} is no multiple of heads {heads}")
        if layout not in ("stacked", "mosaic") or pool not in ("avg", "max"):
            raise ValueError(f"vit: layout {layout!r}, pool {pool!r}; there are stacked and mosaic, avg and max")
        self.padding = (0, -n_times % patch_times, 0, -n_freqs % patch_freqs)
        self.tiles = n_chans if layout == "mosaic" else 1
        self.shape = (n_freqs, n_times)
        size = (self.tiles * (n_freqs + self.padding[3]), n_times + self.padding[1])
        self.transformer = VisionTransformer(
            img_size=size,
            patch_size=(patch_freqs, patch_times),
            in_chans=n_chans // self.tiles,
            num_classes=n_outputs,
            embed_dim=width,
            depth=depth,
            num_heads=heads,
            mlp_ratio=mlp_ratio,
            class_token=False,
            global_pool=pool,
            drop_rate=dropout,
            proj_drop_rate=dropout,
        )
        self.size = size
        self.grid = (size[0] // patch_freqs, size[1] // patch_times)
        self.features = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_times)`."""
        vit = self.transformer
        x = functional.pad(x, self.padding)
        if self.tiles > 1:
            x = x.flatten(1, 2)[:, None]
        x = vit.patch_embed(x)
        x = vit.norm_pre(vit.patch_drop(vit._pos_embed(x)))
        for block in vit.blocks[:-1]:
            x = block(x)
        # Tokens as a picture before the last block: what Grad-CAM reads.
        x = x.transpose(1, 2).unflatten(2, self.grid)
        x = self.features(x).flatten(2).transpose(1, 2)
        x = vit.norm(vit.blocks[-1](x))
        return vit.forward_head(x)

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, height, width)` of `features` as maps `(batch, n_freqs, n_times)` of the input."""
        # Channels are averaged before enlarging, or neighbours in the mosaic would bleed into each other.
        maps = maps.unflatten(2, (self.tiles, -1)).mean(dim=2)
        size = (self.size[0] // self.tiles, self.size[1])
        maps = functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)[:, 0]
        return maps[:, : self.shape[0], : self.shape[1]]
