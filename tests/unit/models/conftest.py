"""A small study for the classical models."""

import numpy as np
import pytest

from eegwf.data.splits import load_window_set
from eegwf.storage.files import read_array, write_array, write_json
from tests.helpers.study import CLASSES, write_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Write the small study, with time series of 120 samples at 60 Hz."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    x = np.array(read_array(folder / "mel.npy"), dtype=np.float64)
    times = np.arange(120) / 60
    amplitude = np.exp(0.2 * x.mean(axis=3))[..., None]  # one sine for each frequency of the spectrogram
    series = (10 * amplitude * np.sin(2 * np.pi * np.linspace(2, 28, 10)[:, None] * times)).sum(axis=2)
    write_array(folder / "windows.npy", series.astype(np.float16))
    write_json(folder / "windows.json", {"sfreq": 60.0, "n_times": 120, "sha256": "1" * 64})
    return folder


@pytest.fixture(scope="module")
def window_set(study):
    return load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)
