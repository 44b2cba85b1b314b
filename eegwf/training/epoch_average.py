"""Stochastic weight averaging: mean of a classifier's weights at the ends of the last epochs."""

import copy
from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np
import torch

from eegwf.training.batch_loader import BatchLoader
from eegwf.training.batch_norms import fit_batch_norms
from eegwf.training.classifier import Classifier, chunk_size


class EpochAverage:
    """Copy of a classifier with the mean of the original's weights at the ends of the last epochs.

    Parameters
    ----------
    classifier
        Classifier that is trained.
    n_epochs
        Maximum number of epochs whose weights are averaged; in the first epochs there are fewer.

    Attributes
    ----------
    classifier
        The copy, in evaluation mode.
    recent
        State of the original at the end of each of these epochs, the latest one last. It is part of a checkpoint.

    Notes
    -----
    Izmailov et al. 2018, Averaging weights leads to wider optima and better generalization (UAI), who average from a
    given epoch to the last one. With early stopping, the last epoch is not known before. Here the averages over the
    last epochs are validated after each epoch, and the best of them is kept.
    """

    def __init__(self, classifier: Classifier, n_epochs: int):
        self.original = classifier
        self.classifier = copy.deepcopy(classifier).eval()
        self.recent: deque[Mapping[str, torch.Tensor]] = deque(maxlen=n_epochs)

    def restore(self, recent: Iterable[Mapping[str, torch.Tensor]]) -> None:
        """Continue with the states of a checkpoint."""
        device = next(self.classifier.parameters()).device
        self.recent.extend({name: value.to(device) for name, value in weights.items()} for weights in recent)

    @torch.no_grad()
    def update(self, loader: BatchLoader, rows: np.ndarray) -> None:
        """Compute the mean after an epoch.

        The statistics of batch norms are computed anew, since those of other weights do not fit the mean of the
        weights.

        Parameters
        ----------
        loader
            Loader that has the rows.
        rows
            Rows of the training windows.
        """
        self.recent.append({name: value.detach().clone() for name, value in self.original.state_dict().items()})
        for name, value in self.classifier.state_dict().items():
            for number, weights in enumerate(self.recent, 1):
                if number == 1 or not value.is_floating_point():
                    value.copy_(weights[name])
                else:
                    value.lerp_(weights[name], 1 / number)  # the mean so far; exact if all are equal, as if frozen
        parts = np.array_split(np.sort(rows), -(-len(rows) // chunk_size(loader.dataset)))
        fit_batch_norms(self.classifier, loader.stream(parts))
