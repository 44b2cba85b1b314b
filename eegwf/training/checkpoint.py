"""State of a training after an epoch, in a safetensors file; reading it executes no code, unlike a pickle."""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from eegwf.compute.device import device_name
from eegwf.storage.files import replacing
from eegwf.training.history import History

logger = logging.getLogger(__name__)

Tensors = Mapping[str, torch.Tensor]

# Maximum fraction of the time for writing checkpoints. Epochs after the last checkpoint are trained again after a kill.
CHECKPOINT_TIME_FRACTION = 0.05


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


class CheckpointWriter:
    """Writes a checkpoint after the first and the last epoch, and between them as often as the time limit allows.

    Parameters
    ----------
    path
        File of the checkpoint; None to write none.
    clock
        Time of the training in seconds.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float]):
        self.path, self.clock = path, clock
        self.duration, self.last_written = 0.0, clock()

    def read(self, device: str) -> Checkpoint | None:
        """Checkpoint of an earlier process, None if there is none; another device than `device` is logged."""
        saved = read_checkpoint(self.path) if self.path else None
        if saved and saved.device != device_name(device):
            logger.warning(
                "a training begun on %s continues on %s, so that its result is not that of either alone",
                saved.device,
                device_name(device),
            )
        return saved

    def write(self, state: Callable[[], Checkpoint], last: bool) -> None:
        """Write the state after an epoch, unless it is too early.

        Parameters
        ----------
        state
            Returns the state; called only if it is written.
        last
            Whether it was the last epoch, after which the state is always written.
        """
        started = time.monotonic()
        too_early = self.clock() - self.last_written < self.duration / CHECKPOINT_TIME_FRACTION
        if self.path is None or (too_early and not last):
            return
        write_checkpoint(self.path, state())
        self.last_written, self.duration = self.clock(), time.monotonic() - started
