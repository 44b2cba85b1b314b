"""Hyperparameters with which no model can be made are found before the study runs."""

import pytest

from eegwf.checks.study import check_study
from tests.helpers.bids_folder import write_recording


def findings_of(flow_of, model, entry, **settings):
    """Problems and warnings of a study with one entry of a model."""
    inputs = "raw" if model == "riemann" else "mel"
    matrix = {"models": [model], "spectrograms": [inputs], "classes": ["2class"]}
    found = check_study(flow_of(models={model: entry}, matrix=matrix, **settings))
    return found.problems, found.warnings


@pytest.mark.parametrize(
    ("model", "entry", "message"),
    [
        ("vit", {"fixed": {"heads": 3}}, "models.vit: no trial is possible, for example: vit"),
        ("riemann", {"search": {"shrinkage": {"choices": [0, 2]}}}, "example: riemann: shrinkage is 0; expected"),
        ("lstm", {"fixed": {"layers": -1}}, "models.lstm: no trial is possible"),
        (
            "vit",
            {"fixed": {"frozen_fraction": 0.5}},
            "models.vit.fixed.frozen_fraction: layers of vit would keep random",
        ),
    ],
)
def test_hyperparameter_that_stops_the_run_is_a_problem(flow_of, model, entry, message):
    problems, _ = findings_of(flow_of, model, entry)
    assert len(problems) == 1 and message in problems[0]


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"width": {"choices": [16, 17]}}, "models.transformer.search.width: trials with 17 can fail: "),
        ({"width": {"choices": [17, 16]}}, "models.transformer.search.width: trials with 17 can fail: "),
    ],
)
def test_value_with_which_only_some_trials_fail_is_a_warning(flow_of, search, message):
    problems, warnings = findings_of(flow_of, "transformer", {"search": search})
    assert problems == [] and len(warnings) == 1 and warnings[0].startswith(message)


@pytest.mark.parametrize("training", [{"frozen_fraction": 0.5}, {"frozen_fraction": 0.5, "pretrain_epochs": 2}])
def test_frozen_layers_need_weights_that_are_not_random(flow_of, training):
    problems, _ = findings_of(flow_of, "vit", {}, training=training)
    assert problems == ([] if "pretrain_epochs" in training else [
        "training.frozen_fraction: layers of vit would keep random weights; set training.init, pretrained or "
        "pretrain_epochs, or remove it"
    ])  # fmt: skip


def test_values_that_are_possible_together_are_found(flow_of):
    """Both first values are impossible, and neither alone can be changed to a possible set."""
    search = {"pool": {"choices": ["none", "max"]}, "layout": {"choices": ["none", "stacked"]}}
    problems, warnings = findings_of(flow_of, "transformer", {"search": search})
    assert problems == []
    assert sorted(line.split(": ")[0] for line in warnings) == [
        "models.transformer.search.layout", "models.transformer.search.pool"
    ]  # fmt: skip


def test_end_of_a_range_that_no_step_reaches_is_not_tried(flow_of):
    search = {"width": {"low": 16, "high": 71, "step": 16}}
    assert findings_of(flow_of, "transformer", {"search": search, "fixed": {"heads": 4}}) == ([], [])


def test_classical_models_have_no_frozen_layers(flow_of):
    for model in ("bandpower", "boosting"):
        assert findings_of(flow_of, model, {}, training={"frozen_fraction": 0.5})[0] == []


@pytest.mark.parametrize(
    "entry",
    [
        {"search": {"frozen_fraction": {"choices": [0.0, 0.5]}}},
        {"fixed": {"frozen_fraction": 0.5}, "search": {"pretrain_epochs": {"choices": [0, 2]}}},
    ],
)
def test_random_frozen_layers_in_some_trials_are_a_warning(flow_of, entry):
    problems, warnings = findings_of(flow_of, "vit", entry)
    assert problems == [] and len(warnings) == 1 and "in some trials, which would fail" in warnings[0]


def test_pretrained_weights_need_an_architecture(flow_of):
    problems, _ = findings_of(flow_of, "vit", {"fixed": {"pretrained": True}})
    assert len(problems) == 1 and "vit: pretrained requires architecture" in problems[0]


def test_frequencies_outside_all_bands_are_found_with_the_default_hyperparameters(flow_of):
    mel = {"f_min": 80, "f_max": 120, "n_freqs": 4}
    settings = {"spectrograms": {"mel": mel}, "signals": {"sfreq": 256, "l_freq": None}}
    _, warnings = findings_of(flow_of, "bandpower", {}, **settings)
    assert any("models.bandpower.search.bands: trials with classical can fail" in line for line in warnings), warnings


def test_messages_are_one_line(flow_of):
    problems, _ = findings_of(flow_of, "vit", {"fixed": {"width": 10**20}})
    assert len(problems) == 1 and "\n" not in problems[0] and len(problems[0]) < 400


def test_recordings_of_more_seizure_than_background_are_a_warning_if_they_are_the_reference(flow_of, bids):
    write_recording(bids, "sub-01", [(0, 20, "sz")])
    line = "class set 2class: of 1 of "
    for training, n_lines in (({}, 1), ({"normalization": "level"}, 0)):
        _, warnings = findings_of(flow_of, "vit", {}, training=training)
        found = [one for one in warnings if one.startswith(line) and "sub-01" in one]
        assert len(found) == n_lines, warnings
