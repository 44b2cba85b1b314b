"""A small study on disk and trainings on it, which the benchmarks of training measure."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.shapes import N_CHANS, N_FRAMES, N_FREQS, N_TIMES, SFREQ, WINDOW_SECONDS
from eegwf.config.training import Training
from eegwf.data.splits import Split, WindowSet
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.classifier import Classifier, needed_axes
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Trainer

BATCH, N_OUTPUTS = 32, 3
SHAPES: dict[str, tuple[int, ...]] = {"mel": (N_CHANS, N_FREQS, N_FRAMES), "windows": (N_CHANS, N_TIMES)}
PATCH, WIDTH, DEPTH, HEADS, MLP_RATIO, DROPOUT = 10, 256, 2, 8, 2.0, 0.1
SIZES = {"width": WIDTH, "depth": DEPTH, "heads": HEADS, "mlp_ratio": MLP_RATIO, "dropout": DROPOUT}
VIT = {"patch_freqs": PATCH, "patch_times": PATCH, **SIZES}
"""The ViT in the size of the published notebooks."""
ModelSetup = tuple[str, str, dict[str, Any]]
MODELS: dict[str, ModelSetup] = {
    "lstm": ("lstm", "mel", {}),
    "transformer": ("transformer", "mel", {}),
    "vit": ("vit", "mel", {}),
    "swin": ("swin", "mel", {}),
    "transcnn": ("transcnn", "mel", {}),
    "inception": ("inception", "mel", {}),
    "eegnet": ("eegnet", "mel", {}),
    "eegnet, time series": ("eegnet", "windows", {}),
    "timm's convnext_atto": ("convnext_atto", "mel", {"timm": "convnext_atto"}),
    "bandpower": ("bandpower", "mel", {}),
}
"""Model, input, and those parameters that differ from the model's defaults."""


def random_windows(name: str, n_windows: int) -> np.ndarray:
    """Draw noise in the format of stored windows.

    Parameters
    ----------
    name
        `mel` for decibels or `windows` for microvolts.
    n_windows
        Number of windows.

    Returns
    -------
    numpy.ndarray
        Float16, shape (n_windows, *SHAPES[name]).
    """
    rng = np.random.default_rng(0)
    x = np.empty((n_windows, *SHAPES[name]), np.float16)
    for row in x:  # window by window: float32 for all of them would take twice as much memory
        row[:] = 10 * rng.standard_normal(row.shape, np.float32)
    return x


@contextmanager
def study(n_windows: int) -> Iterator[dict[str, SpectrogramDataset]]:
    """Write spectrograms and time series of random windows to temporary files, which are removed at the end."""
    times = (np.arange(N_FRAMES) + 0.5) * WINDOW_SECONDS / N_FRAMES
    freqs = np.linspace(0.5, SFREQ / 2, N_FREQS)
    axes: dict[str, dict[str, Any]] = {
        "mel": {"spectrogram": "mel", "freqs": freqs.tolist(), "times": times.tolist()},
        "windows": {"sfreq": SFREQ, "n_times": N_TIMES},
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, description in axes.items():
            np.save(Path(folder) / f"{name}.npy", random_windows(name, n_windows))
            (Path(folder) / f"{name}.json").write_text(json.dumps(description))
        yield {name: SpectrogramDataset([Path(folder) / f"{name}.npy"]) for name in axes}


def load_windows(dataset: SpectrogramDataset, device: str, resident: bool | None = None) -> BatchLoader:
    """Make the batch loader of all windows of a dataset.

    Parameters
    ----------
    dataset
        The windows.
    device
        `cpu` or `cuda`.
    resident
        Whether the windows stay in the memory of the device; None lets the loader decide.

    Returns
    -------
    BatchLoader
        The loader.
    """
    return BatchLoader(dataset, np.arange(len(dataset.arrays[0])), device, resident)


def labels(n_windows: int) -> np.ndarray:
    """Class indices of the windows, with equal class sizes."""
    return np.arange(n_windows) % N_OUTPUTS


def split(n_windows: int) -> Split:
    """Split in which all windows are both training and validation windows."""
    rows, names = np.arange(n_windows), np.full(n_windows, "", object)
    classes = tuple(f"class {number}" for number in range(N_OUTPUTS))
    onsets = WINDOW_SECONDS * rows
    window_set = WindowSet(classes, rows, labels(n_windows), np.ones_like(rows), names, names, onsets, 2)
    return Split(window_set, window_set, (1,))


def classifier(model: str, loader: BatchLoader, parameters: dict[str, Any]) -> Classifier:
    """Make a classifier with new weights, its normalization fitted to all windows of the loader.

    Parameters
    ----------
    model
        Name of the model.
    loader
        The windows.
    parameters
        Hyperparameters of the model.

    Returns
    -------
    Classifier
        On the device of the loader.
    """
    torch.manual_seed(0)
    dataset, axes = loader.dataset, needed_axes(model, parameters, loader.dataset)
    network = Classifier(model, {**dataset.shape, "n_outputs": N_OUTPUTS}, parameters, "patients", axes)
    network.normalization.fit(loader, loader.rows)
    return network.to(loader.device)


class TrainerWithoutValidation(Trainer):
    """Trainer whose epochs end without validation."""

    def validate(self) -> dict[str, float]:
        """Compute no scores."""
        return {}


def trainer(model: str, loader: BatchLoader, parameters: dict[str, Any], **settings: Any) -> Trainer:
    """Make a trainer on all windows of a loader, whose epochs end without validation.

    Parameters
    ----------
    model
        Name of the model.
    loader
        Windows, on the device of the training.
    parameters
        Hyperparameters of the model.
    **settings
        Training settings that differ from the defaults of the workflow.

    Returns
    -------
    Trainer
        The trainer.
    """
    network = classifier(model, loader, parameters)
    training = Training.model_validate({"epochs": 1000, **settings})
    return TrainerWithoutValidation(network, loader, split(len(loader.rows)), training, seed=0)


def epoch_call(training: Trainer) -> Callable[[], object]:
    """Function that trains the first epoch again: the weights change from call to call, the learning rate does not."""
    return lambda: training.epoch([])


@torch.no_grad()
def forward_all(network: Classifier, loader: BatchLoader) -> None:
    """Compute the logits of all windows in evaluation mode, `BATCH` windows per call.

    Parameters
    ----------
    network
        The classifier.
    loader
        The windows.
    """
    network.eval()
    parts = np.array_split(loader.rows, -(-len(loader.rows) // BATCH))
    for x in loader.stream(parts):
        network(x)
