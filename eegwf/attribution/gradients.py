"""Methods that use the gradient of the score with respect to the normalized input."""

from collections.abc import Sequence

import torch

from eegwf.attribution.attribute import Context
from eegwf.attribution.target import ContrastScore, contrast
from eegwf.seeds import seed_of
from eegwf.training.classifier import Classifier


def saliency(
    classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor, context: Context, rows: Sequence[int]
) -> torch.Tensor:
    """Absolute gradient (Simonyan et al. 2014); arguments and result as in `eegwf.attribution.attribute.attribute`."""
    return _gradient(classifier, classifier.normalization(inputs), target).abs()


def input_x_gradient(
    classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor, context: Context, rows: Sequence[int]
) -> torch.Tensor:
    """Gradient times the difference from the mean baseline (Shrikumar et al. 2016); arguments as in `attribute`.

    The published method multiplies by the input itself, that is, the baseline is zero.
    """
    x = classifier.normalization(inputs)
    baseline = classifier.normalization(context.baselines).mean(dim=0)
    return _gradient(classifier, x, target) * (x - baseline)


def smoothgrad(
    classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor, context: Context, rows: Sequence[int]
) -> torch.Tensor:
    """Absolute value of the mean gradient of noisy copies (Smilkov et al. 2017); arguments as in `attribute`."""
    x = classifier.normalization(inputs)
    deviation = x.flatten(1).std(dim=1)[:, None, None, None] * context.noise
    generators = [torch.Generator().manual_seed(seed_of(context.seed, "smoothgrad", int(row))) for row in rows]
    total = torch.zeros_like(x)
    for _ in range(context.n_samples):
        noise = torch.stack([torch.randn(x.shape[1:], generator=generator) for generator in generators])
        total += _gradient(classifier, x + deviation * noise.to(x.device), target)
    return (total / context.n_samples).abs()


def integrated_gradients(
    classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor, context: Context, rows: Sequence[int]
) -> torch.Tensor:
    """Integrated gradients (Sundararajan et al. 2017), mean over the baselines; arguments as in `attribute`.

    The sum of a map is about the score of the window minus the mean score of the baselines.
    """
    from captum.attr import IntegratedGradients  # imported when needed: it takes as long as torch

    x, explained = classifier.normalization(inputs), IntegratedGradients(ContrastScore(classifier.network))
    total = torch.zeros_like(x)
    for baseline in classifier.normalization(context.baselines)[:, None]:
        total += explained.attribute(
            x,
            baselines=baseline.expand_as(x),
            additional_forward_args=target,
            n_steps=context.n_steps,
            method="gausslegendre",
        ).detach()
    return total / len(context.baselines)


def deeplift(
    classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor, context: Context, rows: Sequence[int]
) -> torch.Tensor:
    """DeepLift, rescale rule (Shrikumar et al. 2017), mean over the baselines; arguments as in `attribute`."""
    from captum.attr import DeepLift

    x, explained = classifier.normalization(inputs), DeepLift(ContrastScore(classifier.network))
    total = torch.zeros_like(x)
    for baseline in classifier.normalization(context.baselines)[:, None]:
        given = baseline.expand_as(x).contiguous()
        total += explained.attribute(x, baselines=given, additional_forward_args=target).detach()
    return total / len(context.baselines)


def _gradient(classifier: Classifier, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Gradient of the contrast with respect to normalized inputs."""
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(contrast(classifier.network(x), target).sum(), x)[0]
