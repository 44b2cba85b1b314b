"""Spectrograms on the fly, with context, spans and normalization by recording, beside stored ones."""

import numpy as np
import pandas as pd
import pytest
import torch

from eegwf.config.spectrograms import Spectrograms
from eegwf.spectrograms.store import write_spectrogram
from eegwf.spectrograms.window_file import WindowFile
from eegwf.storage.files import write_array, write_json, write_table
from eegwf.training.computed_dataset import open_dataset
from eegwf.training.recording_normalization import input_for

N_WINDOWS, CONTEXT, SFREQ, CH_NAMES = 45, 256, 128.0, ["A", "B", "C"]
SETTINGS = Spectrograms.model_validate(
    {
        "concat": ["acf", "mel"],
        "mel": {"n_freqs": 8, "n_frames": 6, "span": 4.0},
        "acf": {"n_freqs": 8, "n_frames": 6},
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three recordings of 15 windows of 4 s, with 2 s of context, and their stored spectrograms."""
    folder, rng = tmp_path_factory.mktemp("study"), np.random.default_rng(0)
    signals = rng.normal(0, 30, (N_WINDOWS, len(CH_NAMES), 1024)).cumsum(axis=2) / 5
    write_array(folder / "windows.npy", signals.astype(np.float16))
    axes = {"ch_names": CH_NAMES, "sfreq": SFREQ, "n_times": 1024, "context": CONTEXT, "sha256": "1" * 64}
    write_json(folder / "windows.json", axes)
    number = np.arange(N_WINDOWS)
    table = {"window": number, "recording": [f"r{value // 15}" for value in number], "onset": 2.0 * (number % 15)}
    write_table(folder / "windows.tsv", pd.DataFrame(table))
    file = WindowFile.open(folder / "windows.npy", SFREQ, CH_NAMES, CONTEXT)
    for name, grid in SETTINGS.grids("concat").by_name.items():
        write_spectrogram(name, grid, file, folder / f"{name}.npy", folder / f"{name}.json", folder / f"{name}_state")
    return folder


@pytest.mark.parametrize("kind", ["patients", "recording", "recording_causal"])
def test_computed_input_has_the_bits_and_times_of_stored_input(folder, kind):
    torch.set_num_threads(1)
    arrays, windows = [folder / "acf.npy", folder / "mel.npy"], folder / "windows.tsv"
    stored = input_for(open_dataset(arrays, None, windows), kind)
    computed = input_for(open_dataset([folder / "windows.npy"], SETTINGS.grids("concat"), windows), kind)
    rows = np.random.default_rng(1).permutation(N_WINDOWS)[:37]
    assert stored.shape == computed.shape
    assert torch.equal(stored.read(rows), computed.read(rows))
    assert torch.equal(stored.half(rows), computed.half(rows))
    for one, other in zip(stored.described, computed.described, strict=True):
        assert one["times"] == other["times"] and one["freqs"] == other["freqs"]
    assert stored.described[0]["times"][0] < -1 and stored.described[1]["times"][0] > 0
