"""Hyperparameters with which no model can be made are found before the study runs."""

import pytest

from eegwf.checks.study import check_study


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
        ({"width": {"choices": [16, 17]}}, "models.transformer.search.width: trials with 17 would fail: "),
        ({"width": {"choices": [17, 16]}}, "models.transformer: some trials would fail: "),
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
