"""Localization against scikit-learn, and measures of maps whose values are known."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import signal
from sklearn.metrics import roc_auc_score

from eegwf.attribution.localization import MEASURES, auroc, localization
from eegwf.attribution.truth import Region, TrueSeizure, region_of
from eegwf.config.data import Synthetic
from eegwf.data.synthetic.recording import draw_cases, draw_recording
from eegwf.data.synthetic.scalp import ELECTRODES
from eegwf.data.synthetic.signal import SFREQ

AUROCS = ("auroc_channels", "auroc_seconds", "auroc_freqs")


def region(channels, freqs, frames, second=None, array=None, mask=None) -> Region:
    channels, frames = np.array(channels, dtype=bool), np.array(frames, dtype=bool)
    freqs = None if freqs is None else np.array(freqs, dtype=bool)
    array = np.zeros(len(channels), dtype=int) if array is None else np.array(array)
    rows = np.ones((len(channels), 1), dtype=bool) if freqs is None else freqs[array]
    if mask is None:
        mask = channels[:, None, None] & rows[:, :, None] & frames
    second = np.arange(len(frames)) if second is None else np.array(second)
    n_arrays = array.max() + 1
    return Region(channels, np.tile(frames, (n_arrays, 1)), np.tile(second, (n_arrays, 1)), freqs, array, mask)


REGION = region([1, 1, 0, 0, 0], [[0, 1, 1, 0]], [0, 0, 1, 1, 1, 1], second=[0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize("levels", [0, 2, 5])
def test_auroc_equals_scikit_learn_with_and_without_ties(levels):
    rng = np.random.default_rng(levels)
    for n in (2, 5, 40):
        values, inside = rng.random(n), np.arange(n) < rng.integers(1, n)
        values = np.round(values * levels) if levels else values
        assert auroc(values, inside) == pytest.approx(roc_auc_score(inside, values), abs=1e-12)


def test_profiles_equal_those_of_scikit_learn():
    """Four frames in the first second and two in the last, so that a sum would favor the first."""
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(5, 4, 9))
    truth = region([0, 1, 1, 0, 0], [[0, 1, 1, 0]], [0, 0, 0, 0, 0, 1, 1, 1, 1], second=[0, 0, 0, 0, 1, 1, 1, 2, 2])
    positive, found = np.where(maps > 0, maps, 0.0), localization(maps, truth)
    seconds = [positive[:, :, first:last].mean() for first, last in ((0, 4), (4, 7), (7, 9))]
    assert found["auroc_channels"] == pytest.approx(roc_auc_score([0, 1, 1, 0, 0], positive.sum(axis=(1, 2))))
    assert found["auroc_seconds"] == pytest.approx(roc_auc_score([0, 1, 1], seconds))
    assert found["auroc_freqs"] == pytest.approx(roc_auc_score([0, 1, 1, 0], positive.sum(axis=(0, 2))))
    assert found["mass_share"] == pytest.approx(positive[truth.mask].sum() / positive.sum())
    assert found["mass"] == pytest.approx(found["mass_share"] / (2 * 2 * 4 / maps.size))
    assert found["pointing"] == truth.mask.ravel()[maps.argmax()]


def test_seconds_with_different_numbers_of_frames():
    """The second with half of its frames in the seizure counts as in it, and more frames make no second higher."""
    truth = region([1, 0], [[1, 0]], [0, 0, 0, 0, 1, 0], second=[0, 0, 0, 0, 1, 1])
    assert localization(np.ones((2, 2, 6)), truth)["auroc_seconds"] == 0.5
    maps = np.ones((2, 2, 6))
    maps[..., 5] = 1.5
    assert localization(maps, truth)["auroc_seconds"] == 1.0


def test_map_of_the_region_is_perfect_and_its_complement_the_opposite():
    found = localization(REGION.mask * 3.0, REGION)
    assert [found[name] for name in (*AUROCS, "pointing", "mass_share")] == [1.0] * 5
    assert found["mass"] == pytest.approx(REGION.mask.size / REGION.mask.sum())
    found = localization(~REGION.mask * 1.0, REGION)
    assert [found[name] for name in (*AUROCS, "pointing", "mass_share", "mass")] == [0.0] * 6


@pytest.mark.parametrize("value", [0.0, 0.1, -2.0])
def test_constant_maps_and_maps_without_a_positive_value_are_an_even_spread(value):
    found = localization(np.full(REGION.mask.shape, value), REGION)
    assert [found[name] for name in AUROCS] == [0.5, 0.5, 0.5]
    assert found["mass"] == pytest.approx(1.0)
    assert found["mass_share"] == found["pointing"] == pytest.approx(REGION.mask.mean())


def test_negative_values_do_not_count():
    maps = np.where(REGION.mask, 1.0, -50.0)
    assert localization(maps, REGION) == localization(REGION.mask * 1.0, REGION)


def test_pointing_is_the_share_of_the_highest_bins():
    maps = np.zeros(REGION.mask.shape)
    maps[0, 1, 2] = maps[1, 2, 3] = maps[4, 0, 0] = 2.0
    assert localization(maps, REGION)["pointing"] == pytest.approx(2 / 3)


def test_a_profile_constant_but_for_rounding_has_half():
    """Sums of 0.1 in another order differ in the last digit."""
    values = np.array([sum([0.1] * 10), 1.0, 0.3 + 0.3 + 0.4, 0.7 + 0.1 + 0.2])
    assert len(set(values)) > 1
    assert auroc(values, np.array([True, False, True, False])) == 0.5


def test_undefined_measures_are_omitted():
    maps = np.random.default_rng(1).random((3, 4, 5))
    every_channel = region([1, 1, 1], [[0, 1, 1, 0]], [1] * 5)
    assert set(localization(maps, every_channel)) == set(MEASURES) - {"auroc_channels", "auroc_seconds"}
    nowhere = region([0, 0, 0], [[0, 0, 0, 0]], [0] * 5)
    assert localization(maps, nowhere) == {}
    everywhere = region([1, 1, 1], [[1, 1, 1, 1]], [1] * 5)
    assert localization(maps, everywhere) == {}
    series = region([1, 0, 0], None, [0, 0, 1, 1, 1])
    assert set(localization(maps[:, :1], series)) == set(MEASURES) - {"auroc_freqs"}


def test_stacked_spectrograms_are_compared_within_each():
    truth = region([1, 0, 1], [[1, 0, 0], [0, 0, 1]], [1, 1, 0], array=[0, 0, 1])
    maps = np.ones((3, 3, 3))
    maps[:2, 0] = 2.0  # on the track of the first spectrogram
    maps[2] = [[700.0], [500.0], [600.0]]  # between two others in the second, with higher values
    assert localization(maps, truth)["auroc_freqs"] == pytest.approx((1.0 + 0.5) / 2)


def test_rise_of_power_in_generated_focal_seizures_is_in_the_true_region():
    """Power of bipolar derivations relative to its median outside seizures, in windows of 10 s."""
    chains = ("Fp1 F7 T3 T5 O1", "Fp1 F3 C3 P3 O1", "Fp2 F4 C4 P4 O2", "Fp2 F8 T4 T6 O2")
    pairs = [pair for chain in chains for pair in pairwise(chain.split())]
    names = [f"{anode}-{cathode}" for anode, cathode in pairs]
    rows = np.array([[ELECTRODES.index(name) for name in pair] for pair in pairs])
    found: dict[str, list[float]] = {name: [] for name in MEASURES}
    config = Synthetic(kind="synthetic", n_focal=4, n_generalized=0, n_both=0, n_none=0, minutes=3, seizures=2)
    for case in draw_cases(config):
        digital, seizures = draw_recording(case)
        bipolar = digital[rows[:, 0]].astype(float) - digital[rows[:, 1]]
        freqs, times, power = signal.spectrogram(bipolar, SFREQ, nperseg=256, noverlap=128)
        inside = [(times > one.onset - 2) & (times < one.onset + one.duration + 2) for one in seizures]
        rise = np.log(power / np.median(power[..., ~np.any(inside, axis=0)], axis=2, keepdims=True))[:, 1:41]
        for one in seizures:
            true = TrueSeizure.model_validate({"recording": case.patient, **one.truth()})
            for onset in np.arange(one.onset - 5, one.onset + one.duration - 5, 5.0):
                frames = (times >= onset) & (times < onset + 10)
                axes = {"ch_names": names, "freqs": freqs[1:41], "times": times[frames] - onset}
                region = region_of(true, [axes], onset)
                for name, value in localization(rise[..., frames], region).items():
                    found[name].append(value)
    means = {name: np.mean(values) for name, values in found.items()}
    assert min(means["auroc_channels"], means["auroc_freqs"]) > 0.85
    assert min(means["auroc_seconds"], means["pointing"]) > 0.6
    assert means["mass"] > 3
