"""A small study on disk and trainings on it: what the benchmarks of training are made of."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from bench import peers
from eegwf.config.training import Training
from eegwf.data.splits import Cohort, Split
from eegwf.training.batch_loader import Batches
from eegwf.training.classifier import Classifier, needed_axes
from eegwf.training.spectrogram_dataset import Inputs
from eegwf.training.trainer import Trainer

BATCH, N_OUTPUTS, SECONDS = 32, 3, 20.0
SHAPES = {"mel": (peers.N_CHANS, peers.N_FREQS, peers.N_FRAMES), "windows": (peers.N_CHANS, peers.N_TIMES)}
PATCH, WIDTH, DEPTH, HEADS, MLP_RATIO, DROPOUT = 10, 256, 2, 8, 2.0, 0.1
SIZES = {"width": WIDTH, "depth": DEPTH, "heads": HEADS, "mlp_ratio": MLP_RATIO, "dropout": DROPOUT}
VIT = {"patch_freqs": PATCH, "patch_times": PATCH, **SIZES}
"""The ViT of the notebooks' size."""
MODELS = {
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
"""Model, input and parameters; what is not given is as the model has it."""


def random_windows(name: str, n_windows: int) -> np.ndarray:
    """Noise as windows are stored, float16 `(n_windows, *SHAPES[name])`: dB, or microvolts."""
    rng = np.random.default_rng(0)
    x = np.empty((n_windows, *SHAPES[name]), np.float16)
    for row in x:  # one at a time: the generator's float32 would take twice as much memory
        row[:] = 10 * rng.standard_normal(row.shape, np.float32)
    return x


@contextmanager
def study(n_windows: int) -> Iterator[dict[str, Inputs]]:
    """Spectrograms and time series of so many windows, in files that are gone afterwards."""
    times = (np.arange(peers.N_FRAMES) + 0.5) * SECONDS / peers.N_FRAMES
    freqs = np.linspace(0.5, peers.SFREQ / 2, peers.N_FREQS)
    about = {
        "mel": {"spectrogram": "mel", "freqs": freqs.tolist(), "times": times.tolist()},
        "windows": {"sfreq": peers.SFREQ, "n_times": peers.N_TIMES},
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, description in about.items():
            np.save(Path(folder) / f"{name}.npy", random_windows(name, n_windows))
            (Path(folder) / f"{name}.json").write_text(json.dumps(description))
        yield {name: Inputs([Path(folder) / f"{name}.npy"]) for name in about}


def windows_of(inputs: Inputs, device: str, resident: bool | None = None) -> Batches:
    """All windows of a study."""
    return Batches(inputs, np.arange(len(inputs.arrays[0])), device, resident)


def labels(n_windows: int) -> np.ndarray:
    """Classes of the windows, equally many of each."""
    return np.arange(n_windows) % N_OUTPUTS


def split(n_windows: int) -> Split:
    """All windows for training; they would validate as well, if anything did."""
    rows, names = np.arange(n_windows), np.full(n_windows, "", object)
    classes = tuple(f"class {number}" for number in range(N_OUTPUTS))
    cohort = Cohort(classes, rows, labels(n_windows), np.ones_like(rows), names, names, SECONDS * rows, 2)
    return Split(cohort, cohort, (1,))


def classifier(model: str, batches: Batches, parameters: dict) -> Classifier:
    """A classifier with fresh weights on the batches' device, its normalisation fitted to them."""
    torch.manual_seed(0)
    inputs, axes = batches.inputs, needed_axes(model, parameters, batches.inputs)
    made = Classifier(model, {**inputs.shape, "n_outputs": N_OUTPUTS}, parameters, "patients", axes)
    made.normalisation.fit(inputs, batches.rows)
    return made.to(batches.device)


def trainer(model: str, batches: Batches, parameters: dict, **settings) -> Trainer:
    """A training on all windows of the batches, whose epochs end without validation.

    Parameters
    ----------
    model, parameters
        As the configuration names them.
    batches
        Windows, on the device that trains.
    **settings
        Of training, where they are not the workflow's.
    """
    made = classifier(model, batches, parameters)
    training = Trainer(made, batches, split(len(batches.rows)), Training(**{"epochs": 1000, **settings}), seed=0)
    training.validate = dict
    return training


@torch.no_grad()
def look(made: Classifier, batches: Batches) -> None:
    """The logits of all windows, as they are found outside training; `BATCH` windows a call."""
    made.eval()
    parts = np.array_split(batches.rows, -(-len(batches.rows) // BATCH))
    for x in batches.stream(parts):
        made(x)
