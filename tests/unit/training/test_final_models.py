"""Final models: which parameter sets they have, for how many epochs they are trained, and on whom."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from eegwf.config.paths import RunPaths
from eegwf.config.training import Training
from eegwf.data.splits import Split, load_window_set, split
from eegwf.storage.files import read_json, write_json, write_table
from eegwf.training.classifier import load_classifier
from eegwf.training.final_models import FinalTask, train_final_models, windows_of_all_patients
from eegwf.training.final_sets import RetrainedSet, choose_final_sets, read_retrained_sets
from eegwf.training.loop import train
from eegwf.training.retrain import RetrainTask, retrain_ranks
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.study import CLASSES, write_study

PARAMETERS = {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1, "lr": 3e-3}


def retrained(fold, rank, lr, value, epochs):
    return RetrainedSet(fold, rank, {"lr": lr}, value, epochs)


def test_sets_are_ordered_by_rank_then_by_their_validation_score():
    found = choose_final_sets(
        [
            retrained(1, 1, 0.1, 0.6, 3),
            retrained(2, 1, 0.2, 0.9, 5),
            retrained(3, 1, 0.3, 0.7, 4),
            retrained(1, 2, 0.4, 0.95, 2),
        ],
        3,
    )
    assert [chosen.parameters["lr"] for chosen in found] == [0.2, 0.3, 0.1]


def test_equal_sets_of_several_folds_are_one_with_the_median_number_of_epochs():
    parts = [retrained(fold, 1, 0.1, value, epochs) for fold, value, epochs in ((1, 0.5, 9), (2, 0.7, 2), (3, 0.6, 4))]
    found = choose_final_sets([*parts, retrained(1, 2, 0.2, 0.4, 1)], 5)
    assert [chosen.parameters["lr"] for chosen in found] == [0.1, 0.2]
    assert (found[0].repeated.fold, found[0].repeated.best_epoch) == (3, 4)
    assert found[0].value == pytest.approx(0.6)


def test_each_set_is_repeated_for_its_seeds():
    ranks = [(1, 0.1), (2, 0.1), (3, 0.2), (4, 0.2)]  # two sets, each with two seeds
    items = [retrained(fold, rank, lr, 0.5, epochs=rank + fold) for fold in (1, 2, 3) for rank, lr in ranks]
    found = choose_final_sets(items, n_best=2, n_seeds=2)
    assert [item.parameters["lr"] for item in found] == [0.1, 0.1, 0.2, 0.2]
    # The lower median of the numbers of epochs 2, 3, 3, 4, 4, 5 of the first set, and 4, 5, 5, 6, 6, 7 of the second.
    assert [item.repeated.best_epoch for item in found] == [3, 3, 5, 5]


def test_the_choice_does_not_depend_on_the_order_of_the_folds():
    items = [retrained(fold, rank, fold + rank / 10, 0.5, fold) for fold in (1, 2, 3) for rank in (1, 2)]
    expected = choose_final_sets(items, 4)
    for order in itertools.islice(itertools.permutations(items), 0, 720, 90):
        assert choose_final_sets(order, 4) == expected


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def window_set(study):
    return load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)


@pytest.mark.parametrize("schedule", ["cosine", "plateau", "constant"])
def test_a_repeated_training_has_the_weights_of_its_model(study, window_set, schedule):
    """On the same windows, with the same seed, the repetition is the training up to its best epoch."""
    torch.set_num_threads(1)
    dataset = SpectrogramDataset([study / "mel.npy"])
    settings = Training(epochs=5, patience=5, batch_size=16, schedule=schedule, plateau_patience=1)
    parts = split(window_set, 1)
    first = train("vit", dataset, parts, PARAMETERS, settings, seed=3)
    nobody = Split(parts.train, parts.train.select(np.zeros(len(parts.train.label), bool)), ())
    repeated = first.history[: first.best_epoch]
    again = train("vit", dataset, nobody, PARAMETERS, settings, seed=3, repeated=repeated)
    assert again.best_epoch == first.best_epoch and np.isnan(again.value)
    assert [record["learning_rate"] for record in again.history] == [record["learning_rate"] for record in repeated]
    assert "validation_loss" not in again.history[0]
    for name, value in first.classifier.state_dict().items():
        assert torch.equal(value, again.classifier.state_dict()[name]), name


def cross_validate(study, window_set, folder, model="vit", parameters=PARAMETERS):
    """Retrain one parameter set in each of three folds, and return the task of the final models."""
    torch.set_num_threads(1)
    run = RunPaths(folder / "vit_mel_3class")
    dataset = SpectrogramDataset([study / "mel.npy"])
    training = Training(epochs=2, patience=2, batch_size=16)
    for fold in (1, 2, 3):
        best = [{"rank": 1, "trial": 0, "value": 0.5, "params": {**parameters, "weight_decay": fold / 100}}]
        write_json(run.fold(fold).best, best)
        task = RetrainTask("vit", model, dataset, window_set, fold, training, None, 1, "cpu", 1, 1, [fold])
        retrain_ranks(task, best, run.fold(fold).retrained, folder / "state")
    return FinalTask("vit", model, dataset, window_set, training, run, [1, 2, 3], 1, "cpu", ["x"])


def test_final_models_are_trained_on_all_patients(study, window_set, tmp_path):
    task = cross_validate(study, window_set, tmp_path)
    sets = choose_final_sets(read_retrained_sets(task.run, [1, 2, 3], [1]), 2)
    train_final_models(task, sets, task.run.final, tmp_path / "state")
    described = [read_json(task.run.final.model(number).model) for number in (1, 2)]
    assert [item["training"]["weight_decay"] for item in described] == [0.01, 0.02]
    assert described[0]["scored"] is False and described[0]["chosen_in"] == [{"fold": 1, "rank": 1}]
    epochs = read_json(task.run.fold(1).rank(1).model)["best_epoch"]
    assert described[0]["epochs"] == epochs == len(pd.read_csv(task.run.final.model(1).history, sep="\t"))
    classifier, _ = load_classifier(task.run.final.model(1).folder)
    # The normalization has the mean of the labeled windows of all patients.
    values = task.dataset.read(window_set.scored().window).double()
    mean = values.mean(dim=(0, 3)).float()
    assert torch.allclose(classifier.normalization.mean[..., 0], mean, atol=1e-5)


def test_final_models_are_pretrained_on_the_windows_of_all_patients(study, window_set, tmp_path, monkeypatch):
    from eegwf.training import pretraining

    read, pretraining_rows = [], pretraining.pretraining_rows

    def note(parts):
        read.append(pretraining_rows(parts))
        return read[-1]

    monkeypatch.setattr(pretraining, "pretraining_rows", note)
    label = window_set.label.copy()
    label[5::9] = -1
    some = replace(window_set, label=label)
    task = cross_validate(study, some, tmp_path, parameters={**PARAMETERS, "pretrain_epochs": 1})
    assert [sorted(rows) for rows in read] == [sorted(some.in_folds(fold).window) for fold in (3, 1, 2)]
    sets = choose_final_sets(read_retrained_sets(task.run, [1, 2, 3], [1]), 1)
    train_final_models(task, sets, task.run.final, tmp_path / "state")
    assert sorted(read[-1]) == sorted(some.window)


def test_calibration_uses_the_validation_predictions_of_all_folds(study, window_set, tmp_path):
    task = cross_validate(study, window_set, tmp_path)
    sets = choose_final_sets(read_retrained_sets(task.run, [1, 2, 3], [1]), 1)
    train_final_models(task, sets, task.run.final, tmp_path / "state")
    found = read_json(task.run.final.model(1).calibration)
    assert found["n_patients"] == 6 and found["n_windows"] == len(window_set.scored().label)
    counts = np.bincount(window_set.scored().label)
    assert found["prior_shift"] == pytest.approx(np.log(counts / counts.sum() * 3).tolist(), abs=1e-8)


def test_a_model_without_gradient_descent_has_final_models_too(study, window_set, tmp_path):
    task = cross_validate(study, window_set, tmp_path, "bandpower", {"C": 0.1})
    sets = choose_final_sets(read_retrained_sets(task.run, [1, 2, 3], [1]), 1)
    train_final_models(task, sets, task.run.final, tmp_path / "state")
    assert read_json(task.run.final.model(1).model)["epochs"] == 1


def test_reserved_patients_are_among_those_of_the_final_models(study, tmp_path):
    folds = pd.read_csv(study / "folds.tsv", sep="\t")
    folds["inner"] = [1, 2, 3, 0, 0, 0]
    folds["fold"] = [0, 0, 0, 1, 2, 3]
    write_table(tmp_path / "folds.tsv", folds)
    parts = [load_window_set(study / "windows.tsv", tmp_path / "folds.tsv", CLASSES, reserved) for reserved in (0, 1)]
    joined = windows_of_all_patients(*parts)
    everything = load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)
    assert joined.window.tolist() == everything.window.tolist()
    assert joined.label.tolist() == everything.label.tolist()
    assert joined.patient.tolist() == everything.patient.tolist()
    assert windows_of_all_patients(parts[0], None) is parts[0]
