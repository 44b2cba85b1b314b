"""Class activation maps from the layer `gradcam_layer` of a network."""

from collections.abc import Callable
from typing import Any, cast

import torch

from eegwf.attribution.attribute import AttributionInput
from eegwf.attribution.target import contrast


def gradcam(given: AttributionInput) -> torch.Tensor:
    """Grad-CAM (Selvaraju et al. 2017): activations weighted by their mean gradients, without negative values.

    A map has the resolution of the layer: all bins that a token or position covers have the same value, and stacked
    channels have the same map.
    """
    activation, gradient = _layer(given)
    maps = (gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(dim=1, keepdim=True)
    return _expand(given, maps.clamp_min(0))


def hirescam(given: AttributionInput) -> torch.Tensor:
    """HiResCAM (Draelos and colleagues 2020): activations times gradients at each position.

    Unlike Grad-CAM it does not average the gradients over the positions. Negative values are kept.
    """
    activation, gradient = _layer(given)
    return _expand(given, (gradient * activation).sum(dim=1, keepdim=True))


def _layer(given: AttributionInput) -> tuple[torch.Tensor, torch.Tensor]:
    """Activations of the layer and the gradient of the contrast, both `(n, channels, height, width)`."""
    network: Any = given.classifier.network
    activations: list[torch.Tensor] = []
    hook = network.gradcam_layer.register_forward_hook(lambda module, args, output: activations.append(output))
    try:
        with torch.enable_grad():
            # The input requires a gradient, because layers before the layer may be frozen.
            x = given.x.detach().requires_grad_()
            score = contrast(network(x), given.target).sum()
            gradient = torch.autograd.grad(score, activations[0])[0]
    finally:
        hook.remove()
    return activations[0].detach(), gradient


def _expand(given: AttributionInput, maps: torch.Tensor) -> torch.Tensor:
    return cast(Callable[[torch.Tensor], torch.Tensor], given.classifier.network.upsample_to_input)(maps)
