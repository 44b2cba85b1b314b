"""One interface to all attribution methods."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from eegwf.attribution.cells import Cells
from eegwf.attribution.methods import entry
from eegwf.training.classifier import Classifier


@dataclass(frozen=True)
class Context:
    """What methods need besides the model and the windows.

    Attributes
    ----------
    baselines
        Background windows of training patients in the unit of the inputs, `(n_baselines, n_chans, n_freqs, n_frames)`:
        the reference of integrated gradients, DeepLift, input x gradient and occlusion. An input of zeros would be no
        EEG, and the classifier was never trained on such inputs.
    cells
        Cells that occlusion replaces.
    in_decibels
        Whether each channel of the inputs is power in dB, `(n_chans,)`; None if all are.
    seed
        Seed of the random draws.
    n_steps
        Number of points between a baseline and the input at which integrated gradients evaluates the gradient.
    n_samples
        Number of noisy copies of a window for SmoothGrad, and of its mixtures with each baseline for Shapley gradients.
    noise
        Standard deviation of their noise, as a fraction of the standard deviation of the normalized window.
    """

    baselines: torch.Tensor
    cells: Cells
    seed: int
    n_steps: int = 8
    n_samples: int = 16
    noise: float = 0.1
    in_decibels: torch.Tensor | None = None


@dataclass(frozen=True)
class AttributionInput:
    """Arguments of a method, as in `attribute`."""

    classifier: Classifier
    inputs: torch.Tensor
    target: torch.Tensor
    context: Context
    rows: Sequence[int]

    @cached_property
    def x(self) -> torch.Tensor:
        """Normalized inputs, which the network receives."""
        return self.classifier.normalization(self.inputs).detach()

    @cached_property
    def baselines(self) -> torch.Tensor:
        """Normalized baselines."""
        return self.classifier.normalization(self.context.baselines).detach()


def attribute(
    method: str,
    classifier: Classifier,
    inputs: torch.Tensor,
    target: torch.Tensor,
    context: Context,
    rows: Sequence[int] | None = None,
) -> torch.Tensor:
    """Explain the contrast of a class for each window.

    Parameters
    ----------
    method
        Name of a method or control that is valid for the model, see `eegwf.attribution.methods`.
    classifier
        Classifier in evaluation mode.
    inputs
        Windows in the unit of the input (dB, correlation or microvolts), or normalized by recording if the classifier
        expects it, `(n, n_chans, n_freqs, n_frames)`.
    target
        Index of the class that is explained, for each window, `(n,)`.
    context
        Baselines, cells and seed.
    rows
        Row numbers of the windows, which seed the random draws, so that a map does not depend on the other windows of
        its batch; None for 0 to n - 1.

    Returns
    -------
    torch.Tensor
        Maps `(n, n_chans, n_freqs, n_frames)`, float32, on the device of the inputs.
    """
    found = entry(method)
    module = importlib.import_module(f"eegwf.attribution.{found.module}")
    function: Callable[[AttributionInput], torch.Tensor] = getattr(module, found.function)
    rows = range(len(inputs)) if rows is None else rows
    return function(AttributionInput(classifier, inputs, target, context, rows)).detach()
