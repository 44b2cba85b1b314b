"""Class activation maps from the layer `gradcam_layer` of a network."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch

from eegwf.attribution.attribute import Context
from eegwf.attribution.target import contrast
from eegwf.training.classifier import Classifier


def gradcam(
    classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor, context: Context, rows: Sequence[int]
) -> torch.Tensor:
    """Grad-CAM (Selvaraju et al. 2017): activations weighted by their mean gradients, without negative values.

    Arguments and result as in `eegwf.attribution.attribute.attribute`. A map has the resolution of the layer: all bins
    that a token or position covers have the same value, and stacked channels have the same map.
    """
    activation, gradient = _layer(classifier, inputs, target)
    maps = (gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(dim=1, keepdim=True)
    return _expand(classifier, maps.clamp_min(0))


def hirescam(
    classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor, context: Context, rows: Sequence[int]
) -> torch.Tensor:
    """HiResCAM (Draelos and Carin 2020): activations times gradients at each position; arguments as in `attribute`.

    Unlike Grad-CAM it does not average the gradients over the positions. Negative values are kept.
    """
    activation, gradient = _layer(classifier, inputs, target)
    return _expand(classifier, (gradient * activation).sum(dim=1, keepdim=True))


def _layer(classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Activations of the layer and the gradient of the contrast, both `(n, channels, height, width)`."""
    network: Any = classifier.network
    activations: list[torch.Tensor] = []
    hook = network.gradcam_layer.register_forward_hook(lambda module, given, output: activations.append(output))
    try:
        with torch.enable_grad():
            # The input requires a gradient, because layers before the layer may be frozen.
            x = classifier.normalization(inputs).detach().requires_grad_()
            score = contrast(network(x), target).sum()
            gradient = torch.autograd.grad(score, activations[0])[0]
    finally:
        hook.remove()
    return activations[0].detach(), gradient


def _expand(classifier: Classifier, maps: torch.Tensor) -> torch.Tensor:
    return cast(Callable[[torch.Tensor], torch.Tensor], classifier.network.upsample_to_input)(maps)
