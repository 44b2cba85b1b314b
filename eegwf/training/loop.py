"""Training function of tuning and retraining. A training resumed from a checkpoint gives the same weights."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eegwf.compute.device import device_name
from eegwf.config.training import TUNABLE, Training
from eegwf.data.splits import Split
from eegwf.models.registry import entry_of
from eegwf.models.tensors import head_tensors, output_layer
from eegwf.seeds import seed_of
from eegwf.training.batch_loader import shared_batch_loader
from eegwf.training.checkpoint import Checkpoint, CheckpointWriter, Tensors, copy_weights
from eegwf.training.classifier import Classifier, needed_axes
from eegwf.training.closed_form import fit
from eegwf.training.concurrency import Turns, run_alone
from eegwf.training.freezing import freeze_first
from eegwf.training.history import EpochCallback, History, ignore_epoch
from eegwf.training.initial_weights import InitialWeights
from eegwf.training.pretraining import pretraining_turns
from eegwf.training.recording_normalization import input_for
from eegwf.training.schedule import best_epoch, finished, score
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Diverged, Trainer


@dataclass(frozen=True)
class TrainingResult:
    """Result of a training.

    Attributes
    ----------
    classifier
        Classifier with the weights of the best epoch.
    history
        A record for each epoch.
    best_epoch
        Number of the best epoch, from 1.
    value
        Monitored validation score of that epoch, the higher the better.
    """

    classifier: Classifier
    history: History
    best_epoch: int
    value: float


def split_parameters(parameters: dict[str, Any], training: Training) -> tuple[Training, dict[str, Any]]:
    """Split a trial's parameters into training settings and model parameters.

    Parameters
    ----------
    parameters
        Parameters of a trial.
    training
        Settings of training that the trial does not override.

    Returns
    -------
    settings
        Settings of training with those of the trial.
    model_parameters
        Hyperparameters of the model.
    """
    overrides = {name: value for name, value in parameters.items() if name in TUNABLE}
    settings = Training.model_validate({**training.model_dump(), **overrides})
    return settings, {name: value for name, value in parameters.items() if name not in TUNABLE}


def max_epochs(model: str, parameters: dict[str, Any], training: Training) -> int:
    """Maximum number of epochs of a training.

    Parameters
    ----------
    model, parameters
        Name of the model, and its parameters.
    training
        Settings of training.

    Returns
    -------
    int
        1 for a model that is not trained by gradient descent, else that of the settings.
    """
    return training.epochs if entry_of(model, parameters).gradient_trained else 1


def train(
    model: str,
    dataset: SpectrogramDataset,
    split: Split,
    parameters: dict[str, Any],
    training: Training,
    **options: Any,
) -> TrainingResult:
    """Train one parameter set on one split.

    Parameters
    ----------
    model, dataset, split, parameters, training
        As in `training_turns`.
    **options
        Its further arguments.

    Returns
    -------
    TrainingResult
        Classifier of the best epoch, and its score.
    """
    return run_alone(training_turns(model, dataset, split, parameters, training, **options))


def training_turns(
    model: str,
    dataset: SpectrogramDataset,
    split: Split,
    parameters: dict[str, Any],
    training: Training,
    *,
    seed: int,
    device: str = "cpu",
    initial: InitialWeights | None = None,
    checkpoint: Path | None = None,
    repeated: History | None = None,
    on_epoch: EpochCallback = ignore_epoch,
    on_trained_epoch: EpochCallback = ignore_epoch,
    clock: Callable[[], float] = time.monotonic,
) -> Turns[TrainingResult]:
    """Train one parameter set on one split, and yield where another training may continue.

    Parameters
    ----------
    model
        Name in the table of models, or of a network of timm.
    dataset
        Spectrograms of the study. Only the rows of the split are read; for normalization by recording, all windows of
        their recordings.
    split
        Training and validation windows.
    parameters
        Parameters of a trial: hyperparameters of the model, and tunable settings of training.
    training
        Settings of training that `parameters` do not override.
    seed
        Seed of initial weights, order of windows, dropout and augmentation.
    device
        `cpu` or `cuda`.
    initial
        Initial weights, and hyperparameters of the model that `parameters` don't contain; None for random weights.
    checkpoint
        File of the training's state. If it exists, training resumes from it. The state of the pretraining is in a file
        of the same name with `.pretraining` before the suffix.
    repeated
        Records of another training, whose number of epochs and learning rates this training repeats without
        validation; None if the validation windows decide them.
    on_epoch
        Called with the history after each epoch, including those of a checkpoint. An exception from it ends the
        training.
    on_trained_epoch
        Called with the history after each epoch that this call trains, and before them with that of the pretraining
        after each of its epochs.
    clock
        Time of this training in seconds, by which checkpoints are written; see `SharedClock`.

    Yields
    ------
    None
        When work has been sent to the device.

    Returns
    -------
    TrainingResult
        Classifier of the best epoch, and its score; of the last epoch and NaN for a training that repeats another one.

    Raises
    ------
    Diverged
        If a loss of the first epoch is not finite. In a later epoch this ends the training with the best epoch so far;
        a training that repeats another one fails.
    ValueError
        If the parameters are inconsistent.
    """
    settings, model_parameters = split_parameters(parameters, training)
    if initial:
        model_parameters = initial.complete(model_parameters)
    torch.manual_seed(seed_of(seed, "weights"))
    shape = {**dataset.shape, "n_outputs": len(split.train.classes)}
    axes = needed_axes(model, model_parameters, dataset)
    classifier = Classifier(model, shape, model_parameters, settings.normalization, axes, settings.input_clip)
    dataset = input_for(dataset, classifier.normalization.kind)
    loader = shared_batch_loader(dataset, np.concatenate([split.train.window, split.validation.window]), device)
    if not entry_of(model, model_parameters).gradient_trained:
        history = [fit(classifier.to(device), loader, split, settings, seed)]
        on_trained_epoch(history)
        on_epoch(history)
        return TrainingResult(classifier.eval(), history, 1, math.nan if repeated else score(history[0], settings))
    checkpoints = CheckpointWriter(checkpoint, clock)
    saved = checkpoints.read(device)
    head: set[str] = set()
    if settings.pretrain_epochs or settings.frozen_fraction:
        head = head_tensors(model, shape, model_parameters, axes)
    if saved is None:
        if initial:
            initial.load_into(classifier)
        classifier.normalization.fit(loader, split.train.window)
        if settings.pretrain_epochs:
            layer = output_layer(classifier.to(device).network, head)
            path = checkpoint.with_suffix(f".pretraining{checkpoint.suffix}") if checkpoint else None
            yield from pretraining_turns(
                classifier, layer, dataset, split, settings, seed, CheckpointWriter(path, clock), on_trained_epoch
            )
    else:
        classifier.load_state_dict(saved.weights)
    if settings.frozen_fraction:
        if not (initial or model_parameters.get("pretrained") or settings.pretrain_epochs):
            raise ValueError(
                "training.frozen_fraction: the weights are random; set training.init, pretrained or pretrain_epochs"
            )
        freeze_first(classifier, settings.frozen_fraction, shape, head)
    trainer = Trainer(classifier.to(device), loader, split, settings, seed)
    history, best = _resume(trainer, saved, on_epoch) if saved else ([], {})
    while not _ended(history, settings, repeated):
        previous = history if repeated is None else repeated[: len(history)]
        try:
            history.append((yield from trainer.epoch_turns(previous)))
        except Diverged:
            if not history or repeated is not None:
                raise
            break  # the best epoch so far is kept, as after any epoch with a worse score
        if repeated is not None or best_epoch(history, settings) == len(history) - 1:
            best = copy_weights(trainer.validated_classifier)
        checkpoints.write(partial(_state, trainer, best, history), last=_ended(history, settings, repeated))
        on_trained_epoch(history)
        on_epoch(history)
    classifier.load_state_dict(best)
    if repeated is not None:
        return TrainingResult(classifier.eval(), history, len(history), math.nan)
    position = best_epoch(history, settings)
    return TrainingResult(classifier.eval(), history, position + 1, score(history[position], settings))


def _ended(history: History, settings: Training, repeated: History | None) -> bool:
    return finished(history, settings) if repeated is None else len(history) >= len(repeated)


def _resume(trainer: Trainer, saved: Checkpoint, on_epoch: EpochCallback) -> tuple[History, Tensors]:
    """Restore the optimizer and the averaged weights; return the history and the best weights."""
    optimizer = trainer.optimizer
    optimizer.load_state_dict(saved.optimizer | {"param_groups": optimizer.state_dict()["param_groups"]})
    if trainer.weight_ema:
        trainer.weight_ema.classifier.load_state_dict(saved.weight_ema)
    if trainer.epoch_average:
        trainer.epoch_average.restore(saved.recent)
    for epoch in range(1, len(saved.history) + 1):
        on_epoch(saved.history[:epoch])
    return saved.history, saved.best


def _state(trainer: Trainer, best: Tensors, history: History) -> Checkpoint:
    """State of a training after the epochs of `history`."""
    weight_ema = trainer.weight_ema.classifier.state_dict() if trainer.weight_ema else {}
    weights, optimizer = trainer.classifier.state_dict(), trainer.optimizer.state_dict()
    recent = tuple(trainer.epoch_average.recent) if trainer.epoch_average else ()
    return Checkpoint(weights, best, optimizer, history, weight_ema, recent, device_name(trainer.device.type))
