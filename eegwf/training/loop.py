"""The training function: one for tuning and retraining, exactly resumable."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eegwf.config.training import TUNABLE, Training
from eegwf.data.splits import Split
from eegwf.models.registry import entry_of
from eegwf.seeds import seed_of
from eegwf.training.batch_loader import batches_of
from eegwf.training.checkpoint import Checkpoint, copy_weights, read_checkpoint, write_checkpoint
from eegwf.training.classifier import Classifier, needed_axes
from eegwf.training.closed_form import fit
from eegwf.training.schedule import best_epoch, finished, score
from eegwf.training.spectrogram_dataset import Inputs
from eegwf.training.trainer import Diverged, Trainer

CHECKPOINT_SHARE = (
    0.05  # of the time may go into checkpoints; what is lost to a kill is trained again, to the same bytes
)


@dataclass(frozen=True)
class Trained:
    """A training's end: the classifier with its best epoch's weights, the history, and that epoch's score."""

    classifier: Classifier
    history: list[dict[str, Any]]
    best_epoch: int
    value: float


def resolve(parameters: dict[str, Any], training: Training) -> tuple[Training, dict[str, Any]]:
    """Part a trial's parameters into settings of the training and parameters of the model."""
    own = {name: value for name, value in parameters.items() if name in TUNABLE}
    settings = Training.model_validate({**training.model_dump(), **own})
    return settings, {name: value for name, value in parameters.items() if name not in TUNABLE}


def most_epochs(model: str, parameters: dict[str, Any], training: Training) -> int:
    """Epochs of a training at most: one, if the model is not trained by steps."""
    return training.epochs if entry_of(model, parameters).by_steps else 1


def train(
    model: str,
    inputs: Inputs,
    split: Split,
    parameters: dict[str, Any],
    training: Training,
    *,
    seed: int,
    device: str = "cpu",
    checkpoint: Path | None = None,
    on_epoch: Callable[[list[dict[str, Any]]], None] = lambda history: None,
    say: Callable[[list[dict[str, Any]]], None] = lambda history: None,
) -> Trained:
    """Train one parameter set on one split.

    Parameters
    ----------
    model
        Name in the registry, or of a backbone.
    inputs
        Arrays of the whole study; only the split's rows are read.
    split
        Training and validation windows.
    parameters
        Of the model and of training together, as a trial suggests them.
    training
        Settings behind the parameters.
    seed
        Decides initial weights, order, dropout and augmentation.
    checkpoint
        File that holds the state after an epoch; a training goes on from there.
    on_epoch
        Called with the history after each epoch, those of a resumed training included; what it raises ends the
        training.
    say
        Called with the history after each epoch that was trained now.

    Raises
    ------
    Diverged
        If the loss of the first epoch is not finite; later, training ends with the best epoch before.
    ValueError
        If the parameters don't agree.
    """
    settings, own = resolve(parameters, training)
    torch.manual_seed(seed_of(seed, "weights"))
    shape = {**inputs.shape, "n_outputs": len(split.train.classes)}
    classifier = Classifier(model, shape, own, settings.normalisation, needed_axes(model, own, inputs))
    batches = batches_of(inputs, np.concatenate([split.train.window, split.validation.window]), device)
    if not entry_of(model, own).by_steps:
        history = [fit(classifier.to(device), batches, split, settings, seed)]
        say(history)
        on_epoch(history)
        return Trained(classifier.eval(), history, 1, score(history[0], settings))
    saved = read_checkpoint(checkpoint) if checkpoint else None
    if saved is None:
        classifier.normalisation.fit(inputs, split.train.window)
    else:
        classifier.load_state_dict(saved.weights)
    trainer = Trainer(classifier.to(device), batches, split, settings, seed)
    history, best = _resume(trainer, saved, on_epoch) if saved else ([], {})
    saver = _Saver(checkpoint)
    while not finished(history, settings):
        try:
            history.append(trainer.epoch(history))
        except Diverged:
            if not history:
                raise
            break  # like any epoch that only makes it worse: the best one before it is kept
        if best_epoch(history, settings) == len(history) - 1:
            best = copy_weights(trainer.chosen)
        saver.save(trainer, best, history, last=finished(history, settings))
        say(history)
        on_epoch(history)
    classifier.load_state_dict(best)
    chosen = best_epoch(history, settings)
    return Trained(classifier.eval(), history, chosen + 1, score(history[chosen], settings))


def _resume(trainer: Trainer, saved: Checkpoint, on_epoch) -> tuple[list[dict[str, Any]], dict[str, torch.Tensor]]:
    """Put a trainer where the checkpoint was written."""
    optimizer = trainer.optimizer
    optimizer.load_state_dict(saved.optimizer | {"param_groups": optimizer.state_dict()["param_groups"]})
    if trainer.average:
        trainer.average.classifier.load_state_dict(saved.average)
    for epoch in range(1, len(saved.history) + 1):
        on_epoch(saved.history[:epoch])
    return saved.history, saved.best


class _Saver:
    """Writes checkpoints as often as their share of the time allows; the first one at once, and the last one."""

    def __init__(self, path: Path | None):
        self.path, self.cost, self.last = path, 0.0, time.monotonic()

    def save(self, trainer: Trainer, best: dict[str, torch.Tensor], history: list[dict[str, Any]], last: bool) -> None:
        started = time.monotonic()
        if self.path is None or (started - self.last < self.cost / CHECKPOINT_SHARE and not last):
            return
        average = trainer.average.classifier.state_dict() if trainer.average else {}
        weights, optimizer = trainer.classifier.state_dict(), trainer.optimizer.state_dict()
        write_checkpoint(self.path, Checkpoint(weights, best, optimizer, history, average))
        self.last = time.monotonic()
        self.cost = self.last - started
