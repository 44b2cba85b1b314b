"""Retraining of the best parameter sets: files of each rank, folds, cost, and resumption after kills."""

import io
import json
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import torch

from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.errors import InputError
from eegwf.jobs import retrain
from eegwf.models.registry import draws_random_numbers
from eegwf.seeds import seed_of
from eegwf.storage.files import read_json, read_table, write_json
from eegwf.training import retrain as module
from eegwf.training.calibration import fit_calibration
from eegwf.training.classifier import predict
from eegwf.training.concurrency import Concurrency
from eegwf.training.loop import train
from eegwf.training.predictions import predictions_table
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.killing import kill_ten_times
from tests.helpers.study import retrain_settings, tune_config, write_study
from tests.helpers.tuning import run_study

NAME = "vit_mel_3class_fold2"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study whose fold 2 is tuned."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    run_study(folder, folder, fold=2)
    return folder


def run_retraining(study, folder, n_best=2, epochs=None, seeds=1):
    write_json(folder / "best.json", read_json(study / "best.json")[:n_best])
    retrain.run(
        settings=retrain_settings(tune_config(), epochs, seeds),
        name=NAME,
        fold=2,
        code="x",
        windows=study / "windows.tsv",
        folds=study / "folds.tsv",
        arrays=[study / "mel.npy"],
        best=folder / "best.json",
        state=folder / "state",
        output=folder / "retrain",
    )
    return contents(folder)


