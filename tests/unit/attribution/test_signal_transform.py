"""The transform of a study's signals gives its stored arrays."""

import numpy as np
import pytest
import torch

from eegwf.attribution.signal_transform import make_transforms
from eegwf.config.spectrograms import Spectrograms
from eegwf.errors import InputError
from eegwf.spectrograms.names import SPECTROGRAMS
from eegwf.spectrograms.store import write_spectrogram
from eegwf.spectrograms.window_file import WindowFile
from eegwf.storage.files import write_array, write_json
from eegwf.training.spectrogram_dataset import SpectrogramDataset

SFREQ, N_TIMES, CH_NAMES = 64.0, 256, ["Fp1", "Cz"]
GRIDS = Spectrograms(
    mel={"n_freqs": 8, "n_frames": 12, "f_min": 1.0, "f_max": 30.0, "window": 1.0},
    stft={"n_freqs": 8, "n_frames": 12, "f_min": 1.0, "f_max": 30.0},
    cwt={"n_freqs": 8, "n_frames": 12, "f_min": 2.0, "f_max": 30.0},
    acf={"n_freqs": 8, "n_frames": 12},
)
WINDOWS = {"sfreq": SFREQ, "n_times": N_TIMES, "ch_names": CH_NAMES}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Windows of pink noise, 20 of them, so that they are more than a batch; and their spectrograms."""
    folder = tmp_path_factory.mktemp("study")
    noise = np.random.default_rng(0).normal(0, 20, (20, 2, N_TIMES)).cumsum(axis=2)
    write_array(folder / "windows.npy", (noise - noise.mean(axis=2, keepdims=True)).astype(np.float16))
    write_json(folder / "windows.json", {**WINDOWS, "sha256": "0" * 64})
    file = WindowFile.open(folder / "windows.npy", SFREQ, CH_NAMES)
    for name in SPECTROGRAMS:
        axes = folder / f"{name}.json"
        write_spectrogram(name, getattr(GRIDS, name), file, folder / f"{name}.npy", axes, folder / f"state_{name}")
    return folder


@pytest.mark.parametrize("names", [*([name] for name in SPECTROGRAMS), ["windows"], [*SPECTROGRAMS]], ids="+".join)
def test_unchanged_windows_give_the_stored_arrays(study, names):
    dataset = SpectrogramDataset([study / f"{name}.npy" for name in names])
    transform = make_transforms(dataset.described, WINDOWS)
    signals = torch.from_numpy(np.load(study / "windows.npy").astype(np.float32))
    computed, stored = transform.stored(signals), dataset.read(np.arange(20))
    assert computed.dtype == torch.float32 and computed.shape == stored.shape
    # The last bit of single precision can decide how a value is rounded to half precision.
    spacing = torch.from_numpy(np.spacing(np.abs(stored.numpy()).astype(np.float16)).astype(np.float32))
    assert ((computed - stored).abs() <= spacing).all() and (computed == stored).float().mean() > 0.99
    assert torch.equal(transform(signals).half().float(), computed)
    if names != ["windows"]:  # the samples are in half precision already
        assert not torch.equal(transform(signals), computed)


def test_imported_arrays_have_no_transform(study):
    dataset = SpectrogramDataset([study / "mel.npy"])
    assert make_transforms(dataset.described, None) is None
    imported = {**dataset.described[0], "parameters": {"kind": "fold_arrays", "assumed": ["freqs"]}}
    assert make_transforms([imported], WINDOWS) is None
    without = {key: value for key, value in dataset.described[0].items() if key != "parameters"}
    assert make_transforms([dataset.described[0], without], WINDOWS) is None


def test_other_channels_than_those_of_the_signals_are_an_error(study):
    described = SpectrogramDataset([study / "mel.npy"]).described
    with pytest.raises(InputError, match="mel: channels Fp1, Cz; the windows have Cz, Fp1"):
        make_transforms(described, {**WINDOWS, "ch_names": CH_NAMES[::-1]})
