"""Running statistics of batch norms."""

from collections.abc import Iterable

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from eegwf.training.classifier import Classifier


@torch.no_grad()
def fit_batch_norms(classifier: Classifier, batches: Iterable[torch.Tensor]) -> None:
    """Replace the running statistics of all batch norms by their mean over batches, without dropout.

    Parameters
    ----------
    classifier
        Classifier; its mode is restored afterward.
    batches
        Windows `(batch, n_chans, n_freqs, n_frames)`, not normalized. None is read if there are no batch norms.
    """
    norms = [module for module in classifier.network.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        return
    was_training, momenta = classifier.training, [norm.momentum for norm in norms]
    classifier.eval()
    for number, x in enumerate(batches, 1):
        for norm in norms:
            norm.train()
            norm.momentum = 1 / number  # the weight of this batch in the mean of those so far
        classifier(x)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    classifier.train(was_training)
