"""Running statistics of batch norms."""

from collections.abc import Iterable

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from eegwf.training.classifier import Classifier


@torch.no_grad()
def fit_batch_norms(classifier: Classifier, batches: Iterable[torch.Tensor]) -> None:
    """Compute the running statistics of batch norms anew, except those that are frozen, without dropout.

    Parameters
    ----------
    classifier
        Classifier; its mode is restored afterward.
    batches
        Windows `(batch, n_chans, n_freqs, n_frames)`, not normalized, over whose batches the statistics are averaged.
        None is read if there are no such batch norms.
    """
    norms = [norm for norm in classifier.modules() if isinstance(norm, _BatchNorm) and norm.track_running_stats]
    norms = [norm for norm in norms if norm not in classifier.frozen_norms]
    if not norms:
        return
    was_training, momenta = classifier.training, [norm.momentum for norm in norms]
    classifier.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
    for number, x in enumerate(batches, 1):
        for norm in norms:
            norm.momentum = 1 / number  # the weight of this batch in the mean of those so far
        classifier(x)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    classifier.eval()
    classifier.train(was_training)
