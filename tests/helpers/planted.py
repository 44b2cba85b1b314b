"""Windows whose classes differ in one channel, band or interval only, and models that were trained on them."""

from pathlib import Path

import numpy as np
import pandas as pd

from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.storage.files import write_array, write_json, write_table
from eegwf.training.loop import train
from eegwf.training.spectrogram_dataset import SpectrogramDataset

CLASSES = {"background": ["bckg"], "seizure": ["sz"]}
SHAPE = (4, 12, 16)
FREQS = [1.0, 2.0, 3.0, 5.0, 6.0, 7.0, 9.0, 10.0, 12.0, 15.0, 20.0, 25.0]  # three each of delta, theta, alpha and beta
TIMES = [0.125 + 0.25 * number for number in range(16)]  # four frames a second
PLANTED = {
    "channel": (slice(2, 3), slice(None), slice(None)),
    "band": (slice(None), slice(3, 6), slice(None)),
    "second": (slice(None), slice(None), slice(8, 12)),
}
"""Place in a window where the classes differ: the third channel, theta, the third second."""


def write_planted(folder: Path, place: str, seed: int = 0) -> Path:
    """Write `windows.tsv`, `folds.tsv`, `mel.npy` and `mel.json` of six patients in three folds."""
    rng = np.random.default_rng(seed)
    rows, arrays = [], []
    for patient in range(6):
        for number in range(32):
            x = rng.normal(0, 1, SHAPE)
            if number % 2:
                x[PLANTED[place]] += 1.5
            arrays.append(x)
            name = f"sub-{patient:02d}"
            rows.append([len(rows), f"{name}_eeg", name, 4.0 * number, 4.0, ("bckg", "sz")[number % 2], 1.0])
    columns = ["window", "recording", "patient", "onset", "duration", "label", "overlap"]
    write_table(folder / "windows.tsv", pd.DataFrame(rows, columns=columns))
    patients = [f"sub-{number:02d}" for number in range(6)]
    write_table(folder / "folds.tsv", pd.DataFrame({"patient": patients, "fold": [1, 2, 3, 1, 2, 3]}))
    write_array(folder / "mel.npy", np.array(arrays, dtype=np.float16))
    names = ["F7-T7", "T7-P7", "F8-T8", "T8-P8"]
    write_json(
        folder / "mel.json",
        {"spectrogram": "mel", "ch_names": names, "freqs": FREQS, "times": TIMES, "sha256": "0" * 64},
    )
    return folder


def trained_on(folder: Path, model: str, parameters: dict, epochs: int = 12):
    """Train a model on the windows of `write_planted`; returns the classifier, the dataset and all windows."""
    dataset = SpectrogramDataset([folder / "mel.npy"])
    window_set = load_window_set(folder / "windows.tsv", folder / "folds.tsv", CLASSES)
    settings = Training(epochs=epochs, patience=epochs, batch_size=16, lr=5e-3, monitor="loss")
    result = train(model, dataset, split(window_set, 1), parameters, settings, seed=1)
    return result.classifier.eval(), dataset, window_set
