"""Swin Transformer on spectrograms of any size."""

from typing import Any, cast

import timm
import torch
from timm.models.swin_transformer import SwinTransformer
from torch import nn

from eegwf.models.image_layout import ImageLayout, multiple_of
from eegwf.models.pretrained import create


class Swin(nn.Module):
    """Swin Transformer: attention within shifted windows of patches, at decreasing resolution.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window's spectrogram.
    n_outputs
        Number of classes.
    patch
        Height and width of a patch in bins. A spectrogram whose size is not a multiple of it is padded with zeros.
    window
        Height and width of an attention window in patches; a smaller image is a single window.
    width
        Size of a token in the first stage; it doubles with each further stage.
    depths
        Number of blocks of each stage, such as `2-2-6-2`.
    heads
        Number of attention heads in the first stage; it doubles with each further stage.
    mlp_ratio
        Width of a block's hidden layer as a multiple of the size of its tokens.
    dropout, attention_dropout
        Dropout probability after the projections and before the head, and of the attention weights.
    drop_path
        Probability with which a residual branch is omitted in training (stochastic depth); it increases linearly from
        0 in the first block to this value in the last.
    layout
        `stacked`: the channels are the image's input channels. `mosaic`: they are tiled below each other.
    architecture
        A Swin Transformer of timm, such as `swin_tiny_patch4_window7_224`, whose sizes replace `window`, `width`,
        `depths`, `heads` and `mlp_ratio`.
    pretrained
        Whether to start from the ImageNet weights of `architecture`, adapted to the size and the channels.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, `depths` is malformed, `architecture` is missing for `pretrained`, or the
        name of an option is unknown.

    Notes
    -----
    Liu et al. 2021, Swin Transformer (ICCV), as implemented in timm. With `d = width`, stage `i` (from 0) has about
    `depths[i] * (4 + 2 * mlp_ratio) * (2**i * d)**2` parameters, and the patch merging before it
    `8 * (2**(i - 1) * d)**2`.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
        n_outputs: int,
        *,
        patch: int = 4,
        window: int = 7,
        width: int = 32,
        depths: str = "2-2",
        heads: int = 2,
        mlp_ratio: float = 2.0,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        drop_path: float = 0.1,
        layout: str = "stacked",
        architecture: str = "",
        pretrained: bool = False,
    ):
        super().__init__()
        self.image_layout = ImageLayout(
            n_chans,
            n_freqs,
            n_frames,
            layout,
            height=multiple_of(patch),
            width=multiple_of(patch),
            tile=multiple_of(patch),
        )
        options: dict[str, Any] = {
            "img_size": self.image_layout.size,
            "patch_size": patch,
            "in_chans": self.image_layout.in_chans,
            "num_classes": n_outputs,
            "drop_rate": dropout,
            "proj_drop_rate": dropout,
            "attn_drop_rate": attention_dropout,
            "drop_path_rate": drop_path,
        }
        if architecture:
            if not architecture.startswith("swin_") or not timm.is_model(architecture):
                raise ValueError(f"swin: architecture {architecture!r} is not a Swin Transformer of timm")
            self.transformer = cast(SwinTransformer, create(architecture, pretrained, **options))
        elif pretrained:
            raise ValueError("swin: pretrained requires architecture, such as swin_tiny_patch4_window7_224")
        else:
            self.transformer = SwinTransformer(
                **options, **_stage_sizes(width, depths, heads), window_size=window, mlp_ratio=mlp_ratio
            )
        self.gradcam_layer = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_frames)`."""
        x = self.transformer.forward_features(self.image_layout(x))
        x = self.gradcam_layer(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return self.transformer.forward_head(x)

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, height, width)` to `(batch, n_chans, n_freqs, n_frames)`."""
        return self.image_layout.upsample_to_input(maps)


def _stage_sizes(width: int, depths: str, heads: int) -> dict[str, Any]:
    """Return the sizes of the stages as arguments of `SwinTransformer`."""
    parts = str(depths).split("-")
    if not all(part.isdigit() and int(part) for part in parts):
        raise ValueError(f"swin: depths is {depths!r}; expected the number of blocks of each stage, such as 2-2-6-2")
    if width % heads:
        raise ValueError(f"swin: width {width} is not a multiple of heads {heads}")
    stages = range(len(parts))
    return {
        "embed_dim": width,
        "depths": tuple(map(int, parts)),
        "num_heads": tuple(heads * 2**stage for stage in stages),
    }
