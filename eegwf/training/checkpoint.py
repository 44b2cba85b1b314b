"""State of a training after an epoch, in one safetensors file: nothing is ever unpickled."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from eegwf.storage.files import replacing

Tensors = dict[str, torch.Tensor]


@dataclass
class Checkpoint:
    """Weights, the best so far, the optimizer's state, the history (a dictionary per epoch), and averaged weights."""

    weights: Tensors
    best: Tensors
    optimizer: dict[str, Any]
    history: list[dict[str, Any]]
    average: Tensors = field(default_factory=dict)


def copy_weights(module: torch.nn.Module) -> Tensors:
    """A copy of a module's state that further training does not change."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all."""
    tensors = {f"weights.{name}": value for name, value in checkpoint.weights.items()}
    tensors |= {f"best.{name}": value for name, value in checkpoint.best.items()}
    tensors |= {f"average.{name}": value for name, value in checkpoint.average.items()}
    plain: dict[str, dict[str, Any]] = {}
    for number, state in checkpoint.optimizer["state"].items():
        for name, value in state.items():
            if torch.is_tensor(value):
                tensors[f"optimizer.{number}.{name}"] = value
            elif value is not None:
                plain.setdefault(str(number), {})[name] = value
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    metadata = {"history": json.dumps(checkpoint.history), "optimizer": json.dumps(plain)}
    with replacing(path) as file:
        file.write(save(tensors, metadata))


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None if there is none, or it can't be read and training starts anew."""
    if not path.exists():
        return None
    state: dict[int, dict[str, Any]] = {}
    kinds: dict[str, Tensors] = {"weights": {}, "best": {}, "average": {}}
    try:
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 (safe_open is no mapping)
                kind, _, rest = name.partition(".")
                if kind == "optimizer":
                    number, _, key = rest.partition(".")
                    state.setdefault(int(number), {})[key] = file.get_tensor(name)
                else:
                    kinds[kind][rest] = file.get_tensor(name)
            metadata = file.metadata() or {}
        for number, values in json.loads(metadata["optimizer"]).items():
            state.setdefault(int(number), {}).update(values)
        weights, best, average = kinds.values()
        return Checkpoint(weights, best, {"state": state}, json.loads(metadata["history"]), average)
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError):
        return None
