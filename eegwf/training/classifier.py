"""Classifier of windows: a network with the normalization of its input."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn

from eegwf.config.model_paths import ModelPaths
from eegwf.errors import InputError
from eegwf.models.registry import axes_arguments, build, entry_of
from eegwf.storage.files import read_json, replacing, write_json
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.normalization import Normalization
from eegwf.training.recording_normalization import input_for
from eegwf.training.spectrogram_dataset import SpectrogramDataset

CHUNK_BYTES = 1 << 26
MAX_CHUNK_WINDOWS = 256


class Classifier(nn.Module):
    """Normalization followed by a network.

    Parameters
    ----------
    model, shape, parameters, axes
        As in `eegwf.models.registry.build`.
    normalization
        Kind of normalization; `none` is used for a model that normalizes its input itself. For a kind by recording,
        the input is normalized before, see `eegwf.training.recording_normalization.input_for`.
    clip
        Limit of the normalized input; None for no limit.

    Raises
    ------
    ValueError
        If the parameters are inconsistent.
    """

    def __init__(
        self,
        model: str,
        shape: dict[str, int],
        parameters: dict[str, Any],
        normalization: str,
        axes: dict[str, Any] | None = None,
        clip: float | None = None,
    ):
        super().__init__()
        kind = "none" if entry_of(model, parameters).normalizes_input else normalization
        self.normalization = Normalization(kind, shape["n_chans"], shape["n_freqs"], clip)
        self.network = build(model, shape, parameters, axes)
        # Batch norms that keep their statistics in training.
        self.frozen_norms: list[nn.Module] = []

    def train(self, mode: bool = True) -> "Classifier":
        """Set training or evaluation mode; frozen batch norms stay in evaluation mode."""
        super().train(mode)
        for norm in self.frozen_norms:
            norm.eval()
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of inputs in their unit, such as dB, `(batch, n_chans, n_freqs, n_frames)`."""
        return self.network(self.normalization(x))


def needed_axes(model: str, parameters: dict[str, Any], dataset: SpectrogramDataset) -> dict[str, Any]:
    """Properties of the input's axes that a model needs.

    Parameters
    ----------
    model, parameters
        Name of the model, and its hyperparameters.
    dataset
        Spectrograms of the study.

    Returns
    -------
    dict
        `sfreq`, `freqs`, both or neither, as in `SpectrogramDataset.axes`.
    """
    return {name: dataset.axes[name] for name in axes_arguments(entry_of(model, parameters))}


def chunk_size(dataset: SpectrogramDataset) -> int:
    """Number of windows per forward pass outside training.

    It depends on the shape of a window only: another number of windows could change the last bits of the results.
    """
    return max(1, min(MAX_CHUNK_WINDOWS, CHUNK_BYTES // (4 * dataset.n_values)))


@torch.no_grad()
def predict(
    classifier: Classifier, dataset: SpectrogramDataset, rows: np.ndarray, loader: BatchLoader | None = None
) -> torch.Tensor:
    """Compute logits in evaluation mode and single precision.

    Parameters
    ----------
    classifier
        Classifier; its mode is restored afterward.
    dataset
        Spectrograms of the study.
    rows
        Rows of the windows.
    loader
        Loader that has the rows; None to read them from `dataset`.

    Returns
    -------
    torch.Tensor
        Logits `(len(rows), n_outputs)` on the device of the classifier.
    """
    device = next(classifier.parameters()).device
    size = chunk_size(dataset)
    if not len(rows):
        return torch.zeros(0, 0)
    loader = loader or BatchLoader(input_for(dataset, classifier.normalization.kind), rows, str(device), resident=False)
    was_training = classifier.training
    classifier.eval()
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    logits = torch.cat([classifier(x).float() for x in loader.stream(parts)])
    classifier.train(was_training)
    return logits


def save_classifier(folder: Path, classifier: Classifier, description: dict[str, Any]) -> None:
    """Write `model.safetensors` and `model.json`.

    Parameters
    ----------
    folder
        Folder of the files.
    classifier
        Classifier whose weights and normalization are written.
    description
        Contents of `model.json`. `load_classifier` needs `model`, `shape`, `parameters`, `normalization`, `axes` and
        `input_clip`, if there is a limit.
    """
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in classifier.state_dict().items()}
    paths = ModelPaths(folder)
    with replacing(paths.weights) as file:
        file.write(save(tensors))
    write_json(paths.model, description)


def load_classifier(folder: Path | str, device: str = "cpu") -> tuple[Classifier, dict[str, Any]]:
    """Read a retrained model.

    Parameters
    ----------
    folder
        Folder with `model.safetensors` and `model.json`.
    device
        Device of the classifier.

    Returns
    -------
    classifier
        Classifier in evaluation mode.
    description
        Contents of `model.json`.

    Raises
    ------
    InputError
        If the weights don't match the description, or another version of eegwf wrote it.
    """
    paths = ModelPaths(Path(folder))
    description = read_json(paths.model)
    # The weights are in the folder, so pretrained ones are not downloaded.
    parameters = {name: False if name == "pretrained" else value for name, value in description["parameters"].items()}
    if missing := {"model", "shape", "normalization"} - set(description):
        raise InputError(
            f"{paths.model}: no {', '.join(sorted(missing))}; another version of eegwf wrote this file: use that "
            "version, or repeat the run"
        )
    classifier = Classifier(
        description["model"],
        description["shape"],
        parameters,
        description["normalization"],
        description.get("axes"),
        description.get("input_clip"),
    )
    try:
        classifier.load_state_dict(load_file(paths.weights))
    except Exception as error:
        raise InputError(
            f"{paths.weights}: these weights don't fit {paths.model.name}: {' '.join(str(error).split())}; "
            f"remove the folder of this combination and run again"
        ) from None
    return classifier.to(device).eval(), description
