"""Swin Transformer on spectrograms of any size."""

import timm
import torch
from timm.models.swin_transformer import SwinTransformer
from torch import nn

from eegwf.models.image_layout import Picture, multiple_of
from eegwf.models.pretrained import create


class Swin(nn.Module):
    """Swin Transformer: attention within windows of patches that shift, over ever coarser pictures.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window's spectrogram.
    n_outputs
        Number of classes.
    patch
        Size of a patch in bins, both ways. An edge that patches don't divide is padded with zeros.
    window
        Size of an attention window in patches, both ways; a smaller picture is one window.
    width
        Size of a token of the first stage; each further stage doubles it.
    depths
        Blocks of each stage, such as `2-2-6-2`.
    heads
        Attention heads of the first stage; each further stage doubles them.
    mlp_ratio
        Width of a block's hidden layer as a multiple of its tokens'.
    dropout, attention_dropout
        Dropout after the projections and before the head, and of the attention.
    drop_path
        Share of the residual branches that are left out in training (stochastic depth), rising to this from 0.
    layout
        `stacked`: the channels are the picture's colours. `mosaic`: they are tiled below each other.
    architecture
        A Swin Transformer of timm, such as `swin_tiny_patch4_window7_224`, whose sizes then count.
    pretrained
        Start from the ImageNet weights of `architecture`, fitted to size and channels.

    Raises
    ------
    ValueError
        If `heads` doesn't divide `width`, `depths` has another form, or a name is unknown.

    Notes
    -----
    Liu et al. 2021, Swin Transformer (ICCV), as timm implements it. With width `d` a stage `i` from 0 has about
    `depths[i] * (4 + 2 * mlp_ratio) * (2**i * d)**2` parameters, and the step to it `8 * (2**(i - 1) * d)**2`.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_times: int,
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
        self.picture = Picture(
            n_chans,
            n_freqs,
            n_times,
            layout,
            height=multiple_of(patch),
            width=multiple_of(patch),
            tile=multiple_of(patch),
        )
        common = {
            "img_size": self.picture.size,
            "patch_size": patch,
            "in_chans": self.picture.in_chans,
            "num_classes": n_outputs,
            "drop_rate": dropout,
            "proj_drop_rate": dropout,
            "attn_drop_rate": attention_dropout,
            "drop_path_rate": drop_path,
        }
        if architecture:
            if not architecture.startswith("swin_") or not timm.is_model(architecture):
                raise ValueError(f"swin: architecture {architecture!r} is no Swin Transformer of timm")
            self.transformer = create(architecture, pretrained, **common)
        elif pretrained:
            raise ValueError("swin: pretrained needs an architecture, such as swin_tiny_patch4_window7_224")
        else:
            self.transformer = SwinTransformer(
                **common, **_sizes(width, depths, heads), window_size=window, mlp_ratio=mlp_ratio
            )
        self.features = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_times)`."""
        x = self.transformer.forward_features(self.picture(x))
        x = self.features(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return self.transformer.forward_head(x)

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, height, width)` of `features` as maps `(batch, n_freqs, n_times)` of the input."""
        return self.picture.to_input(maps)


def _sizes(width: int, depths: str, heads: int) -> dict:
    parts = str(depths).split("-")
    if not all(part.isdigit() and int(part) for part in parts):
        raise ValueError(f"swin: depths {depths!r}; expected blocks of each stage, such as 2-2-6-2")
    if width % heads:
        raise ValueError(f"swin: width {width} is no multiple of heads {heads}")
    stages = range(len(parts))
    return {
        "embed_dim": width,
        "depths": tuple(map(int, parts)),
        "num_heads": tuple(heads * 2**stage for stage in stages),
    }
