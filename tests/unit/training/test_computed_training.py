"""Trainings on spectrograms that are computed when windows are read, with and without augmentation of the signals."""

import numpy as np
import pytest
import torch

from eegwf.config.spectrograms import InputGrids, Mel
from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.spectrograms.store import write_spectrogram
from eegwf.spectrograms.window_file import WindowFile
from eegwf.storage.files import write_array, write_json
from eegwf.training.computed_dataset import ComputedDataset
from eegwf.training.loop import train
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.study import CLASSES, write_study

SFREQ, N_TIMES, CH_NAMES = 64.0, 256, ["C3", "Cz", "C4"]
GRID = Mel(n_freqs=10, n_frames=12, f_max=32.0)
PARAMETERS = {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1, "lr": 3e-3}
SETTINGS = Training(epochs=3, patience=3, batch_size=16)
AUGMENTED = {
    "gain_db": 3.0,
    "tilt_db": 3.0,
    "electrode_noise": 0.5,
    "mirror": 0.5,
    "rereference": 0.2,
    "time_stretch": 0.1,
    "background_mix": 0.3,
}


def write_windows(folder, windows):
    write_array(folder / "windows.npy", windows)
    axes = {"ch_names": CH_NAMES, "sfreq": SFREQ, "n_times": N_TIMES, "sha256": "1" * 64}
    write_json(folder / "windows.json", axes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study with windows of noise and their stored spectrograms."""
    folder = write_study(tmp_path_factory.mktemp("study"), per_label=4)
    n_windows = len((folder / "windows.tsv").read_text().splitlines()) - 1
    write_windows(folder, np.random.default_rng(0).normal(0, 30, (n_windows, 3, N_TIMES)).astype(np.float16))
    file = WindowFile.open(folder / "windows.npy", SFREQ, CH_NAMES)
    write_spectrogram("mel", GRID, file, folder / "mel.npy", folder / "mel.json", folder / "state")
    return folder


@pytest.fixture(scope="module")
def window_set(folder):
    return load_window_set(folder / "windows.tsv", folder / "folds.tsv", CLASSES)


def computed(folder):
    return ComputedDataset(folder / "windows.npy", InputGrids(stacked=["mel"], mel=GRID))


def run(dataset, window_set, settings=SETTINGS, model="vit", parameters=PARAMETERS, **options):
    torch.set_num_threads(1)
    return train(model, dataset, split(window_set, 1), parameters, settings, seed=1, **options)


def weight_bytes(result):
    return {name: value.numpy().tobytes() for name, value in result.classifier.state_dict().items()}


def test_weights_are_those_of_stored_spectrograms(folder, window_set):
    stored, on_the_fly = run(SpectrogramDataset([folder / "mel.npy"]), window_set), run(computed(folder), window_set)
    assert weight_bytes(on_the_fly) == weight_bytes(stored) and on_the_fly.history == stored.history


@pytest.mark.parametrize("settings", [{}, AUGMENTED])
def test_nan_in_the_test_fold_changes_no_weight(folder, window_set, tmp_path, settings):
    settings = SETTINGS.model_copy(update=settings)
    windows = np.load(folder / "windows.npy")
    windows[window_set.in_folds(1).window] = np.nan
    write_windows(tmp_path, windows)
    whole, again = run(computed(folder), window_set, settings), run(computed(tmp_path), window_set, settings)
    assert weight_bytes(again) == weight_bytes(whole)


@pytest.mark.parametrize("on_the_fly", [True, False])
def test_augmented_training_resumes_exactly_and_augments_training_windows_only(
    folder, window_set, tmp_path, on_the_fly
):
    if on_the_fly:
        dataset, options = computed(folder), {}
    else:
        dataset = SpectrogramDataset([folder / "windows.npy"])
        options = {"model": "eegnet", "parameters": {"dropout": 0.1}}
    settings = SETTINGS.model_copy(update=AUGMENTED)
    whole, plain = run(dataset, window_set, settings, **options), run(dataset, window_set, **options)
    assert whole.history[0]["train_loss"] != plain.history[0]["train_loss"]
    if on_the_fly:
        assert torch.equal(whole.classifier.normalization.mean, plain.classifier.normalization.mean)

    class Stop(Exception):
        pass

    def stop(history):
        if len(history) == 1:
            raise Stop

    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Stop):
        run(dataset, window_set, settings, **options, checkpoint=path, on_epoch=stop)
    resumed = run(dataset, window_set, settings, **options, checkpoint=path)
    assert resumed.history == whole.history and weight_bytes(resumed) == weight_bytes(whole)
