"""Training of a model that is not trained by gradient descent: one fit instead of epochs."""

from typing import Any, Protocol, cast

import numpy as np
import torch

from eegwf.config.training import Training
from eegwf.data.splits import Split
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.classifier import Classifier, chunk_size, predict
from eegwf.training.sampling import class_weights, epoch_order
from eegwf.training.trainer import scores_of


class ClosedFormNetwork(Protocol):
    """Network that is fitted to features of all training windows together."""

    def log_power(self, x: torch.Tensor) -> torch.Tensor:
        """Features of windows."""

    def fit(self, features: np.ndarray, label: np.ndarray, class_weight: dict[int, float] | None) -> None:
        """Fit the network.

        Parameters
        ----------
        features
            Features of the training windows, as `log_power` computes them.
        label
            Class indices `(n_windows,)`.
        class_weight
            Weight of each class in the loss; None for equal weights of the windows.
        """


@torch.no_grad()
def fit(classifier: Classifier, loader: BatchLoader, split: Split, settings: Training, seed: int) -> dict[str, Any]:
    """Fit the network to the training windows and validate it.

    Parameters
    ----------
    classifier
        Classifier whose network is a `ClosedFormNetwork`.
    loader
        Loader of the windows of the split.
    split
        Training and validation windows.
    settings
        Settings of training. Of `class_balance`, `sampling` and `weights` both weight the classes equally, and
        `undersampling` leaves windows out.
    seed
        Seed of the choice of windows for `undersampling`.

    Returns
    -------
    dict
        The only record of the history.

    Raises
    ------
    Diverged
        If a cross-entropy is not finite.
    """
    label, rows = split.train.label, split.train.window
    if settings.class_balance == "undersampling":
        order = np.sort(epoch_order(label, settings.class_balance, seed, 0))
        label, rows = label[order], rows[order]
    # A fit draws no batches: equal sampling of the classes is equivalent to equal weights.
    balance = "weights" if settings.class_balance == "sampling" else settings.class_balance
    weights = class_weights(label, len(split.train.classes), balance)
    class_weight = None if weights is None else dict(enumerate(weights.tolist()))
    network, size = cast(ClosedFormNetwork, classifier.network), chunk_size(loader.dataset)
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    features = [network.log_power(classifier.normalization(x)).cpu() for x in loader.stream(parts)]
    network.fit(torch.cat(features).numpy(), label, class_weight)
    train, validation = (
        scores_of(predict(classifier, loader.dataset, part.window, loader), part)
        for part in (split.train, split.validation)
    )
    return {"epoch": 1, "train_loss": train["validation_loss"], **validation}
