"""Training of a model that is not trained by gradient descent: one fit instead of epochs."""

from collections.abc import Callable
from typing import Any, Protocol, cast

import numpy as np
import torch

from eegwf.config.training import Training
from eegwf.data.splits import Split
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.classifier import Classifier, chunk_size, predict
from eegwf.training.patient_balance import window_weights
from eegwf.training.sampling import class_weights, epoch_order
from eegwf.training.trainer import scores_of


class ClosedFormNetwork(Protocol):
    """Network that is fitted to features of all training windows together."""

    def log_power(self, x: torch.Tensor) -> torch.Tensor:
        """Features of windows."""

    def logits(self, log_power: torch.Tensor) -> torch.Tensor:
        """Logits of windows with these features."""

    def fit(
        self,
        features: np.ndarray,
        label: np.ndarray,
        class_weight: dict[int, float] | None,
        window_weight: np.ndarray | None = None,
    ) -> None:
        """Fit the network.

        Parameters
        ----------
        features
            Features of the training windows, as `log_power` computes them.
        label
            Class indices `(n_windows,)`.
        class_weight
            Weight of each class in the loss; None for equal weights of the classes.
        window_weight
            Weight of each window in the loss `(n_windows,)`, by which that of its class is multiplied; None for equal
            weights.
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
        `undersampling` leaves windows out. `patient_balance` weights the windows, and with `undersampling` decides
        which are left out.
    seed
        Seed of the choice of windows for `undersampling`.

    Returns
    -------
    dict
        The only record of the history; without validation windows it has no validation scores.

    Raises
    ------
    Diverged
        If a cross-entropy is not finite.
    """
    label, rows, patient = split.train.label, split.train.window, split.train.patient
    window_weight = window_weights(label, patient, settings.patient_balance)
    if settings.class_balance == "undersampling":
        order = np.sort(epoch_order(label, settings.class_balance, seed, 0, patient, settings.patient_balance))
        label, rows, window_weight = label[order], rows[order], None
    # A fit draws no batches: equal sampling of the classes is equivalent to equal weights.
    balance = "weights" if settings.class_balance == "sampling" else settings.class_balance
    network = cast(ClosedFormNetwork, classifier.network)
    features = read_features(lambda x: network.log_power(classifier.normalization(x)), loader, rows)
    network.fit(features.numpy(), label, _class_weight(label, len(split.train.classes), balance), window_weight)
    train, *validation = (
        scores_of(predict(classifier, loader.dataset, part.window, loader), part)
        for part in (split.train, split.validation)
        if len(part.window)
    )
    return {"epoch": 1, "train_loss": train["validation_loss"], **(validation[0] if validation else {})}


@torch.no_grad()
def read_features(
    compute: Callable[[torch.Tensor], torch.Tensor], loader: BatchLoader, rows: np.ndarray
) -> torch.Tensor:
    """Compute the features of windows, in parts.

    Parameters
    ----------
    compute
        Function that computes the features of windows.
    loader
        Loader that has the rows.
    rows
        Rows of the windows.

    Returns
    -------
    torch.Tensor
        Features on the CPU, in the order of `rows`.
    """
    size = chunk_size(loader.dataset)
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    return torch.cat([compute(x).cpu() for x in loader.stream(parts)])


@torch.no_grad()
def fit_and_predict(
    network: ClosedFormNetwork, features: torch.Tensor, label: np.ndarray, train: np.ndarray, n_classes: int
) -> np.ndarray:
    """Fit a network to some of the windows, with equal weights of the classes, and predict the others.

    Parameters
    ----------
    network
        Network on the CPU.
    features
        Features of all windows, as `read_features` computes them.
    label
        Class indices `(n_windows,)`. Every class must occur among the training windows.
    train
        Whether each window is a training window, `(n_windows,)`.
    n_classes
        Number of classes.

    Returns
    -------
    ndarray
        Probabilities of the other windows in double precision, `(n_others, n_classes)`.
    """
    weights = _class_weight(label[train], n_classes, "weights")
    network.fit(features[torch.from_numpy(train)].numpy(), label[train], weights)
    return network.logits(features[torch.from_numpy(~train)]).double().softmax(dim=1).numpy()


def _class_weight(label: np.ndarray, n_classes: int, balance: str) -> dict[int, float] | None:
    weights = class_weights(label, n_classes, balance)
    return None if weights is None else dict(enumerate(weights.tolist()))
