"""Optimizer, learning rate and stopping: pure functions of the settings and the step."""

import math
from typing import Any

import torch
from torch import nn

from eegwf.config.training import Training


def make_optimizer(network: nn.Module, settings: Training) -> torch.optim.Optimizer:
    """The configured optimizer; norms, biases and positions are spared weight decay."""
    decayed, spared = [], []
    for name, parameter in network.named_parameters():
        (spared if parameter.ndim <= 1 or "pos_embed" in name else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.lr, momentum=0.9, nesterov=True)
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=settings.lr)


def learning_rate(step: int, n_steps: int, settings: Training) -> float:
    """Linear warm-up over a share of the steps, then a cosine down to zero (Loshchilov and Hutter 2017)."""
    rising = settings.warmup * n_steps
    if step < rising:
        return settings.lr * (step + 1) / (rising + 1)
    return settings.lr * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(n_steps - rising, 1)))


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
