"""Optimizer, learning rate and stopping: pure functions of the settings and the step."""

import math
from typing import Any

import torch
from torch import nn

from eegwf.config.training import Training

SPARED = ("pos_embed", "relative_position_bias")


def make_optimizer(network: nn.Module, settings: Training) -> torch.optim.Optimizer:
    """The configured optimizer, of what is trained; norms, biases and positions are spared weight decay."""
    decayed, spared = [], []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            alike = parameter.ndim <= 1 or any(part in name for part in SPARED)
            (spared if alike else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.lr, momentum=0.9, nesterov=True, fused=True)
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=settings.lr, fused=True)


def learning_rate(step: int, n_steps: int, settings: Training, history: list[dict[str, Any]] = ()) -> float:
    """The rate of a step: a linear warm-up over a share of all steps, then as the schedule has it.

    Parameters
    ----------
    step, n_steps
        Number of the step from 0, and how many there are at most.
    settings
        Of training.
    history
        Epochs so far, which the schedule `plateau` looks at.

    Notes
    -----
    The cosine goes down to zero (Loshchilov and Hutter 2017).
    """
    rising = settings.warmup * n_steps
    if step < rising:
        return settings.lr * (step + 1) / (rising + 1)
    if settings.schedule == "cosine":
        return settings.lr * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(n_steps - rising, 1)))
    if settings.schedule == "plateau":
        return settings.lr * 0.5 ** plateaus(history, settings)
    return settings.lr


def plateaus(history: list[dict[str, Any]], settings: Training) -> int:
    """How often `settings.plateau` epochs in a row have passed without a better score; each pass counts anew."""
    best, waited, passed = -math.inf, 0, 0
    for record in history:
        value = score(record, settings)
        waited = 0 if value > best else waited + 1
        best = max(best, value)
        if waited == settings.plateau:
            waited, passed = 0, passed + 1
    return passed


def score(record: dict[str, Any], settings: Training) -> float:
    """The monitored validation score of an epoch, the higher the better."""
    value = record["validation_loss"] if settings.monitor == "loss" else record[settings.monitor]
    return -value if settings.monitor == "loss" else value


def best_epoch(history: list[dict[str, Any]], settings: Training) -> int:
    """Position of the best epoch, the first one on a tie."""
    scores = [score(record, settings) for record in history]
    return scores.index(max(scores))


def finished(history: list[dict[str, Any]], settings: Training) -> bool:
    """Whether training ends: all epochs done, or `patience` of them without a better score."""
    if len(history) >= settings.epochs:
        return True
    return bool(history) and len(history) - 1 - best_epoch(history, settings) >= settings.patience
