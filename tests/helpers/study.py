"""Data of a small study on disk, and the settings of its jobs.

The spectrograms of the classes differ in a frequency band; each patient has a pattern of their own.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from eegwf.config.stages.model import RetrainSettings, SelectBestSettings, TuneSettings
from eegwf.config.tuning import Budget
from eegwf.storage.files import write_array, write_json, write_table

CLASSES = {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]}
LABELS = ["bckg", "sz_foc", "sz_gen"]


def write_study(
    folder: Path, n_patients: int = 6, per_label: int = 8, shape=(3, 10, 12), seed: int = 0, channels=slice(None)
) -> Path:
    """Write `windows.tsv`, `folds.tsv`, `mel.npy` and `mel.json`; three folds, by default of two patients each.

    Parameters
    ----------
    folder
        Folder of the files.
    n_patients, per_label
        Number of patients, and of windows of each label per patient.
    shape
        Shape of a window `(n_chans, n_freqs, n_frames)`.
    seed
        Seed of the values.
    channels
        Channels that differ between the classes.

    Returns
    -------
    Path
        The folder.
    """
    rng = np.random.default_rng(seed)
    rows, arrays = [], []
    for patient in range(n_patients):
        fingerprint = rng.normal(0, 1, (shape[0], shape[1], 1))
        for number in range(per_label * len(LABELS)):
            label = LABELS[number % len(LABELS)]
            x = fingerprint + rng.normal(0, 2, shape)
            x[channels, 3 * LABELS.index(label) : 3 * LABELS.index(label) + 3] += 1.5
            arrays.append(x)
            rows.append([f"sub-{patient:02d}_eeg", f"sub-{patient:02d}", 4.0 * number, 4.0, label, 1.0])
    windows = pd.DataFrame(rows, columns=["recording", "patient", "onset", "duration", "label", "overlap"])
    windows.insert(0, "window", range(len(windows)))
    patients = sorted(windows["patient"].unique())
    folds = pd.DataFrame({"patient": patients, "fold": [number % 3 + 1 for number in range(len(patients))]})
    write_table(folder / "windows.tsv", windows)
    write_table(folder / "folds.tsv", folds)
    write_array(folder / "mel.npy", np.array(arrays, dtype=np.float16))
    axes = {
        "spectrogram": "mel",
        "ch_names": [f"ch{number}" for number in range(shape[0])],
        "freqs": list(np.linspace(1, 30, shape[1])),
        "times": list(np.linspace(0.1, 3.9, shape[2])),
        "sha256": "0" * 64,
    }
    write_json(folder / "mel.json", axes)
    return folder


def tune_config(**changes) -> dict:
    """Settings of a tuning job as JSON values, in the shape of `TuneSettings`; `changes` replace whole keys."""
    search = {
        "lr": {"low": 1e-3, "high": 1e-2, "log": True},
        "dropout": {"low": 0.0, "high": 0.3},
        "depth": {"low": 1, "high": 2},
    }
    config = {
        "seed": 3,
        "threads": 1,
        "device": "cpu",
        "deterministic": True,
        "permute_labels": False,
        "model": "vit",
        "space": {"fixed": {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2}, "search": search},
        "training": {"epochs": 3, "patience": 3, "batch_size": 16},
        "tuning": {
            "n_trials": 4,
            "inner_folds": 1,
            "n_startup_trials": 2,
            "pruner_n_startup_trials": 2,
            "pruner_n_warmup_epochs": 1,
        },
        "n_best": 2,
        "classes": CLASSES,
    }
    return json.loads(json.dumps({**config, **changes}))


def tune_settings(config: dict) -> TuneSettings:
    """Settings of `tune` from the values of `tune_config`."""
    return TuneSettings.model_validate(config)


def select_best_settings(config: dict, n_seeds: int = 1) -> SelectBestSettings:
    """Settings of `select_best` that match those of `tune`."""
    settings = tune_settings(config)
    return SelectBestSettings(
        budget=Budget(**{name: getattr(settings.tuning, name) for name in Budget.model_fields}),
        inner_folds=settings.tuning.inner_folds,
        n_best=settings.n_best,
        n_seeds=n_seeds,
        fixed=settings.space.fixed,
    )


def retrain_settings(config: dict, epochs: int | None = None, seeds: int = 1) -> RetrainSettings:
    """Settings of `retrain` that match those of `tune`."""
    shared = {name: config[name] for name in RetrainSettings.model_fields if name in config}
    return RetrainSettings.model_validate({**shared, "epochs": epochs, "ranks_per_gpu": 1, "seeds": seeds})
