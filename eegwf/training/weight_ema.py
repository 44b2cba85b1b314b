"""Exponential moving average of a classifier's weights."""

import copy

import torch

from eegwf.training.classifier import Classifier


class WeightEMA:
    """Copy of a classifier whose weights are the exponential moving average of the original's.

    Parameters
    ----------
    classifier
        Classifier that is trained.
    decay
        Factor of the average at each step. In the first steps it is at most `(1 + step) / (10 + step)`, as in Tan and
        Le 2019, so that the initial weights do not dominate the average.

    Attributes
    ----------
    classifier
        The copy, in evaluation mode.
    """

    def __init__(self, classifier: Classifier, decay: float):
        self.decay = decay
        self.original = classifier
        self.classifier = copy.deepcopy(classifier).eval()

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Update the average after an optimizer step, numbered from 0; buffers (statistics of norms) are copied."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.classifier.parameters()), list(self.original.parameters()), 1 - decay)
        for buffer, original in zip(self.classifier.buffers(), self.original.buffers(), strict=True):
            buffer.copy_(original)
