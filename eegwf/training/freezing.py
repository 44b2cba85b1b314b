"""Layers of a classifier that keep their initial weights."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from eegwf.models.tensors import forward_order
from eegwf.training.classifier import Classifier


def freeze_first(classifier: Classifier, fraction: float, shape: dict[str, int], head: set[str]) -> None:
    """Freeze the first weight tensors of a network; the output layer is never frozen.

    Parameters
    ----------
    classifier
        Classifier. Batch norms whose weights are frozen keep their statistics too.
    fraction
        Fraction of the weight tensors before the output layer, in the order of the forward pass, rounded down.
    shape
        `n_chans`, `n_freqs` and `n_frames` of a window.
    head
        Names of the tensors of the output layer.
    """
    network = classifier.network
    size = [shape[name] for name in ("n_chans", "n_freqs", "n_frames")]
    window = torch.zeros(1, *size, device=next(network.parameters()).device)
    body = [name for name in forward_order(network, window) if name not in head]
    frozen = set(body[: int(fraction * len(body) + 1e-9)])
    for name, parameter in network.named_parameters():
        if name in frozen:
            parameter.requires_grad_(False)
    classifier.frozen_norms = [
        module for module in network.modules() if isinstance(module, _BatchNorm) and _is_frozen(module)
    ]


def _is_frozen(module: nn.Module) -> bool:
    parameters = list(module.parameters())
    return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)
