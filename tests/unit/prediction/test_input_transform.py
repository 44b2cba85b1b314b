"""Input of the models: the bytes that the arrays of a study have, whatever windows are transformed together."""

import numpy as np
import pytest

from eegwf.config.spectrograms import Spectrograms
from eegwf.prediction.input_transform import InputTransform
from eegwf.spectrograms.names import SPECTROGRAMS
from eegwf.spectrograms.store import WindowFile, write_spectrogram
from eegwf.storage.files import write_array
from eegwf.training.spectrogram_dataset import SpectrogramDataset

SETTINGS = Spectrograms.model_validate(
    {
        "mel": {"n_freqs": 8, "n_frames": 6},
        "stft": {"n_freqs": 8, "n_frames": 6},
        "cwt": {"n_freqs": 8, "n_frames": 6, "f_min": 2.0},
        "acf": {"n_freqs": 8, "n_frames": 6},
    }
)
SFREQ, N_TIMES = 128.0, 512


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Arrays of a study with 37 windows, written as by the workflow."""
    folder = tmp_path_factory.mktemp("study")
    windows = np.random.default_rng(0).normal(0, 30, (37, 3, N_TIMES)).astype(np.float16)
    write_array(folder / "windows.npy", windows)
    file = WindowFile.open(folder / "windows.npy", SFREQ, ["A", "B", "C"])
    for name in SPECTROGRAMS:
        grid = getattr(SETTINGS, name)
        write_spectrogram(name, grid, file, folder / f"{name}.npy", folder / f"{name}.json", folder / f"state_{name}")
    return folder


@pytest.mark.parametrize(
    ("name", "arrays"),
    [*((name, [name]) for name in SPECTROGRAMS), ("concat", ["mel", "cwt", "stft"]), ("raw", ["windows"])],
)
def test_input_is_that_of_the_arrays(folder, name, arrays):
    dataset = SpectrogramDataset([folder / f"{array}.npy" for array in arrays])
    windows = np.load(folder / "windows.npy")
    transform = InputTransform(name, SETTINGS, SFREQ, N_TIMES)
    for rows in (np.arange(32), np.arange(32, 37), np.array([20]), np.array([3, 36, 7])):
        found, expected = transform(windows[rows]), dataset.read(rows)
        assert found.dtype == expected.dtype and found.shape == expected.shape
        assert (found == expected).all()


def test_stacked_spectrograms_are_those_of_the_configuration(folder):
    settings = SETTINGS.model_copy(update={"concat": ["acf", "mel"]})
    windows, rows = np.load(folder / "windows.npy"), np.arange(32)
    dataset = SpectrogramDataset([folder / "acf.npy", folder / "mel.npy"])
    assert (InputTransform("concat", settings, SFREQ, N_TIMES)(windows[rows]) == dataset.read(rows)).all()
