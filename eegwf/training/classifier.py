"""A network with its normalisation, as one thing that takes log power and gives logits."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn

from eegwf.errors import InputError
from eegwf.models.registry import build, entry_of
from eegwf.storage.files import read_json, replacing, write_json
from eegwf.training.batch_loader import Batches
from eegwf.training.spectrogram_dataset import Inputs

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
        mean, deviation = inputs.statistics(rows)
        self.mean.copy_(torch.from_numpy(mean)[:, :, None])
        self.deviation.copy_(torch.from_numpy(deviation)[:, :, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised input of the same shape."""
        if self.kind == "patients":
            return (x - self.mean).div_(self.deviation)
        if self.kind == "window":
            mean = x.mean(dim=(2, 3), keepdim=True)
            return (x - mean) / x.std(dim=(2, 3), keepdim=True).clamp_min(1e-3)
        return x


class Classifier(nn.Module):
    """Normalisation and network.

    Parameters
    ----------
    model, shape, parameters, axes
        As `eegwf.models.registry.build` takes them.
    normalisation
        Kind of normalisation; a model that takes its input as it stands gets none.

    Raises
    ------
    ValueError
        If the parameters don't agree.
    """

    def __init__(
        self,
        model: str,
        shape: dict[str, int],
        parameters: dict[str, Any],
        normalisation: str,
        axes: dict[str, Any] | None = None,
    ):
        super().__init__()
        kind = "none" if entry_of(model, parameters).own_normalisation else normalisation
        self.normalisation = Normalisation(kind, shape["n_chans"], shape["n_freqs"])
        self.network = build(model, shape, parameters, axes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of log power (or microvolts) `(batch, n_chans, n_freqs, n_times)`."""
        return self.network(self.normalisation(x))


def needed_axes(model: str, parameters: dict[str, Any], inputs: Inputs) -> dict[str, Any]:
    """What a model has to know of its input's axes."""
    return {name: inputs.axes[name] for name in entry_of(model, parameters).axes}


def chunk_size(inputs: Inputs) -> int:
    """Windows that are looked at together outside training; their shape alone decides it, so bytes stay the same."""
    return max(1, min(256, CHUNK_BYTES // (4 * inputs.n_values)))


@torch.no_grad()
def predict(classifier: Classifier, inputs: Inputs, rows: np.ndarray, batches: Batches | None = None) -> torch.Tensor:
    """Logits `(len(rows), n_outputs)` on the classifier's device, in evaluation mode and single precision.

    `batches` may hold the rows on the device already.
    """
    device = next(classifier.parameters()).device
    size = chunk_size(inputs)
    if not len(rows):
        return torch.zeros(0, 0)
    batches = batches or Batches(inputs, rows, str(device), resident=False)
    was_training = classifier.training
    classifier.eval()
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    logits = torch.cat([classifier(x).float() for x in batches.stream(parts)])
    classifier.train(was_training)
    return logits


def save_classifier(folder: Path, classifier: Classifier, description: dict[str, Any]) -> None:
    """Write `model.safetensors` and `model.json`; the description holds what `load_classifier` needs."""
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in classifier.state_dict().items()}
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
    # Its weights stand here: none are fetched.
    parameters = {name: False if name == "pretrained" else value for name, value in description["parameters"].items()}
    classifier = Classifier(
        description["model"],
        description["shape"],
        parameters,
        description["normalisation"],
        description.get("axes"),
    )
    try:
        classifier.load_state_dict(load_file(folder / "model.safetensors"))
    except Exception as error:
        raise InputError(f"{folder / 'model.safetensors'}: these weights don't fit model.json: {error}") from None
    return classifier.to(device).eval(), description
