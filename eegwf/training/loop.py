"""The training function: one for tuning and retraining, exactly resumable after every epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torcheval.metrics.functional import multiclass_accuracy, multiclass_f1_score

from eegwf.config.training import TUNABLE, Training
from eegwf.seeds import seed_of
from eegwf.training.checkpoint import Checkpoint, copy_weights, read_checkpoint, write_checkpoint
from eegwf.training.classifier import Classifier, predict
from eegwf.training.cohort import Split
from eegwf.training.inputs import Inputs
from eegwf.training.sampling import class_weights, epoch_order
from eegwf.training.schedule import best_epoch, finished, learning_rate, make_optimizer, score


class Diverged(Exception):
    """The loss is no longer a number."""


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
) -> Trained:
    """Train one parameter set on one split.

    Parameters
    ----------
    model
        Name in the registry.
    inputs
        Arrays of the whole study; only the split's rows are read.
    split
        Training and validation windows.
    parameters
        Of the model and of training together, as a trial suggests them.
    training
        Settings behind the parameters.
    seed
        Decides initial weights, order and dropout.
    checkpoint
        File that holds the state after each epoch; a training goes on from there.
    on_epoch
        Called with the history after each epoch, those of a resumed training included; what it raises ends the
        training.

    Raises
    ------
    Diverged
        If the loss of the first epoch is not finite; later, training ends with the best epoch before.
    """
    settings, own = resolve(parameters, training)
    torch.manual_seed(seed_of(seed, "weights"))
    shape = {**inputs.shape, "n_outputs": len(split.train.classes)}
    classifier = Classifier(model, shape, own, settings.normalisation)
    saved = read_checkpoint(checkpoint) if checkpoint else None
    if saved is None:
        classifier.normalisation.fit(inputs, split.train.window)
        best, history = {}, []
    else:
        classifier.load_state_dict(saved.weights)
        best, history = saved.best, saved.history
    classifier.to(device)
    optimizer = make_optimizer(classifier, settings)
    if saved is not None:
        optimizer.load_state_dict(saved.optimizer | {"param_groups": optimizer.state_dict()["param_groups"]})
        for epoch in range(1, len(history) + 1):
            on_epoch(history[:epoch])
    while not finished(history, settings):
        epoch = len(history)
        try:
            loss = _train_epoch(classifier, optimizer, inputs, split, settings, seed, epoch, device)
            record = {"epoch": epoch + 1, "train_loss": loss, **_validate(classifier, inputs, split)}
        except Diverged:
            if not history:
                raise
            break  # like any epoch that only makes it worse: the best one before it is kept
        history.append(record)
        if best_epoch(history, settings) == epoch:
            best = copy_weights(classifier)
        if checkpoint:
            write_checkpoint(checkpoint, Checkpoint(classifier.state_dict(), best, optimizer.state_dict(), history))
        on_epoch(history)
    classifier.load_state_dict(best)
    chosen = best_epoch(history, settings)
    return Trained(classifier.eval(), history, chosen + 1, score(history[chosen], settings))


def _train_epoch(classifier, optimizer, inputs, split, settings, seed, epoch, device) -> float:
    """One pass over the training windows; returns the mean loss."""
    torch.manual_seed(seed_of(seed, "dropout", epoch))
    label = split.train.label
    order = epoch_order(label, settings.balance, seed, epoch)
    n_outputs = len(split.train.classes)
    weights = class_weights(label, n_outputs, settings.balance)
    criterion = nn.CrossEntropyLoss(
        weight=None if weights is None else torch.from_numpy(weights).to(device),
        label_smoothing=settings.label_smoothing,
    )
    batches = np.array_split(order, -(-len(order) // settings.batch_size))
    target = torch.from_numpy(label).to(device)
    total = torch.zeros((), device=device)
    classifier.train()
    for number, positions in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(epoch * len(batches) + number, settings.epochs * len(batches), settings)
        x = inputs.read(split.train.window[positions]).to(device)
        loss = criterion(classifier(x), target[torch.from_numpy(positions).to(device)])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(classifier.parameters(), settings.clip)
        optimizer.step()
        total += loss.detach() * len(positions)
    mean = float(total) / len(order)
    if not np.isfinite(mean):
        raise Diverged(f"the training loss of epoch {epoch + 1} is {mean}")
    return mean


def _validate(classifier: Classifier, inputs: Inputs, split: Split) -> dict[str, float]:
    """Scores on the validation windows: plain cross-entropy, balanced accuracy, macro F1."""
    logits = predict(classifier, inputs, split.validation.window)
    target = torch.from_numpy(split.validation.label)
    n_outputs = len(split.validation.classes)
    loss = nn.functional.cross_entropy(logits, target)
    if not torch.isfinite(loss):
        raise Diverged(f"the validation loss is {float(loss)}")
    balanced = multiclass_accuracy(logits, target, average="macro", num_classes=n_outputs)
    macro = multiclass_f1_score(logits, target, average="macro", num_classes=n_outputs)
    return {
        "validation_loss": float(loss),
        "balanced_accuracy": float(balanced),
        "macro_f1": float(macro),
    }
