"""Amplitudes: offsets that half precision can't represent, and units that can't be right."""

import numpy as np
import pandas as pd
import pytest

from eegwf.data.amplitude import Amplitude, implausible_amplitudes
from eegwf.data.dataset import write_dataset_windows
from eegwf.errors import InputError
from tests.helpers.headers import NAMES, noise, write_edf
from tests.helpers.short_recordings import CONFIG, reading_settings
from tests.unit.data.test_dataset_headers import place

RNG = np.random.default_rng(0)


def amplitude_of(signal, block=1000):
    amplitude = Amplitude(len(signal))
    for start in range(0, signal.shape[1], block):
        amplitude.add(signal[:, start : start + block])
    return amplitude


def test_mean_and_deviation_are_those_of_all_blocks():
    signal = RNG.normal(5, 30, (3, 4321))
    amplitude = amplitude_of(signal)
    np.testing.assert_allclose(amplitude.mean, signal.mean(axis=1))
    np.testing.assert_allclose(amplitude.deviation, signal.std(axis=1))


@pytest.mark.parametrize("offset", [0, 1000, -1000, 3000, 8000, -20_000, 60_000])
def test_offsets_are_refused_where_half_precision_is_too_coarse(offset):
    signal = np.stack([RNG.normal(0, 30, 5000), RNG.normal(offset, 30, 5000)])
    error = (signal.astype(np.float16).astype(float) - signal).std(axis=1) / signal.std(axis=1)
    if error[1] < 0.0289:  # of a step of a tenth of the deviation
        amplitude_of(signal).check_precision("a.edf", ["C3", "C4"])
    else:
        with pytest.raises(InputError, match=r"^a\.edf: C4 has an offset of .* Set signals\.l_freq") as raised:
            amplitude_of(signal).check_precision("a.edf", ["C3", "C4"])
        assert "\n" not in str(raised.value)
    assert (error[1] > 0.0289) == (abs(offset) > 4096)


@pytest.mark.parametrize("signal", [np.zeros(5000), np.full(5000, 20_000.0), np.r_[np.zeros(4999), 5000.0]])
def test_flat_channels_and_single_peaks_are_no_offset(signal):
    amplitude_of(np.stack([signal, RNG.normal(0, 30, 5000)])).check_precision("a.edf", ["C3", "C4"])


@pytest.mark.parametrize(
    ("deviations", "expected"),
    [
        ({"a": 30, "b": 25, "c": 40}, []),
        ({"a": 30, "b": 25, "c": 3e-5}, ["c"]),
        ({"a": 30, "b": 25, "c": 3e4}, ["c"]),
        ({"a": 30, "b": 29, "c": 0.2}, ["c"]),
        ({"a": 3e-5, "b": 3e-5, "c": 3e-5}, ["a", "b", "c"]),
        ({"a": 30, "b": 0.2}, []),
        ({"a": 30, "b": 0, "c": 30}, []),
        ({"a": 0}, []),
        ({}, []),
    ],
)
def test_amplitudes_far_from_eeg_or_from_the_data_set_are_found(deviations, expected):
    found = implausible_amplitudes(deviations)
    assert list(found) == expected and all("check the unit" in line for line in found.values())


def write(root, changes):
    """Four recordings of noise, some of them changed."""
    for number in range(1, 5):
        write_edf(place(root, f"sub-0{number}"), changes.get(number, lambda data: data)(noise(seed=number)), NAMES)


def run(tmp_path, **signals):
    reading = reading_settings(CONFIG | {"signals": CONFIG["signals"] | signals}, tmp_path / "bids")
    write_dataset_windows(reading, tmp_path / "out", tmp_path / "state", 1, "code")
    table = pd.read_csv(tmp_path / "out/recordings.tsv", sep="\t", keep_default_na=False)
    return table.set_index("patient"), np.load(tmp_path / "out/windows.npy")


def test_a_recording_a_million_times_too_small_has_a_note_or_is_excluded(tmp_path):
    write(tmp_path / "bids", {2: lambda data: data / 50})
    table, windows = run(tmp_path)
    assert table["notes"].str.contains("check the unit").tolist() == [False, False, False, False]
    assert table["sd_uv"]["sub-02"] == pytest.approx(table["sd_uv"]["sub-01"] / 50, rel=0.3)
    deviation = np.median(windows[: len(windows) // 4].astype(float).std(axis=(0, 2)))
    assert table["sd_uv"]["sub-01"] == pytest.approx(deviation, rel=0.02)
    write(tmp_path / "bids", {2: lambda data: data / 150})
    table, _ = run(tmp_path)
    assert table["notes"].str.contains("check the unit").tolist() == [False, True, False, False]
    with pytest.raises(InputError, match=r"sub-02_task-sz_eeg\.edf: its standard deviation is"):
        run(tmp_path, on_implausible_amplitude="error")
    table, _ = run(tmp_path, on_implausible_amplitude="error", on_bad_recording="exclude")
    assert table["excluded"].str.contains("standard deviation").tolist() == [False, True, False, False]
