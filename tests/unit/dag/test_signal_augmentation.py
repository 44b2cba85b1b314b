"""Augmentations of signals are refused where stored spectrograms are read."""

import re

import pytest

from eegwf.config.signal_augmentation import SIGNAL_AUGMENTATIONS
from eegwf.config.training import TUNABLE
from eegwf.dag.flow_reading import read_flow
from eegwf.errors import InputError


@pytest.fixture
def flow_of(root):
    def read(**settings):
        matrix = {"models": ["vit"], "spectrograms": ["mel"], "classes": ["2class"]}
        return read_flow(root / "config/config.yaml", [], {"matrix": matrix, **settings})

    return read


def test_all_are_tunable():
    assert set(SIGNAL_AUGMENTATIONS) <= set(TUNABLE)


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"training": {"gain_db": 3.0}}, "training.gain_db"),
        ({"models": {"vit": {"fixed": {"mirror": 0.5}}}}, "models.vit.fixed.mirror"),
        ({"models": {"vit": {"search": {"tilt_db": {"low": 0, "high": 6.0}}}}}, "models.vit.search.tilt_db"),
        ({"models": {"vit": {"search": {"tilt_db": {"choices": [0.0, 3.0]}}}}}, "models.vit.search.tilt_db"),
    ],
)
def test_key_and_cure_are_named(flow_of, settings, place):
    with pytest.raises(
        InputError, match=f"{re.escape(place)}: vit_mel_2class: .*spectrograms.on_the_fly: true"
    ) as error:
        flow_of(**settings)
    assert "\n" not in str(error.value)
    assert flow_of(**settings, spectrograms={"on_the_fly": True})


def test_time_series_and_fitted_models_are_not_refused(flow_of):
    flow_of(training={"gain_db": 3.0}, matrix={"models": ["eegnet"], "spectrograms": ["raw"]})
    flow_of(training={"gain_db": 3.0}, matrix={"models": ["bandpower"], "spectrograms": ["mel"]})
    flow_of(training={"gain_db": 3.0}, models={"vit": {"fixed": {"gain_db": 0.0}}})
    flow = flow_of(training={"gain_db": 3.0}, matrix={"models": ["eegnet"], "spectrograms": ["raw"]})
    with pytest.raises(InputError, match=r"training\.gain_db: vit_mel_3class: "):
        flow.check_targets(["results/vit_mel_3class/report.html"])


def test_derivations_can_not_be_rereferenced(flow_of):
    settings = {"training": {"rereference": 0.5}, "spectrograms": {"on_the_fly": True}}
    with pytest.raises(InputError, match=r"training\.rereference: .*Fp1-F7.* do not depend on the reference"):
        flow_of(**settings)
    flow_of(**settings, signals={"montage": "average"})


def test_given_arrays_are_not_offered_the_signals_that_they_lack(flow_of):
    files = {"data": "d{fold}.npy", "labels": "l{fold}.npy", "patients": "p{fold}.npy"}
    dataset = {"kind": "fold_arrays", "arrays": {"mel": files}, "label_names": {0: "bckg", 1: "sz"}}
    with pytest.raises(InputError, match=r"training\.gain_db: vit_mel_2class: .* are read; set gain_db: 0$"):
        flow_of(dataset=dataset, training={"gain_db": 1.0}, evaluation={"subgroups": {}})


def test_background_is_not_mixed_without_a_background_class(flow_of):
    settings = {"training": {"background_mix": 0.3}, "classes": {"type": {"focal": ["sz_foc"], "other": ["sz_gen"]}}}
    matrix = {"models": ["eegnet"], "spectrograms": ["raw"]}
    with pytest.raises(InputError, match=r"training\.background_mix: eegnet_raw_type: .* no background; set .*: 0$"):
        flow_of(**settings, matrix={**matrix, "classes": ["type"]})
    flow_of(**settings, matrix={**matrix, "classes": ["2class"]})
