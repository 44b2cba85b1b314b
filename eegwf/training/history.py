"""Types of the history of a training."""

from collections.abc import Callable
from typing import Any

# One record per epoch: `epoch` from 1, `train_loss`, `validation_loss`, `balanced_accuracy`, `macro_f1`; of a
# pretraining `epoch`, `n_epochs`, `contrastive_loss` and `windows`, the number that passed through the network.
History = list[dict[str, Any]]
# Called with the history after an epoch.
EpochCallback = Callable[[History], None]


def ignore_epoch(history: History) -> None:
    """Do nothing after an epoch."""
