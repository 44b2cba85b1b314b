"""A network with its normalisation, as one thing that takes log power and gives logits."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn

from eegwf.errors import InputError
from eegwf.files import read_json, replacing, write_json
from eegwf.models.registry import build
from eegwf.training.inputs import Inputs

CHUNK_BYTES = 1 << 26


class Normalisation(nn.Module):
    """Normalisation of the input, stored with the weights.

    Parameters
    ----------
    kind
        `none`; `window`: each channel of each window by its own mean and deviation; `patients`: each channel and
        frequency by those of the training patients.
    n_chans, n_freqs
        Shape of the stored statistics.
    """

    def __init__(self, kind: str, n_chans: int, n_freqs: int):
        super().__init__()
        self.kind = kind
        if kind == "patients":
            self.register_buffer("mean", torch.zeros(n_chans, n_freqs, 1))
            self.register_buffer("deviation", torch.ones(n_chans, n_freqs, 1))

    def fit(self, inputs: Inputs, rows: np.ndarray) -> None:
        """Take the statistics from these rows alone, in float64."""
        if self.kind != "patients":
            return
        total = np.zeros((inputs.n_chans, inputs.n_freqs))
        square = np.zeros_like(total)
        rows = np.sort(rows)
        size = chunk_size(inputs)
        for start in range(0, len(rows), size):
            x = inputs.read(rows[start : start + size]).double()
            total += x.sum(dim=(0, 3)).numpy()
            square += x.square().sum(dim=(0, 3)).numpy()
        count = len(rows) * inputs.n_times
        mean = total / count
        deviation = np.sqrt(np.maximum(square / count - mean**2, 0))
        deviation[deviation < 1e-3] = 1.0  # a channel that never changes stays at zero
        self.mean.copy_(torch.from_numpy(mean)[:, :, None])
        self.deviation.copy_(torch.from_numpy(deviation)[:, :, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised input of the same shape."""
        if self.kind == "patients":
            return (x - self.mean) / self.deviation
        if self.kind == "window":
            mean = x.mean(dim=(2, 3), keepdim=True)
            return (x - mean) / x.std(dim=(2, 3), keepdim=True).clamp_min(1e-3)
        return x


class Classifier(nn.Module):
    """Normalisation and network.

    Parameters
    ----------
    model, shape, parameters
        As `eegwf.models.registry.build` takes them.
    normalisation
        Kind of normalisation.
    """

    def __init__(self, model: str, shape: dict[str, int], parameters: dict[str, Any], normalisation: str):
        super().__init__()
        self.normalisation = Normalisation(normalisation, shape["n_chans"], shape["n_freqs"])
        self.network = build(model, shape, parameters)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of log power `(batch, n_chans, n_freqs, n_times)`."""
        return self.network(self.normalisation(x))


def chunk_size(inputs: Inputs) -> int:
    """Windows that are looked at together outside training; their shape alone decides it, so bytes stay the same."""
    return max(1, min(256, CHUNK_BYTES // (4 * inputs.n_chans * inputs.n_freqs * inputs.n_times)))


@torch.no_grad()
def predict(classifier: Classifier, inputs: Inputs, rows: np.ndarray) -> torch.Tensor:
    """Logits `(len(rows), n_outputs)` on the CPU, with the classifier in evaluation mode."""
    device = next(classifier.parameters()).device
    batch_size = chunk_size(inputs)
    was_training = classifier.training
    classifier.eval()
    parts = [
        classifier(inputs.read(rows[start : start + batch_size]).to(device)).float().cpu()
        for start in range(0, len(rows), batch_size)
    ]
    classifier.train(was_training)
    return torch.cat(parts) if parts else torch.zeros(0, 0)


def save_classifier(folder: Path, classifier: Classifier, description: dict[str, Any]) -> None:
    """Write `model.safetensors` and `model.json`; the description holds what `load_classifier` needs."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in classifier.state_dict().items()}
    with replacing(folder / "model.safetensors") as file:
        file.write(save(tensors))
    write_json(folder / "model.json", description)


def load_classifier(folder: Path | str, device: str = "cpu") -> tuple[Classifier, dict[str, Any]]:
    """Read a retrained model: ready to call, in evaluation mode, with its description.

    Raises
    ------
    InputError
        If the weights don't fit the description.
    """
    folder = Path(folder)
    description = read_json(folder / "model.json")
    classifier = Classifier(
        description["model"], description["shape"], description["parameters"], description["normalisation"]
    )
    try:
        classifier.load_state_dict(load_file(folder / "model.safetensors"))
    except Exception as error:
        raise InputError(f"{folder / 'model.safetensors'}: these weights don't fit model.json: {error}") from None
    return classifier.to(device).eval(), description
