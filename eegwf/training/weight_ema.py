"""Exponential moving average of a classifier's weights."""

import copy

import torch

from eegwf.training.classifier import Classifier


class Average:
    """A copy of a classifier whose weights follow the original's as their moving average.

    Parameters
    ----------
    classifier
        The original.
    decay
        Share of the average that stays at each step; less in the first steps, which would else weigh the fresh weights
        too long (as in Tan and Le 2019: `(1 + step) / (10 + step)` at most).
    """

    def __init__(self, classifier: Classifier, decay: float):
        self.decay = decay
        self.original = classifier
        self.classifier = copy.deepcopy(classifier).eval()

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Follow the original after a step, numbered from 0; what is no weight (statistics of norms) is copied."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.classifier.parameters()), list(self.original.parameters()), 1 - decay)
        for kept, now in zip(self.classifier.buffers(), self.original.buffers(), strict=True):
            kept.copy_(now)