def contents(folder):
    """Contents of all files but the one with durations."""
    files = [path for path in sorted((folder / "retrain").rglob("*")) if path.is_file() and path.name != "timing.tsv"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def uninterrupted(study, tmp_path_factory):
    return run_retraining(study, tmp_path_factory.mktemp("uninterrupted"))


def test_each_rank_has_its_files(study, uninterrupted):
    names = ["calibration.json", "history.tsv", "model.json", "model.safetensors", "test.tsv", "validation.tsv"]
    assert sorted(uninterrupted) == [f"retrain/rank{rank}/{name}" for rank in (1, 2) for name in names]
    assert uninterrupted["retrain/rank1/model.safetensors"] != uninterrupted["retrain/rank2/model.safetensors"]
    description = json.loads(uninterrupted["retrain/rank1/model.json"])
    assert (description["device"], description["precision"]) == ("cpu", "float32")


def test_history_has_the_epochs_of_one_training(study, uninterrupted, tmp_path):
    run_retraining(study, tmp_path)
    for rank in (1, 2):
        history = read_table(tmp_path / f"retrain/rank{rank}/history.tsv")
        assert list(history["epoch"]) == list(range(1, len(history) + 1))
        assert len(history) <= tune_config()["training"]["epochs"]


def test_cost_of_each_rank_is_written(study, tmp_path):
    files = run_retraining(study, tmp_path)
    table = read_table(tmp_path / "retrain/timing.tsv")
    columns = ["rank", "seed", "seconds", "epochs", "windows", "windows_per_second", "device"]
    assert list(table.columns) == [*columns, "cpu_joules", "gpu_joules", "gpu_processes"]
    epochs = [files[f"retrain/rank{rank}/history.tsv"].count(b"\n") - 1 for rank in (1, 2)]
    assert table["rank"].tolist() == [1, 2] and table["epochs"].tolist() == epochs
    assert table["windows"].tolist() == [48 * number for number in epochs]  # two training patients with 24 windows each
    assert (table["seconds"] > 0).all()


def test_validation_and_test_predictions_are_of_their_folds(study, uninterrupted, tmp_path):
    run_retraining(study, tmp_path)
    folds = read_table(study / "folds.tsv", text=("patient",)).set_index("patient")["fold"]
    for name, fold in (("test", 2), ("validation", 3)):
        table = read_table(tmp_path / f"retrain/rank1/{name}.tsv", text=("patient", "label", "predicted"))
        assert set(table["patient"].map(folds)) == {fold} == set(table["fold"])


def test_calibration_is_fitted_to_the_written_validation_predictions(study, uninterrupted, tmp_path):
    run_retraining(study, tmp_path)
    settings = tune_config()
    classes = list(settings["classes"])
    train = split(load_window_set(study / "windows.tsv", study / "folds.tsv", settings["classes"]), 2).train
    for rank in (1, 2):
        table = read_table(tmp_path / f"retrain/rank{rank}/validation.tsv", text=("patient", "label", "predicted"))
        expected = fit_calibration(
            np.array([classes.index(label) if label else -1 for label in table["label"]]),
            table[[f"p_{name}" for name in classes]].to_numpy(),
            table["patient"].to_numpy(object),
            train.label,
            "sampling",
            classes,
        )
        assert read_json(tmp_path / f"retrain/rank{rank}/calibration.json") == expected
        assert expected["n_windows"] > 0


@pytest.mark.kill
def test_retraining_killed_ten_times_gives_the_same_files(study, uninterrupted, tmp_path):
    arguments = (study, tmp_path)
    kill_ten_times(run_retraining, arguments, tmp_path / "state", lambda: contents(tmp_path) == uninterrupted, seed=3)
    assert run_retraining(study, tmp_path) == uninterrupted


def test_ranks_that_are_trained_at_once_have_the_same_files(study, uninterrupted, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "Concurrency", lambda device, _limit: Concurrency(device, 2))
    assert run_retraining(study, tmp_path) == uninterrupted
    assert read_table(tmp_path / "retrain/timing.tsv")["rank"].tolist() == [1, 2]


@pytest.mark.kill
def test_ranks_that_are_trained_at_once_survive_kills(study, uninterrupted, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "Concurrency", lambda device, _limit: Concurrency(device, 2))
    arguments = (study, tmp_path)
    kill_ten_times(run_retraining, arguments, tmp_path / "state", lambda: contents(tmp_path) == uninterrupted, seed=4)
    assert run_retraining(study, tmp_path) == uninterrupted


@pytest.mark.parametrize("needs_all_memory", [False, True])
def test_rank_without_enough_memory_is_trained_again_beside_fewer_others(
    study, uninterrupted, tmp_path, monkeypatch, needs_all_memory
):
    n_started, train = 0, module.training_turns

    def fail(*arguments, **options):
        nonlocal n_started
        n_started += 1
        if n_started == 2 or (needs_all_memory and n_started > 2):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return train(*arguments, **options)

    monkeypatch.setattr(module, "Concurrency", lambda device, _limit: Concurrency(device, 2))
    monkeypatch.setattr(module, "training_turns", fail)
    if needs_all_memory:
        with pytest.raises(InputError, match=r"rank 2 .* can't be retrained: CUDA out of memory; narrow models.vit"):
            run_retraining(study, tmp_path)
    else:
        assert run_retraining(study, tmp_path) == uninterrupted
    assert n_started == 3


def test_rank_that_another_process_trains_is_left_to_the_end(study, uninterrupted, tmp_path, monkeypatch):
    """Two processes that wait for each other's ranks while they hold their own would wait forever."""
    folders, try_lock, waited = [], module.try_lock, []

    def held_at_first(path):
        folders.append(path.parent)
        return None if len(folders) in (2, 4) else try_lock(path)

    @contextmanager
    def wait(folder):
        waited.append(folder)
        yield

    monkeypatch.setattr(module, "Concurrency", lambda device, _limit: Concurrency(device, 2))
    monkeypatch.setattr(module, "try_lock", held_at_first)
    monkeypatch.setattr(module, "exclusive_lock", wait)
    assert run_retraining(study, tmp_path) == uninterrupted
    assert folders[1] == folders[2] and len(set(folders)) == 2
    assert waited in ([], [folders[1]])


def test_added_rank_does_not_retrain_the_others(study, uninterrupted, tmp_path):
    first = run_retraining(study, tmp_path, n_best=1)
    checkpoint = next((tmp_path / "state").glob("*/checkpoint.safetensors"))
    before = checkpoint.stat().st_mtime_ns
    both = run_retraining(study, tmp_path, n_best=2)
    assert checkpoint.stat().st_mtime_ns == before
    assert both == uninterrupted and first.items() <= both.items()


@pytest.fixture(scope="module")
def three_seeds(study, tmp_path_factory):
    """Contents of the files, and the table of costs."""
    folder = tmp_path_factory.mktemp("seeds")
    return run_retraining(study, folder, seeds=3), read_table(folder / "retrain/timing.tsv")


def test_further_seeds_give_other_predictions_and_leave_the_ranks_as_they_are(uninterrupted, three_seeds):
    files, costs = three_seeds
    further = {f"retrain/rank1_seed{seed}/test.tsv" for seed in (2, 3)}
    assert set(files) - set(uninterrupted) == further and uninterrupted.items() <= files.items()
    tests = [files[name] for name in ("retrain/rank1/test.tsv", *sorted(further))]
    assert len(set(tests)) == 3
    columns = ["window", "patient", "recording", "onset", "fold", "label"]
    tables = [pd.read_csv(io.BytesIO(test), sep="\t") for test in tests]
    assert all(table[columns].equals(tables[0][columns]) for table in tables)
    assert costs[["rank", "seed"]].to_numpy().tolist() == [[1, 1], [1, 2], [1, 3], [2, 1]]
    assert (costs["seconds"] > 0).all() and (costs["epochs"] > 0).all()


def test_further_seed_is_the_training_of_rank_1_with_another_seed(study, three_seeds):
    config = tune_config()
    dataset = SpectrogramDataset([study / "mel.npy"])
    window_set = load_window_set(study / "windows.tsv", study / "folds.tsv", config["classes"])
    trained = train(
        "vit",
        dataset,
        split(window_set, 2),
        read_json(study / "best.json")[0]["params"],
        Training.model_validate(config["training"]),
        seed=seed_of(config["seed"], NAME, "retrain", 1, "seed", 3),
    )
    test = window_set.in_folds(2)
    expected = predictions_table(test, predict(trained.classifier, dataset, test.window))
    written = pd.read_csv(io.BytesIO(three_seeds[0]["retrain/rank1_seed3/test.tsv"]), sep="\t")
    probabilities = [f"p_{name}" for name in config["classes"]]
    np.testing.assert_allclose(written[probabilities], expected[probabilities], rtol=1e-8)


def test_added_seeds_repeat_no_training(study, three_seeds, tmp_path):
    run_retraining(study, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "state").glob("*/checkpoint.safetensors")}
    assert run_retraining(study, tmp_path, seeds=3) == three_seeds[0]
    assert all(path.stat().st_mtime_ns == time for path, time in before.items()) and len(before) == 2
    assert len(list((tmp_path / "state").glob("*/checkpoint.safetensors"))) == 4


