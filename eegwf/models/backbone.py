"""Any image network of timm as a model of the matrix."""

import timm
import torch
from torch import nn

from eegwf.models.image_layout import Picture, multiple_of
from eegwf.models.pretrained import create, unknown

LARGEST_STEP = 32  # what the networks' strides multiply to, where they don't say


class Backbone(nn.Module):
    """A network of timm, from its name.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window's spectrogram; it is padded to a size that the network's strides divide, and enlarged where it
        is smaller than twice their product.
    n_outputs
        Number of classes.
    timm
        Name of the network, such as `convnext_atto`.
    dropout
        Before the head.
    drop_path
        Share of the residual branches that are left out in training, for networks that have such.
    layout
        `stacked`: the channels are the picture's colours. `mosaic`: they are tiled below each other.
    pretrained
        Start from the network's published weights, the first layer's fitted to the channels.

    Raises
    ------
    ValueError
        If timm has no such network, or it doesn't take such pictures.

    Notes
    -----
    Wightman 2019, PyTorch Image Models (timm); the network's own page there names its paper and parameter count.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_times: int,
        n_outputs: int,
        *,
        timm: str,
        dropout: float = 0.0,
        drop_path: float = 0.0,
        layout: str = "stacked",
        pretrained: bool = False,
    ):
        super().__init__()
        step = _step(timm)
        self.picture = Picture(
            n_chans,
            n_freqs,
            n_times,
            layout,
            height=multiple_of(step),
            width=multiple_of(step),
            smallest=(2 * step, 2 * step),
        )
        self.network = _create(timm, self.picture, n_outputs, dropout, drop_path, pretrained)
        if hasattr(self.network, "head_dist"):
            raise ValueError(f"timm's {timm} reads class tokens alone: Grad-CAM would show nothing; take one without")
        if getattr(self.network, "global_pool", None) == "token":
            self.network.global_pool = "avg"  # or no place but the class token's would have a gradient for Grad-CAM
        self.features = nn.Identity()
        self._try(timm, n_chans, n_freqs, n_times)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of spectrograms `(batch, n_chans, n_freqs, n_times)`."""
        x = self.network.forward_features(self.picture(x))
        if x.ndim == 4:
            channels_last = x.shape[1] != self.network.num_features
            x = self.features(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1) if channels_last else self.features(x)
        elif x.ndim == 3:
            prefix = getattr(self.network, "num_prefix_tokens", 0)
            tokens = x[:, prefix:].transpose(1, 2)
            grid = self.network.patch_embed.grid_size
            tokens = self.features(tokens.unflatten(2, grid)).flatten(2).transpose(1, 2)
            x = torch.cat([x[:, :prefix], tokens], dim=1)
        return self.network.forward_head(x)

    @torch.no_grad()
    def _try(self, name: str, *shape: int) -> None:
        """Look at one window, so that a network that can't is refused now and not in the middle of a training."""
        try:
            self.eval()(torch.zeros(1, *shape))
        except (AssertionError, AttributeError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"timm's {name} doesn't take pictures of {self.picture.size}: {reason}") from None
        self.train()

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, height, width)` of `features` as maps `(batch, n_freqs, n_times)` of the input."""
        return self.picture.to_input(maps)


def _step(name: str) -> int:
    """The product of a network's strides."""
    if fault := unknown(name):
        raise ValueError(fault)
    with torch.device("meta"):
        network = timm.create_model(name)
    found = getattr(network, "feature_info", None)
    steps = [entry["reduction"] for entry in found] if isinstance(found, list) else []
    return max(steps, default=LARGEST_STEP)


def _create(name: str, picture: Picture, n_outputs: int, dropout: float, drop_path: float, pretrained: bool):
    options = {
        "in_chans": picture.in_chans,
        "num_classes": n_outputs,
        "drop_rate": dropout,
    } | ({"drop_path_rate": drop_path} if drop_path else {})
    try:
        try:  # networks with positions want to know the size, others don't know the option
            return create(name, pretrained, img_size=picture.size, **options)
        except TypeError:
            return create(name, pretrained, **options)
    except (AssertionError, TypeError) as error:
        raise ValueError(f"timm's {name} can't be made for {picture.size}: {error}") from None
