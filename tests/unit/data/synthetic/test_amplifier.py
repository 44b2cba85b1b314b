"""The recording system of the synthetic data set: what it changes, and that its default changes nothing."""

import numpy as np
import pytest
from scipy.signal import welch

from eegwf.config.data import Signals, Synthetic
from eegwf.config.synthetic import Amplifier
from eegwf.data.signals.signal import open_signal
from eegwf.data.synthetic.amplifier import channel_names, record
from eegwf.data.synthetic.dataset import write_dataset

SEED = (3, 1)


@pytest.fixture(scope="module")
def digital():
    slow = np.cumsum(np.random.default_rng(0).normal(0, 20, (19, 256 * 20)), axis=1)
    return (slow - slow.mean(axis=1, keepdims=True)).clip(-9000, 9000).astype(np.int16)


def test_default_leaves_the_samples(digital):
    assert record(digital, Amplifier(), SEED) is digital
    assert channel_names(Amplifier())[:2] == ["EEG Fp1-REF", "EEG Fp2-REF"]


def test_average_reference_and_gain(digital):
    found = record(digital, Amplifier(reference="average", gain=1.5), SEED)
    expected = 1.5 * (digital - digital.mean(axis=0))
    assert np.abs(found - expected).max() <= 0.51 and found.dtype == np.int16
    names = channel_names(Amplifier(reference="average"))
    assert len(names) == 19 and {"T7-AVG", "T8-AVG", "P7-AVG", "P8-AVG"} < set(names)


def test_rate_and_noise(digital):
    slower = record(digital, Amplifier(sfreq=128), SEED)
    assert slower.shape == (19, 128 * 20)
    inner = slice(64, -64)
    assert np.corrcoef(slower[0, inner], digital[0, ::2][inner])[0, 1] > 0.999
    noisy = record(digital, Amplifier(noise=4.0), SEED)
    assert np.std(noisy - digital.astype(float)) == pytest.approx(40, rel=0.02)
    assert np.array_equal(noisy, record(digital, Amplifier(noise=4.0), SEED))


def test_gains_differ_between_patients_and_electrodes(digital):
    patients = [record(digital, Amplifier(gain_spread=3.0), (3, number)).std() / digital.std() for number in range(200)]
    decibels = 20 * np.log10(patients)
    assert decibels.std() == pytest.approx(3, rel=0.15) and abs(decibels.mean()) < 0.7
    channels = record(digital, Amplifier(electrode_spread=2.0), SEED).std(axis=1) / digital.std(axis=1)
    assert 1 < (20 * np.log10(channels)).std() < 3
    assert len({round(float(value), 3) for value in channels}) == 19


def test_slope_of_the_frequency_response(digital):
    found = record(digital, Amplifier(tilt_spread=2.0), SEED)
    freqs, density = welch(digital.astype(float), 256, nperseg=1024)
    ratio = 10 * np.log10(welch(found.astype(float), 256, nperseg=1024)[1] / density).mean(axis=0)
    inside = (freqs >= 1) & (freqs <= 32)
    slope, level = np.polyfit(np.log2(freqs[inside] / 8), ratio[inside], 1)
    assert 0.1 < abs(slope) < 6 and abs(level) < 0.1
    assert np.abs(ratio[inside] - slope * np.log2(freqs[inside] / 8)).max() < 0.3
    others = [record(digital, Amplifier(tilt_spread=2.0), (3, number)) for number in (2, 3)]
    assert not np.array_equal(*others)


def test_files_of_another_amplifier_give_the_same_derivations(tmp_path):
    case = {"kind": "synthetic", "n_focal": 1, "n_generalized": 0, "n_both": 0, "n_none": 0, "minutes": 1.0}
    write_dataset(tmp_path / "one", Synthetic(**case))
    write_dataset(tmp_path / "other", Synthetic(**case, amplifier=Amplifier(sfreq=200, reference="average")))
    signals = [
        open_signal(tmp_path / name / "sub-01/eeg/sub-01_task-sz_eeg.edf", Signals(sfreq=128.0, h_freq=40.0))
        for name in ("one", "other")
    ]
    assert signals[0].derivations == signals[1].derivations and signals[1].recorded_sfreq == 200
    first, second = (signal.read(256, 128 * 50) for signal in signals)
    assert all(np.corrcoef(a, b)[0, 1] > 0.99 for a, b in zip(first, second, strict=True))
