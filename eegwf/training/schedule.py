"""Optimizer, learning-rate schedule and early stopping, as functions of the settings, the step and the history."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from eegwf.config.training import Training
from eegwf.training.history import History

# Parts of the names of parameters without weight decay, in addition to norms and biases.
NO_DECAY = ("pos_embed", "relative_position_bias")
# Learning rate after a cosine schedule that ends before the last epoch, as a fraction of its peak.
FLOOR = 0.01


def make_optimizer(network: nn.Module, settings: Training) -> torch.optim.Optimizer:
    """Make the configured optimizer of the trainable parameters.

    Parameters
    ----------
    network
        Network. Its norms, biases and position embeddings get no weight decay.
    settings
        Settings of training.

    Returns
    -------
    torch.optim.Optimizer
        AdamW, Adam, or SGD with Nesterov momentum 0.9.
    """
    decayed: list[nn.Parameter] = []
    not_decayed: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            exempt = parameter.ndim <= 1 or any(part in name for part in NO_DECAY)
            (not_decayed if exempt else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": not_decayed, "weight_decay": 0.0},
    ]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.lr, momentum=0.9, nesterov=True, fused=True)
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=settings.lr, fused=True)


def learning_rate(step: int, steps_per_epoch: int, settings: Training, history: Sequence[dict[str, Any]] = ()) -> float:
    """Learning rate of a step: a linear warm-up, then the configured schedule.

    Parameters
    ----------
    step
        Number of the step from 0.
    steps_per_epoch
        Number of steps of an epoch.
    settings
        Settings of training.
    history
        Records of the epochs so far, for the schedule `plateau`.

    Returns
    -------
    float
        Learning rate.

    Notes
    -----
    The cosine schedule decays to zero (Loshchilov and Hutter 2017). If it ends before the last epoch, the rate stays at
    a hundredth of its peak, so that the epochs after it can still improve the score.
    """
    n_steps = schedule_epochs(settings) * steps_per_epoch
    n_warmup = settings.warmup_fraction * n_steps
    if step < n_warmup:
        return settings.lr * (step + 1) / (n_warmup + 1)
    if settings.schedule == "cosine":
        progress = min((step - n_warmup) / max(n_steps - n_warmup, 1), 1)
        floor = FLOOR if schedule_epochs(settings) < settings.epochs else 0.0
        return settings.lr * max(0.5 * (1 + math.cos(math.pi * progress)), floor)
    if settings.schedule == "plateau":
        return settings.lr * 0.5 ** count_plateaus(history, settings)
    return settings.lr


def schedule_epochs(settings: Training) -> int:
    """Number of epochs over which the warm-up and the cosine schedule extend.

    By default it is twice the patience, so that the learning rate has decayed before early stopping ends a typical
    training, but at most the number of epochs.
    """
    return min(settings.epochs, settings.schedule_epochs or 2 * settings.patience)


def warmup_epochs(settings: Training) -> int:
    """Number of epochs in which the learning rate rises, rounded up."""
    return math.ceil(settings.warmup_fraction * schedule_epochs(settings) - 1e-9)  # 0.07 * 100 is above 7


def count_plateaus(history: Sequence[dict[str, Any]], settings: Training) -> int:
    """Count the runs of `settings.plateau_patience` epochs without a better score; they do not overlap.

    Parameters
    ----------
    history
        Records of the epochs so far.
    settings
        Settings of training.

    Returns
    -------
    int
        Number of plateaus.
    """
    best, n_waited, n_plateaus = -math.inf, 0, 0
    for record in history:
        value = score(record, settings)
        n_waited = 0 if value > best else n_waited + 1
        best = max(best, value)
        if n_waited == settings.plateau_patience:
            n_waited, n_plateaus = 0, n_plateaus + 1
    return n_plateaus


def score(record: dict[str, Any], settings: Training) -> float:
    """Monitored validation score of an epoch, the higher the better.

    Parameters
    ----------
    record
        Record of the epoch.
    settings
        Settings of training.

    Returns
    -------
    float
        The score; the negative loss if the loss is monitored.
    """
    value = record["validation_loss"] if settings.monitor == "loss" else record[settings.monitor]
    return -value if settings.monitor == "loss" else value


def best_epoch(history: History, settings: Training) -> int:
    """Position of the epoch with the best score.

    Parameters
    ----------
    history
        Records of the epochs so far, at least one.
    settings
        Settings of training.

    Returns
    -------
    int
        Position from 0, of the first such epoch on a tie.
    """
    scores = [score(record, settings) for record in history]
    return scores.index(max(scores))


def finished(history: History, settings: Training) -> bool:
    """Whether training ends: after the last epoch, or by early stopping.

    Parameters
    ----------
    history
        Records of the epochs so far.
    settings
        Settings of training; `patience` epochs without a better score end it.

    Returns
    -------
    bool
        Whether no other epoch is trained.
    """
    if len(history) >= settings.epochs:
        return True
    return bool(history) and len(history) - 1 - best_epoch(history, settings) >= settings.patience
