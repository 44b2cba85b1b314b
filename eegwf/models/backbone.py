"""Image networks of timm as models."""

from typing import Any

import timm
import torch
from torch import nn

from eegwf.models.image_layout import ImageLayout, multiple_of
from eegwf.models.pretrained import create, unknown

DEFAULT_STRIDE = 32  # total stride assumed for networks that don't report theirs


class Backbone(nn.Module):
    """A network of timm, selected by its name.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window's spectrogram. It is padded to a multiple of the network's total stride, and enlarged if it
        is smaller than twice the total stride.
    n_outputs
        Number of classes.
    timm
        Name of the network, such as `convnext_atto`.
    dropout
        Dropout probability before the head.
    drop_path
        Probability with which a residual branch is omitted in training, for networks that support it.
    layout
        `stacked`: the channels are the image's input channels. `mosaic`: they are tiled below each other.
    pretrained
        Whether to start from the network's published weights, with those of the first layer adapted to the channels.

    Raises
    ------
    ValueError
        If timm has no such network, or the network doesn't accept images of this size.

    Notes
    -----
    Wightman 2019, PyTorch Image Models (timm); the documentation of each network in timm gives its paper and its number
    of parameters.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
        n_outputs: int,
        *,
        timm: str,
        dropout: float = 0.0,
        drop_path: float = 0.0,
        layout: str = "stacked",
        pretrained: bool = False,
    ):
        super().__init__()
        stride = _total_stride(timm)
        self.image_layout = ImageLayout(
            n_chans,
            n_freqs,
            n_frames,
            layout,
            height=multiple_of(stride),
            width=multiple_of(stride),
            min_size=(2 * stride, 2 * stride),
        )
        self.network = _create(timm, self.image_layout, n_outputs, dropout, drop_path, pretrained)
        if hasattr(self.network, "head_dist"):
            raise ValueError(
                f"timm's {timm} uses only its class tokens for the output, so that its Grad-CAM maps would be zero; "
                "choose a network without a distillation token"
            )
        if getattr(self.network, "global_pool", None) == "token":
            # With a class token alone, the gradients of all other tokens would be zero, and with them Grad-CAM.
            self.network.global_pool = "avg"
        self.gradcam_layer = nn.Identity()
        self._check_forward(timm, n_chans, n_freqs, n_frames)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_frames)`."""
        x = self.network.forward_features(self.image_layout(x))
        if x.ndim == 4:
            channels_last = x.shape[1] != self.network.num_features
            x = (
                self.gradcam_layer(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
                if channels_last
                else self.gradcam_layer(x)
            )
        elif x.ndim == 3:
            n_prefix = getattr(self.network, "num_prefix_tokens", 0)
            tokens = x[:, n_prefix:].transpose(1, 2)
            grid = self.network.patch_embed.grid_size
            tokens = self.gradcam_layer(tokens.unflatten(2, grid)).flatten(2).transpose(1, 2)
            x = torch.cat([x[:, :n_prefix], tokens], dim=1)
        return self.network.forward_head(x)

    @torch.no_grad()
    def _check_forward(self, name: str, *shape: int) -> None:
        """Process a window of zeros, so that an unsuitable network is rejected here and not during training."""
        try:
            self.eval()(torch.zeros(1, *shape))
        except (AssertionError, AttributeError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            height, width = self.image_layout.size
            raise ValueError(f"timm's {name} doesn't accept images of {height} x {width} pixels: {reason}") from None
        self.train()

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, height, width)` to `(batch, n_chans, n_freqs, n_frames)`."""
        return self.image_layout.upsample_to_input(maps)


def _total_stride(name: str) -> int:
    """Return the product of a network's strides."""
    if message := unknown(name):
        raise ValueError(message)
    with torch.device("meta"):
        network = timm.create_model(name)
    feature_info = getattr(network, "feature_info", None)
    strides = [entry["reduction"] for entry in feature_info] if isinstance(feature_info, list) else []
    return max(strides, default=DEFAULT_STRIDE)


def _create(
    name: str, image_layout: ImageLayout, n_outputs: int, dropout: float, drop_path: float, pretrained: bool
) -> Any:
    """Create the network. The return type is Any, as timm's networks have no common base class."""
    options: dict[str, Any] = {
        "in_chans": image_layout.in_chans,
        "num_classes": n_outputs,
        "drop_rate": dropout,
    } | ({"drop_path_rate": drop_path} if drop_path else {})
    try:
        try:  # networks with position embeddings need the image size; others don't accept the option
            return create(name, pretrained, img_size=image_layout.size, **options)
        except TypeError:
            return create(name, pretrained, **options)
    except (AssertionError, TypeError) as error:
        height, width = image_layout.size
        raise ValueError(f"timm's {name} can't be created for images of {height} x {width} pixels: {error}") from None
