"""Methods that use the gradient of the score with respect to the normalized input."""

import warnings

import torch

from eegwf.attribution.attribute import AttributionInput
from eegwf.attribution.target import ContrastScore, contrast
from eegwf.seeds import seed_of


def saliency(given: AttributionInput) -> torch.Tensor:
    """Absolute gradient (Simonyan et al. 2014)."""
    return _gradient(given, given.x).abs()


def input_x_gradient(given: AttributionInput) -> torch.Tensor:
    """Gradient times the difference from the mean baseline (Shrikumar et al. 2016).

    The published method multiplies by the input itself, that is, the baseline is zero.
    """
    return _gradient(given, given.x) * (given.x - given.baselines.mean(dim=0))


def smoothgrad(given: AttributionInput) -> torch.Tensor:
    """Absolute value of the mean gradient of noisy copies (Smilkov et al. 2017)."""
    x, context = given.x, given.context
    deviation = x.flatten(1).std(dim=1)[:, None, None, None] * context.noise
    generators = [torch.Generator().manual_seed(seed_of(context.seed, "smoothgrad", int(row))) for row in given.rows]
    total = torch.zeros_like(x)
    for _ in range(context.n_samples):
        noise = torch.stack([torch.randn(x.shape[1:], generator=generator) for generator in generators])
        total += _gradient(given, x + deviation * noise.to(x.device))
    return (total / context.n_samples).abs()


def integrated_gradients(given: AttributionInput) -> torch.Tensor:
    """Integrated gradients (Sundararajan et al. 2017), mean over the baselines.

    The sum of a map is about the score of the window minus the mean score of the baselines.
    """
    from captum.attr import IntegratedGradients  # imported when needed: it takes as long as torch

    x, explained = given.x, IntegratedGradients(ContrastScore(given.classifier.network))
    total = torch.zeros_like(x)
    for baseline in given.baselines[:, None]:
        total += explained.attribute(
            x,
            baselines=baseline.expand_as(x),
            additional_forward_args=given.target,
            n_steps=given.context.n_steps,
            method="gausslegendre",
            internal_batch_size=len(x),  # one step after another, in the memory of a single gradient
        ).detach()
    return total / len(given.baselines)


def shapley_gradients(given: AttributionInput) -> torch.Tensor:
    """Gradient times difference from a baseline, averaged over random mixtures of the window and the baselines.

    In a mixture, each cell comes from the window with probability p and otherwise from the baseline, where p increases
    from 0 to 1. The derivative of the mean score with respect to the probability of a cell, averaged over p, is the
    Shapley value of the cell (Owen 1972); the gradient approximates the difference that the cell makes. Unlike on the
    straight line of integrated gradients, where other cells are missing, a cell gets credit that it would otherwise
    share: a network that takes the maximum of several equal signs reads each of them.
    """
    context, x = given.context, given.x
    generators = [torch.Generator().manual_seed(seed_of(context.seed, "mixtures", int(row))) for row in given.rows]
    total = torch.zeros_like(x)
    for baseline in given.baselines:
        for step in range(context.n_samples):
            p = (step + 0.5) / context.n_samples
            draws = torch.stack([torch.rand(context.cells.shape, generator=generator) for generator in generators])
            kept = context.cells.expand((draws < p).to(x))
            total += _gradient(given, torch.where(kept > 0, x, baseline)) * (x - baseline)
    return total / (len(given.baselines) * context.n_samples)


def deeplift(given: AttributionInput) -> torch.Tensor:
    """DeepLift, rescale rule (Shrikumar et al. 2017), mean over the baselines."""
    from captum.attr import DeepLift

    x, explained = given.x, DeepLift(ContrastScore(given.classifier.network))
    total = torch.zeros_like(x)
    for baseline in given.baselines[:, None]:
        expanded = baseline.expand_as(x).contiguous()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Setting forward, backward hooks")  # that it works as documented
            part = explained.attribute(x.clone().requires_grad_(), expanded, additional_forward_args=given.target)
        total += part.detach()
    return total / len(given.baselines)


def _gradient(given: AttributionInput, x: torch.Tensor) -> torch.Tensor:
    """Gradient of the contrast with respect to normalized inputs."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(contrast(given.classifier.network(x), given.target).sum(), x)[0]
