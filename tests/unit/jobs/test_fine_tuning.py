"""Jobs of a study that starts from the weights of another one: tuning, retraining, and the control of attribution."""

import numpy as np
import pytest
import torch

from eegwf.attribution.randomization import train_on_permuted_labels
from eegwf.data.splits import load_window_set
from eegwf.errors import InputError
from eegwf.jobs import retrain, select_best, tune
from eegwf.storage.files import read_json, read_table
from eegwf.training.classifier import load_classifier
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.init_source import PARAMETERS, write_init
from tests.helpers.study import (
    CLASSES,
    retrain_settings,
    select_best_settings,
    tune_config,
    tune_settings,
    write_study,
)

NAME = "vit_mel_3class_fold1"
SEARCH = {"lr": {"low": 1e-3, "high": 1e-2, "log": True}, "frozen_fraction": {"choices": [0.5, 1.0]}}
CONFIG = tune_config(space={"fixed": {"heads": 2}, "search": SEARCH})


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


def run_tuning(study, folder, init, config=CONFIG):
    """Tune fold 1; returns the worker's file."""
    files = {"windows": study / "windows.tsv", "folds": study / "folds.tsv", "arrays": [study / "mel.npy"]}
    output = folder / "worker1.json"
    tune.run(tune_settings(config), NAME, 1, 1, "code", **files, state=folder / "state", output=output, init=init)
    return output


@pytest.fixture(scope="module")
def fine_tuned(study, tmp_path_factory):
    """Folder of fold 1 of a study that was tuned and retrained from initial weights, in `init`."""
    folder = tmp_path_factory.mktemp("fine_tuned")
    torch.set_num_threads(1)
    init = write_init(folder / "init").folder
    worker, trials, best = run_tuning(study, folder, init), folder / "trials.tsv", folder / "best.json"
    select_best.run(select_best_settings(CONFIG), [worker], folder / "state", trials, best, folder / "timing.tsv")
    files = {"windows": study / "windows.tsv", "folds": study / "folds.tsv", "arrays": [study / "mel.npy"]}
    retrain.run(
        retrain_settings(CONFIG),
        NAME,
        1,
        "code",
        **files,
        best=best,
        state=folder / "state",
        output=folder / "retrain",
        init=init,
    )
    return folder


def test_settings_of_training_are_tuned_with_the_hyperparameters_of_the_source(fine_tuned):
    trials = read_table(fine_tuned / "trials.tsv")
    assert set(trials["state"]) <= {"complete", "pruned"} and len(trials) == 4
    assert set(trials["param_frozen_fraction"]) == {0.5, 1.0}


@pytest.mark.parametrize("rank", [1, 2])
def test_retrained_models_name_the_source_and_load_without_it(fine_tuned, rank):
    folder = fine_tuned / f"retrain/rank{rank}"
    classifier, described = load_classifier(folder)
    assert described["init"] == {"source": "vit_mel_3class", "sha256": "0" * 64, "head": True}
    assert described["parameters"] == PARAMETERS and "init" not in described["training"]
    source, _ = load_classifier(fine_tuned / "init")
    ours, theirs = classifier.network.state_dict(), source.network.state_dict()
    same = {name for name in ours if torch.equal(ours[name], theirs[name])}
    n_body = len(ours) - 2
    # The frozen half, or everything but the output layer.
    assert len(same) >= int(described["training"]["frozen_fraction"] * n_body)
    assert "transformer.patch_embed.proj.weight" in same and "transformer.head.weight" not in same


def test_other_initial_weights_begin_another_optuna_study(study, fine_tuned, tmp_path):
    same = read_json(run_tuning(study, tmp_path, fine_tuned / "init"))["state"]
    other = read_json(run_tuning(study, tmp_path, write_init(tmp_path / "other", seed=8).folder))["state"]
    new_head = {**CLASSES, "focal": ["sz_foc_a"]}
    head = read_json(run_tuning(study, tmp_path, write_init(tmp_path / "head", new_head).folder))["state"]
    assert same == read_json(fine_tuned / "worker1.json")["state"] and len({same, other, head}) == 3


def test_a_searched_shape_stops_tuning_before_the_first_trial(study, fine_tuned, tmp_path):
    config = tune_config(space={"fixed": {}, "search": SEARCH | {"depth": {"low": 1, "high": 2}}})
    with pytest.raises(InputError, match=r"models\.vit\.search\.depth: 1 or 2 changes the shapes"):
        run_tuning(study, tmp_path, fine_tuned / "init", config)
    assert not list(tmp_path.glob("state/*/journal*"))


def test_label_randomization_of_a_fine_tuned_model_keeps_no_weight_of_the_source(study, fine_tuned):
    described = read_json(fine_tuned / "retrain/rank1/model.json")
    window_set = load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)
    dataset = SpectrogramDataset([study / "mel.npy"])
    trained = train_on_permuted_labels(described, NAME, dataset, window_set, "cpu").network.state_dict()
    source = load_classifier(fine_tuned / "init")[0].network.state_dict()
    matrices = [name for name in trained if trained[name].ndim > 1]
    assert all(not np.allclose(trained[name], source[name]) for name in matrices) and len(matrices) > 4
