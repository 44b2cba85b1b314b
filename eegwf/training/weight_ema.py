"""Exponential moving average of a classifier's weights."""

import copy
from collections.abc import Iterator
from itertools import chain

import torch

from eegwf.training.classifier import Classifier


class WeightEMA:
    """Copy of a classifier with the exponential moving average of the original's weights and statistics of norms.

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
        """Update the average after an optimizer step, numbered from 0.

        The statistics of norms are averaged like the weights: those of the current weights would not fit the averaged
        ones. Counters are copied.
        """
        decay = min(self.decay, (1 + step) / (10 + step))
        pairs = list(zip(_tensors(self.classifier), _tensors(self.original), strict=True))
        averaged, originals = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
        torch._foreach_lerp_(averaged, originals, 1 - decay)
        for counter, original in pairs:
            if not counter.is_floating_point():
                counter.copy_(original)


def _tensors(classifier: Classifier) -> Iterator[torch.Tensor]:
    return chain(classifier.parameters(), classifier.buffers())
