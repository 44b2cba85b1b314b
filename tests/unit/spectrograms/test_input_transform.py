"""Input of the models: the bytes that the arrays of a study have, whatever windows are transformed together."""

import numpy as np
import pytest
import torch

from eegwf.config.spectrograms import InputGrids, Mel, Spectrograms, Stft
from eegwf.errors import InputError
from eegwf.spectrograms.input_transform import InputTransform
from eegwf.spectrograms.names import SPECTROGRAMS
from eegwf.spectrograms.store import write_spectrogram
from eegwf.spectrograms.window_file import WindowFile
from eegwf.storage.files import write_array, write_json
from eegwf.training.computed_dataset import ComputedDataset
from eegwf.training.spectrogram_dataset import SpectrogramDataset

SETTINGS = Spectrograms.model_validate(
    {
        "mel": {"n_freqs": 8, "n_frames": 6},
        "stft": {"n_freqs": 8, "n_frames": 6, "span": 3.0},
        "cwt": {"n_freqs": 8, "n_frames": 6, "f_min": 2.0},
        "acf": {"n_freqs": 8, "n_frames": 6},
        "concat": ["stft", "mel", "acf"],
    }
)
SFREQ, N_TIMES = 128.0, 512
CH_NAMES = ["C3", "Cz", "C4"]
NAMES = (*SPECTROGRAMS, "concat")
ROWS = [np.arange(32), np.arange(32, 37), np.array([20]), np.array([3, 36, 7]), np.arange(37)[::-1], np.arange(0)]


def grids_of(name):
    return SETTINGS.grids(name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Arrays of a study with 37 windows, written as by the workflow."""
    folder = tmp_path_factory.mktemp("study")
    windows = np.random.default_rng(0).normal(0, 30, (37, 3, N_TIMES)).astype(np.float16)
    write_array(folder / "windows.npy", windows)
    axes = {"ch_names": CH_NAMES, "sfreq": SFREQ, "n_times": N_TIMES, "sha256": "1" * 64}
    write_json(folder / "windows.json", axes)
    file = WindowFile.open(folder / "windows.npy", SFREQ, CH_NAMES)
    for name in SPECTROGRAMS:
        grid = getattr(SETTINGS, name)
        write_spectrogram(name, grid, file, folder / f"{name}.npy", folder / f"{name}.json", folder / f"state_{name}")
    return folder


def stored(folder, name):
    return SpectrogramDataset([folder / f"{array}.npy" for array in SETTINGS.members(name)])


@pytest.fixture(params=[1, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", NAMES)
def test_input_is_that_of_the_arrays(folder, name, threads):
    dataset, windows = stored(folder, name), torch.from_numpy(np.load(folder / "windows.npy"))
    transform = InputTransform(grids_of(name).by_name, SFREQ, N_TIMES)
    for rows in ROWS:
        found, expected = transform(windows[rows.copy()]), dataset.read(rows)
        assert found.dtype == expected.dtype and found.shape == expected.shape
        assert (found == expected).all()
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("name", NAMES)
def test_a_computed_dataset_is_that_of_the_arrays(folder, name):
    dataset, computed = stored(folder, name), ComputedDataset(folder / "windows.npy", grids_of(name))
    assert computed.shape == dataset.shape and computed.n_values == dataset.n_values
    assert computed.axes == dataset.axes and computed.names == dataset.names
    unsigned = [[{**one, "sha256": ""} for one in each.described] for each in (computed, dataset)]
    assert unsigned[0] == unsigned[1]
    for rows in ROWS:
        assert torch.equal(computed.read(rows), dataset.read(rows))
        assert torch.equal(computed.half(rows), dataset.half(rows))


def test_raw_is_the_windows(folder):
    windows = np.load(folder / "windows.npy")
    raw = SpectrogramDataset([folder / "windows.npy"])
    rows = np.array([3, 36, 7])
    expected = torch.from_numpy(windows[rows].astype(np.float32))[:, :, None]
    assert torch.equal(raw.read(rows), expected)
    assert torch.equal(InputTransform({}, SFREQ, N_TIMES)(torch.from_numpy(windows[rows])), expected)
    assert raw.signal_axes["ch_names"] == CH_NAMES and stored(folder, "mel").signal_axes is None


def test_identity_changes_with_windows_and_parameters(folder, tmp_path):
    first = ComputedDataset(folder / "windows.npy", grids_of("mel")).identity()
    other = SETTINGS.mel.model_copy(update={"window": 2.5})
    assert ComputedDataset(folder / "windows.npy", InputGrids(stacked=["mel"], mel=other)).identity() != first
    write_array(tmp_path / "windows.npy", np.load(folder / "windows.npy"))
    axes = {"ch_names": CH_NAMES, "sfreq": SFREQ, "n_times": N_TIMES, "sha256": "2" * 64}
    write_json(tmp_path / "windows.json", axes)
    assert ComputedDataset(tmp_path / "windows.npy", grids_of("mel")).identity() != first


def test_other_windows_are_not_read(folder, tmp_path):
    windows = np.load(folder / "windows.npy")
    windows[20:] = np.nan
    write_array(tmp_path / "windows.npy", windows)
    (tmp_path / "windows.json").write_bytes((folder / "windows.json").read_bytes())
    computed = ComputedDataset(tmp_path / "windows.npy", grids_of("mel"))
    rows = np.array([19, 0, 4])
    assert torch.equal(computed.read(rows), stored(folder, "mel").read(rows))
    with pytest.raises(InputError, match=r"windows\.npy: window 20, channel C3 contains NaN or infinity"):
        computed.read(np.array([4, 20]))


def test_shapes_that_cannot_be_stacked_are_refused():
    grids = {"mel": Mel(n_freqs=8, n_frames=6), "stft": Stft(n_freqs=9, n_frames=6)}
    with pytest.raises(InputError, match="spectrograms: mel 8 x 6, stft 9 x 6 can't be stacked"):
        InputTransform(grids, SFREQ, N_TIMES)