@pytest.mark.kill
def test_further_seeds_survive_kills(study, three_seeds, tmp_path):
    arguments, expected = (study, tmp_path, 2, None, 3), three_seeds[0]
    kill_ten_times(run_retraining, arguments, tmp_path / "state", lambda: contents(tmp_path) == expected, seed=5)
    assert run_retraining(*arguments) == expected


def test_further_seeds_can_be_trained_at_once(study, three_seeds, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "Concurrency", lambda device, _limit: Concurrency(device, 3))
    assert run_retraining(study, tmp_path, seeds=3) == three_seeds[0]


@pytest.mark.parametrize(
    ("model", "balance", "at_random"),
    [("vit", "sampling", True), ("bandpower", "sampling", False), ("bandpower", "undersampling", True)],
)
def test_models_whose_training_depends_on_the_seed(model, balance, at_random):
    assert draws_random_numbers(model, {}, balance) == at_random


def test_training_function_reproduces_the_value_of_a_trial(study):
    """Tuning and retraining use the same training function."""
    config = tune_config()
    dataset = SpectrogramDataset([study / "mel.npy"])
    window_set = load_window_set(study / "windows.tsv", study / "folds.tsv", config["classes"])
    for entry in read_json(study / "best.json"):
        trained = train(
            "vit",
            dataset,
            split(window_set, 2, 1),
            entry["params"],
            Training.model_validate(config["training"]),
            seed=seed_of(config["seed"], NAME, "trial", entry["trial"], 1),
        )
        assert trained.value == entry["value"]
