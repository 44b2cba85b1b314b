"""Training of a model that has one solution, found at once instead of by steps."""

from typing import Any

import numpy as np
import torch

from eegwf.config.training import Training
from eegwf.data.splits import Split
from eegwf.training.batch_loader import Batches
from eegwf.training.classifier import Classifier, chunk_size
from eegwf.training.sampling import class_weights, epoch_order
from eegwf.training.trainer import scores_of


@torch.no_grad()
def fit(classifier: Classifier, batches: Batches, split: Split, settings: Training, seed: int) -> dict[str, Any]:
    """Fit the network to the training windows and validate it; the one record of its history.

    Parameters
    ----------
    classifier
        Its network has `log_power` and `fit`.
    batches, split
        Windows, and which of them train and validate.
    settings
        `balance`: `sampling` and `weights` weigh the classes equally, `undersampling` leaves windows out.
    seed
        Decides which windows those are.
    """
    label, rows = split.train.label, split.train.window
    if settings.balance == "undersampling":
        order = np.sort(epoch_order(label, settings.balance, seed, 0))
        label, rows = label[order], rows[order]
    # Equal draws and equal weights come to the same where there are no draws.
    balance = "weights" if settings.balance == "sampling" else settings.balance
    weights = class_weights(label, len(split.train.classes), balance)
    weight = None if weights is None else dict(enumerate(weights.tolist()))
    network, size = classifier.network, chunk_size(batches.inputs)
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    features = [network.log_power(classifier.normalisation(x)).cpu() for x in batches.stream(parts)]
    network.fit(torch.cat(features).numpy(), label, weight)
    loss = scores_of(classifier, batches, split.train)["validation_loss"]
    return {"epoch": 1, "train_loss": loss, **scores_of(classifier, batches, split.validation)}
