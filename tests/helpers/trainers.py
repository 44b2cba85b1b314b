"""Trainers of small networks on the small study."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.classifier import Classifier, needed_axes
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Trainer
from tests.helpers.study import CLASSES


def trainer_maker(
    study: Path, models: dict[str, dict[str, Any]], resident: bool | None = None, **settings: Any
) -> Callable[..., Trainer]:
    """Return a function that makes the trainer of a model, with further settings, on outer fold 1.

    Parameters
    ----------
    study
        Folder of the small study.
    models
        Hyperparameters of each model.
    resident
        As in `BatchLoader`.
    **settings
        Settings of training.

    Returns
    -------
    Callable
        The function; each trainer has the same initial weights.
    """
    dataset = SpectrogramDataset([study / "mel.npy"])
    parts = split(load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES), 1)
    rows = np.concatenate([parts.train.window, parts.validation.window])

    def make(model: str, **changes: Any) -> Trainer:
        torch.manual_seed(0)
        axes = needed_axes(model, models[model], dataset)
        classifier = Classifier(model, {**dataset.shape, "n_outputs": 3}, models[model], "patients", axes)
        loader = BatchLoader(dataset, rows, "cpu", resident=resident)
        classifier.normalization.fit(loader, parts.train.window)
        return Trainer(classifier, loader, parts, Training(**settings | changes), seed=1)

    return make
