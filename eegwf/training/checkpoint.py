"""State of a training after an epoch, in a safetensors file; reading it executes no code, unlike a pickle."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from eegwf.storage.files import replacing
from eegwf.training.history import History

Tensors = Mapping[str, torch.Tensor]


@dataclass
class Checkpoint:
    """State of a training after an epoch.

    Attributes
    ----------
    weights
        Current weights.
    best
        Weights of the best epoch.
    optimizer
        State of the optimizer.
    history
        A record for each epoch.
    weight_ema
        Moving average of the weights; empty if it is disabled.
    recent
        Weights at the ends of the last epochs, if they are averaged; empty otherwise.
    device
        Name of the device, as `device_name` returns it.
    """

    weights: Tensors
    best: Tensors
    optimizer: dict[str, Any]
    history: History
    weight_ema: Tensors = field(default_factory=dict)
    recent: Sequence[Tensors] = ()
    device: str = ""


def copy_weights(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Copy a module's state, so that further training does not change it."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically.

    Parameters
    ----------
    path
        File to write.
    checkpoint
        State of the training.
    """
    tensors = {f"weights.{name}": value for name, value in checkpoint.weights.items()}
    tensors |= {f"best.{name}": value for name, value in checkpoint.best.items()}
    tensors |= {f"weight_ema.{name}": value for name, value in checkpoint.weight_ema.items()}
    for number, weights in enumerate(checkpoint.recent):
        tensors |= {f"recent.{number}.{name}": value for name, value in weights.items()}
    plain: dict[str, dict[str, Any]] = {}
    for number, state in checkpoint.optimizer["state"].items():
        for name, value in state.items():
            if torch.is_tensor(value):
                tensors[f"optimizer.{number}.{name}"] = value
            elif value is not None:
                plain.setdefault(str(number), {})[name] = value
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    metadata = {"history": json.dumps(checkpoint.history), "optimizer": json.dumps(plain), "device": checkpoint.device}
    with replacing(path) as file:
        file.write(save(tensors, metadata))


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None if it is missing or unreadable, so that training starts from the first epoch."""
    if not path.exists():
        return None
    state: dict[int, dict[str, Any]] = {}
    recent: dict[int, dict[str, torch.Tensor]] = {}
    kinds: dict[str, dict[str, torch.Tensor]] = {"weights": {}, "best": {}, "weight_ema": {}}
    try:
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 (safe_open is no mapping)
                kind, _, rest = name.partition(".")
                if kind in ("optimizer", "recent"):
                    number, _, key = rest.partition(".")
                    numbered = state if kind == "optimizer" else recent
                    numbered.setdefault(int(number), {})[key] = file.get_tensor(name)
                else:
                    kinds[kind][rest] = file.get_tensor(name)
            metadata = file.metadata() or {}
        for number, values in json.loads(metadata["optimizer"]).items():
            state.setdefault(int(number), {}).update(values)
        weights, best, weight_ema = kinds.values()
        history = json.loads(metadata["history"])
        latest = [recent[number] for number in sorted(recent)]
        return Checkpoint(weights, best, {"state": state}, history, weight_ema, latest, metadata["device"])
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError):
        return None
