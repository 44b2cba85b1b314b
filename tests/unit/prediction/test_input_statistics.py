"""Band power of recordings and their distance from those of the training, against SciPy and direct formulas."""

import numpy as np
import pandas as pd
import pytest
from scipy.signal import periodogram

from eegwf.errors import InputError
from eegwf.prediction.input_statistics import (
    BANDS,
    BandMeter,
    fit_input_statistics,
    read_input_statistics,
)
from eegwf.storage.files import read_json, write_json

SFREQ = 64.0


def recordings(gains, n_windows=6, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [gain * rng.normal(0, 20, (n_windows, 2, 256)) for gain in gains]
    rows = [(f"r{number}", f"sub-{number}") for number in range(len(gains)) for _ in range(n_windows)]
    windows = pd.DataFrame(rows, columns=["recording", "patient"]).assign(window=range(len(rows)))
    return windows, np.concatenate(arrays).astype(np.float16)


def test_band_power_is_that_of_a_periodogram():
    _, arrays = recordings([1.0])
    meter = BandMeter(2, SFREQ)
    meter.add(arrays[:4])
    meter.add(arrays[4:])
    taper = np.hanning(257)[:-1]
    freqs, power = periodogram(arrays.astype(float), SFREQ, taper, detrend="constant", scaling="spectrum")
    for number, (low, high) in enumerate(BANDS.values()):
        expected = power[..., (freqs >= low) & (freqs < high)].sum(axis=-1)
        assert meter.levels()[:, number] == pytest.approx(np.median(10 * np.log10(expected), axis=0), abs=1e-4)


def test_a_sine_has_its_power_in_its_band():
    meter = BandMeter(1, SFREQ)
    meter.add(10 * np.sin(2 * np.pi * 10 * np.arange(256) / SFREQ)[None, None])
    levels = dict(zip(BANDS, meter.levels()[0], strict=True))
    # Mean square of 50; a Hann taper spreads it over neighboring bins with a sum of 1.5.
    assert levels["alpha"] == pytest.approx(10 * np.log10(50 * 1.5), abs=0.05)
    assert max(value for name, value in levels.items() if name != "alpha") < -20


def test_distance_is_that_from_the_other_recordings():
    windows, arrays = recordings([1.0, 1.3, 0.8, 1.1, 0.9])
    found = fit_input_statistics(windows, arrays, ["A", "B"], SFREQ)
    levels = []
    for number in range(5):
        meter = BandMeter(2, SFREQ)
        meter.add(arrays[6 * number : 6 * number + 6])
        levels.append(meter.levels())
    expected = []
    for number in range(5):
        others = np.array([level for other, level in enumerate(levels) if other != number])
        score = (levels[number] - others.mean(axis=0)) / np.maximum(others.std(axis=0), 1.0)
        expected.append(np.sqrt((score**2).mean()))
    assert found.distances == pytest.approx(sorted(expected), abs=1e-3)
    assert found.mean == pytest.approx(np.mean(levels, axis=0), abs=1e-3)


def test_another_gain_is_more_distant_than_all_training_recordings(tmp_path):
    windows, arrays = recordings([1.0, 1.3, 0.8, 1.1, 0.9])
    fit_input_statistics(windows, arrays, ["A", "B"], SFREQ).write(tmp_path / "input_statistics.json")
    found = read_input_statistics(tmp_path / "input_statistics.json")
    _, other = recordings([20.0], seed=1)
    meter = BandMeter(2, SFREQ)
    meter.add(other)
    distance = found.distance(meter.levels())
    assert distance > found.distances[-1] and found.larger_than(distance) == 1.0
    assert found.larger_than(0.0) == 0.0
    assert found.distance(np.array(found.mean)) == 0.0


def test_two_recordings_are_no_distribution():
    windows, arrays = recordings([1.0, 1.3])
    found = fit_input_statistics(windows, arrays, ["A", "B"], SFREQ)
    assert np.isnan(found.distance(np.array(found.mean))) and np.isnan(found.larger_than(1.0))


@pytest.mark.parametrize(
    "change", [{"mean": [[1.0]]}, {"deviation": "x"}, {"distances": None}, {"ch_names": 3}, {"z": 1}]
)
def test_damaged_statistics_are_refused_in_one_line(tmp_path, change):
    windows, arrays = recordings([1.0, 1.3, 0.8])
    path = tmp_path / "input_statistics.json"
    fit_input_statistics(windows, arrays, ["A", "B"], SFREQ).write(path)
    write_json(path, {**read_json(path), **change})
    with pytest.raises(InputError, match="run `finalize` again") as error:
        read_input_statistics(path)
    assert "\n" not in str(error.value)
