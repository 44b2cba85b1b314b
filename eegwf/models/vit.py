"""Vision Transformer on spectrograms of any size."""

from typing import Any

import timm
import torch
from timm.layers import PatchEmbed
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional

from eegwf.models.image_layout import ImageLayout, multiple_of
from eegwf.models.pretrained import create
from eegwf.models.tokens import POOLS

TIMM_ADVICE = "configure it as a network of timm (parameter timm), under a model name other than vit"


class ViT(nn.Module):
    """Vision Transformer: the tokens are patches of a multi-channel spectrogram, and are pooled for the output.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window's spectrogram.
    n_outputs
        Number of classes.
    patch_freqs, patch_times
        Size of a patch in bins. A spectrogram whose size is not a multiple of it is padded with zeros (the mean of a
        normalized input); no bin is removed.
    width
        Size of a token; a multiple of `heads`.
    depth
        Number of blocks.
    heads
        Number of attention heads in a block.
    mlp_ratio
        Width of a block's hidden layer as a multiple of `width`.
    dropout
        Dropout probability after the projections and before the head.
    layout
        `stacked`: a patch covers all channels at its position. `mosaic`: the channels are tiled below each other, so
        that a patch covers a single channel, and all channels share one projection.
    pool
        Pooling of the tokens: `avg` for their mean; `max` for their maximum, which a seizure in few channels can
        determine.
    architecture
        A ViT of timm, such as `vit_tiny_patch16_224`, whose sizes replace `width`, `depth`, `heads` and `mlp_ratio`.
    pretrained
        Whether to start from the ImageNet weights of `architecture`, adapted to the patches, the size and the channels.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, `depth` is less than 1, `architecture` is missing for `pretrained`, or the
        name of an option is unknown.

    Notes
    -----
    Dosovitskiy et al. 2021, An image is worth 16x16 words (ICLR), as implemented in timm, with pooling instead of a
    class token (Beyer et al. 2022), so that every token has a gradient. With `t` tokens of width `d` and `b` blocks,
    the model has about `n_chans * patch_freqs * patch_times * d + t * d + b * (4 + 2 * mlp_ratio) * d**2` parameters.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
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
            raise ValueError(f"vit: unknown pool {pool!r}; expected {' or '.join(POOLS)}")
        height, width_of_frames = multiple_of(patch_freqs), multiple_of(patch_times)
        self.image_layout = ImageLayout(
            n_chans, n_freqs, n_frames, layout, height=height, width=width_of_frames, tile=height
        )
        options: dict[str, Any] = {
            "img_size": self.image_layout.size,
            "patch_size": (patch_freqs, patch_times),
            "in_chans": self.image_layout.in_chans,
            "num_classes": n_outputs,
            "global_pool": pool,
            "drop_rate": dropout,
            "proj_drop_rate": dropout,
        }
        if architecture:
            if not architecture.startswith("vit_") or not timm.is_model(architecture):
                raise ValueError(f"vit: architecture {architecture!r} is not a ViT of timm")
            # `fc_norm=False` keeps the norm before the pooling, where the published weights were trained.
            try:
                network = create(architecture, pretrained, fc_norm=False, **options)
            except (AssertionError, TypeError) as error:
                raise ValueError(f"vit: {architecture} is not a plain ViT ({error}); {TIMM_ADVICE}") from None
            self.transformer = without_class_token(network)
        elif pretrained:
            raise ValueError("vit: pretrained requires architecture, such as vit_tiny_patch16_224")
        elif depth < 1:
            raise ValueError(f"vit: depth is {depth}; expected at least 1")
        elif width % heads:
            raise ValueError(f"vit: width {width} is not a multiple of heads {heads}")
        else:
            options |= {"embed_dim": width, "depth": depth, "num_heads": heads, "mlp_ratio": mlp_ratio}
            self.transformer = VisionTransformer(**options, class_token=False)
        self.grid = self.transformer.patch_embed.grid_size
        self.gradcam_layer = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_frames)`."""
        vit = self.transformer
        x = self.embed(self.image_layout(x))
        x = vit.norm_pre(vit.patch_drop(x))
        for block in vit.blocks[:-1]:
            x = block(x)
        # Grad-CAM uses the input of the last block; after it, mean pooling would make all tokens' gradients equal.
        x = x.transpose(1, 2).unflatten(2, self.grid)
        x = self.gradcam_layer(x).flatten(2).transpose(1, 2)
        x = vit.norm(vit.blocks[-1](x))
        return vit.forward_head(x)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Return the tokens `(batch, n_tokens, width)` of images, with position embeddings.

        The result is that of timm's patch embedding. As patches don't overlap, it is computed as a matrix product;
        timm's convolution takes 1.6 times as long on a CPU.
        """
        patch_embed, (height, width) = self.transformer.patch_embed, self.grid
        x = x.unflatten(3, (width, -1)).unflatten(2, (height, -1)).permute(0, 2, 4, 1, 3, 5)
        x = functional.linear(x.flatten(3).flatten(1, 2), patch_embed.proj.weight.flatten(1), patch_embed.proj.bias)
        return self.transformer._pos_embed(patch_embed.norm(x))

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, height, width)` to `(batch, n_chans, n_freqs, n_frames)`."""
        return self.image_layout.upsample_to_input(maps)


def without_class_token(network: nn.Module) -> VisionTransformer:
    """Remove the class token of a ViT and its position embedding.

    Published weights contain a class token, which is not used with pooling.

    Parameters
    ----------
    network
        Network of timm; it is changed in place.

    Returns
    -------
    VisionTransformer
        The same network.

    Raises
    ------
    ValueError
        If the network is not a plain ViT, or has other prefix tokens than a class token.
    """
    if (
        type(network) is not VisionTransformer
        or type(network.patch_embed) is not PatchEmbed
        or network.num_prefix_tokens > (network.cls_token is not None)
    ):
        raise ValueError(f"vit: this architecture is not a plain ViT; {TIMM_ADVICE}")
    if network.cls_token is not None:
        if not network.no_embed_class and network.pos_embed is not None:
            network.pos_embed = nn.Parameter(network.pos_embed.detach()[:, 1:].clone())
        network.cls_token = None
        network.num_prefix_tokens -= 1
    return network
