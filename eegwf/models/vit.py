"""Vision Transformer on spectrograms of any size."""

import timm
import torch
from timm.layers import PatchEmbed
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional

from eegwf.models.image_layout import Picture, multiple_of
from eegwf.models.pretrained import create
from eegwf.models.tokens import POOLS


class ViT(nn.Module):
    """Vision Transformer: patches of a multi-channel spectrogram as tokens, pooled to the window's code.

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
    architecture
        A ViT of timm, such as `vit_tiny_patch16_224`, whose width, depth, heads and MLP then count.
    pretrained
        Start from the ImageNet weights of `architecture`, fitted to patches, size and channels.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, or a name is unknown.

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
        architecture: str = "",
        pretrained: bool = False,
    ):
        super().__init__()
        if pool not in POOLS:
            raise ValueError(f"vit: pool {pool!r}; there are {' and '.join(POOLS)}")
        patch = (patch_freqs, patch_times)
        fitting = [multiple_of(length) for length in patch]
        self.picture = Picture(n_chans, n_freqs, n_times, layout, height=fitting[0], width=fitting[1], tile=fitting[0])
        common = {
            "img_size": self.picture.size,
            "patch_size": patch,
            "in_chans": self.picture.in_chans,
            "num_classes": n_outputs,
            "global_pool": pool,
            "drop_rate": dropout,
            "proj_drop_rate": dropout,
        }
        if architecture:
            if not architecture.startswith("vit_") or not timm.is_model(architecture):
                raise ValueError(f"vit: architecture {architecture!r} is no ViT of timm")
            # Its own norm stays in front of the pooling, where its weights belong.
            try:
                network = create(architecture, pretrained, fc_norm=False, **common)
            except (AssertionError, TypeError) as error:
                raise ValueError(
                    f"vit: {architecture} is no plain ViT ({error}); take it as a network of timm"
                ) from None
            self.transformer = without_class_token(network)
        elif pretrained:
            raise ValueError("vit: pretrained needs an architecture, such as vit_tiny_patch16_224")
        elif depth < 1:
            raise ValueError(f"vit: depth {depth}; there must be a block")
        elif width % heads:
            raise ValueError(f"vit: width {width} is no multiple of heads {heads}")
        else:
            sizes = {"embed_dim": width, "depth": depth, "num_heads": heads, "mlp_ratio": mlp_ratio}
            self.transformer = VisionTransformer(**common, **sizes, class_token=False)
        self.grid = self.transformer.patch_embed.grid_size
        self.features = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_times)`."""
        vit = self.transformer
        x = self.embed(self.picture(x))
        x = vit.norm_pre(vit.patch_drop(x))
        for block in vit.blocks[:-1]:
            x = block(x)
        # Tokens as a picture before the last block: what Grad-CAM reads.
        x = x.transpose(1, 2).unflatten(2, self.grid)
        x = self.features(x).flatten(2).transpose(1, 2)
        x = vit.norm(vit.blocks[-1](x))
        return vit.forward_head(x)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Tokens `(batch, n_tokens, width)` of pictures: timm's patch embedding, as the matrix product that it is.

        Patches don't overlap; as a convolution (timm's way) the CPU takes 1.6 times as long.
        """
        patches, (height, width) = self.transformer.patch_embed, self.grid
        x = x.unflatten(3, (width, -1)).unflatten(2, (height, -1)).permute(0, 2, 4, 1, 3, 5)
        x = functional.linear(x.flatten(3).flatten(1, 2), patches.proj.weight.flatten(1), patches.proj.bias)
        return self.transformer._pos_embed(patches.norm(x))

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, height, width)` of `features` as maps `(batch, n_freqs, n_times)` of the input."""
        return self.picture.to_input(maps)


def without_class_token(network: VisionTransformer) -> VisionTransformer:
    """Take the class token out of a ViT, with its position: published weights have one, pooling has no use for it."""
    plain = type(network) is VisionTransformer and type(network.patch_embed) is PatchEmbed
    if not plain or network.num_prefix_tokens > (network.cls_token is not None):
        raise ValueError(
            "vit: this architecture is no plain ViT; take it as a network of timm, under a name of its own"
        )
    if network.cls_token is not None:
        if not network.no_embed_class:
            network.pos_embed = nn.Parameter(network.pos_embed.detach()[:, 1:].clone())
        network.cls_token = None
        network.num_prefix_tokens -= 1
    return network
