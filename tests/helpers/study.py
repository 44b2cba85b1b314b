"""A tiny study on disk: spectrograms whose classes differ by a band, with a fingerprint for every patient."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from eegwf.storage.files import write_array, write_json, write_table

CLASSES = {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]}
LABELS = ["bckg", "sz_foc", "sz_gen"]


def write_study(
    folder: Path, n_patients: int = 6, per_label: int = 8, shape=(3, 10, 12), seed: int = 0, channels=slice(None)
) -> Path:
    """Write `windows.tsv`, `folds.tsv`, `mel.npy` and `mel.json`; three folds, two patients each by default.

    `channels` carry the class.
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
    """The slice of the configuration that a tuning job gets."""
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
        "tuning": {"trials": 4, "inner_folds": 1, "startup": 2, "pruning_startup": 2, "pruning_warmup": 1},
        "retrain": {"top": 2},
        "classes": CLASSES,
    }
    return json.loads(json.dumps({**config, **changes}))
