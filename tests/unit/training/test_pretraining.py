"""Pretraining: rows that it reads, resumption, effect on the features, and every model."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.models.tensors import head_input, head_tensors, output_layer
from eegwf.storage.files import read_array, read_table, write_array, write_json, write_table
from eegwf.training.batch_loader import BatchLoader
from eegwf.training.checkpoint import read_checkpoint
from eegwf.training.classifier import Classifier, needed_axes
from eegwf.training.concurrency import Concurrency, run_alone
from eegwf.training.contrastive import random_view
from eegwf.training.loop import train, training_turns
from eegwf.training.pretraining import pretraining_rows, pretraining_turns
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Diverged
from tests.helpers.small_models import SMALL
from tests.helpers.study import CLASSES, write_study

SETTINGS = Training(epochs=3, patience=3, batch_size=16, lr=3e-3, pretrain_epochs=3, pretrain_batch_size=20)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study in which every sixth window is a borderline one."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    table = read_table(folder / "windows.tsv", text=("recording", "patient", "label"))
    table.loc[::6, "label"] = ""
    write_table(folder / "windows.tsv", table)
    return folder


@pytest.fixture(scope="module")
def window_set(study):
    return load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)


@pytest.fixture(scope="module")
def dataset(study):
    return SpectrogramDataset([study / "mel.npy"])


def run(dataset, window_set, name="vit", settings=SETTINGS, **options):
    parameters = options.pop("parameters", SMALL.get(name, {}))
    return train(name, dataset, split(window_set, 1), parameters, settings, seed=1, **options)


def weight_bytes(classifier):
    return {name: value.numpy().tobytes() for name, value in classifier.state_dict().items()}


def new_classifier(name, dataset, window_set):
    """A classifier with new weights and its output layer."""
    torch.manual_seed(0)
    shape = {**dataset.shape, "n_outputs": 3}
    axes = needed_axes(name, SMALL[name], dataset)
    classifier = Classifier(name, shape, SMALL[name], "patients", axes)
    rows = split(window_set, 1).train.window
    classifier.normalization.fit(BatchLoader(dataset, rows, "cpu"), rows)
    head = head_tensors(name, shape, SMALL[name], axes)
    return classifier, output_layer(classifier.network, head), head


def pretrain(classifier, layer, dataset, window_set, settings=SETTINGS, **options):
    run_alone(pretraining_turns(classifier, layer, dataset, split(window_set, 1), settings, 1, **options))


def poisoned(study, folder, rows):
    """The dataset with NaN in these rows."""
    values = np.array(read_array(study / "mel.npy"))
    values[rows] = np.nan
    write_array(folder / "mel.npy", values)
    write_json(folder / "mel.json", SpectrogramDataset([study / "mel.npy"]).described[0])
    return SpectrogramDataset([folder / "mel.npy"])


def test_rows_are_those_of_all_windows_of_the_training_folds(window_set):
    parts = split(window_set, 1)
    assert len(parts.unlabeled) and (parts.validation_folds, window_set.n_folds) == ((2,), 3)
    assert pretraining_rows(parts).tolist() == window_set.in_folds(3).window.tolist()


def test_nan_in_validation_and_test_folds_changes_no_pretrained_weight(study, dataset, window_set, tmp_path):
    classifier, layer, _ = new_classifier("eegnet", dataset, window_set)
    pretrain(classifier, layer, dataset, window_set)
    hidden = poisoned(study, tmp_path, window_set.in_folds(1, 2).window)
    again, layer, _ = new_classifier("eegnet", hidden, window_set)
    pretrain(again, layer, hidden, window_set)
    assert weight_bytes(again) == weight_bytes(classifier)
    # In the training function, the first use of NaN is that of the validation.
    checkpoint, epochs = tmp_path / "checkpoint.safetensors", []
    with pytest.raises(Diverged, match="validation"):
        run(hidden, window_set, "eegnet", checkpoint=checkpoint, on_trained_epoch=lambda h: epochs.append(h[-1]))
    assert [record["epoch"] for record in epochs] == [1, 2, 3]
    assert all(np.isfinite(record["contrastive_loss"]) for record in epochs)


def test_borderline_windows_are_used_and_labels_are_not(study, dataset, window_set, tmp_path):
    hidden = poisoned(study, tmp_path, split(window_set, 1).unlabeled[:1])
    with pytest.raises(Diverged, match="the contrastive loss of pretraining epoch 1 is nan"):
        run(hidden, window_set)
    first, layer, _ = new_classifier("vit", dataset, window_set)
    pretrain(first, layer, dataset, window_set)
    second, layer, _ = new_classifier("vit", dataset, window_set)
    pretrain(second, layer, dataset, window_set.permuted(0, 5))
    assert weight_bytes(first) == weight_bytes(second)


@pytest.mark.parametrize("name", SMALL)
def test_pretraining_changes_every_model_but_not_its_output_layer(dataset, window_set, name):
    classifier, layer, head = new_classifier(name, dataset, window_set)
    before = {key: value.clone() for key, value in classifier.state_dict().items()}
    pretrain(classifier, layer, dataset, window_set, SETTINGS.model_copy(update={"pretrain_epochs": 1}))
    state = classifier.state_dict()
    same = {key for key in state if torch.equal(state[key], before[key])}
    kept = {f"network.{key}" for key in head} | {"normalization.mean", "normalization.deviation"}
    assert kept <= same and len(same - kept) <= 0.2 * len(state)
    assert all(value.isfinite().all() for value in state.values())
    assert not layer._forward_pre_hooks


@pytest.mark.parametrize("name", ["lstm", "transformer", "vit", "transcnn", "eegnet"])
def test_features_of_two_views_of_a_window_become_closer_than_those_of_two_windows(dataset, window_set, name):
    classifier, layer, _ = new_classifier(name, dataset, window_set)
    x = classifier.normalization(dataset.read(pretraining_rows(split(window_set, 1))))
    views = [random_view(x), random_view(x)]

    def closeness():
        """Mean cosine similarity of the features of two views of a window, less that of two windows."""
        classifier.eval()
        with torch.no_grad():
            first, second = (head_input(classifier.network, layer, view).flatten(1) for view in views)
        first, second = first - first.mean(dim=0), second - second.mean(dim=0)
        return (cosine_similarity(first, second) - cosine_similarity(first, second.roll(1, 0))).mean().item()

    before, losses = closeness(), []
    settings = SETTINGS.model_copy(update={"pretrain_epochs": 15})
    pretrain(classifier, layer, dataset, window_set, settings, on_epoch=lambda h: losses.append(h[-1]))
    assert closeness() > before
    assert losses[-1]["contrastive_loss"] < losses[0]["contrastive_loss"]


@pytest.mark.parametrize("name", ["vit", "eegnet", "lstm"])
@pytest.mark.parametrize("stop_after", [1, 3, 4])
def test_a_killed_training_resumes_to_the_same_bytes(dataset, window_set, tmp_path, name, stop_after):
    class Stop(Exception):
        pass

    trained = []

    def stop(history):
        trained.append(history[-1])
        if len(trained) == stop_after:
            raise Stop

    whole, path = run(dataset, window_set, name), tmp_path / "trial0.inner1.safetensors"
    with pytest.raises(Stop):
        run(dataset, window_set, name, checkpoint=path, on_trained_epoch=stop)
    assert path.exists() == (stop_after == 4)
    pretrained = read_checkpoint(tmp_path / "trial0.inner1.pretraining.safetensors")
    assert len(pretrained.history) == min(stop_after, 3)
    resumed = run(dataset, window_set, name, checkpoint=path, on_trained_epoch=trained.append)
    assert len(trained) == 3 + 3, "no epoch is trained twice"
    assert resumed.history == whole.history
    assert weight_bytes(resumed.classifier) == weight_bytes(whole.classifier)


def test_concurrent_trainings_give_the_bytes_that_they_give_alone(dataset, window_set, monkeypatch):
    monkeypatch.setattr("eegwf.training.pretraining.STEPS_PER_TURN", 1)
    found, waiting = {}, ["vit", "eegnet"]
    settings = SETTINGS.model_copy(update={"pretrain_batch_size": 5})

    def turns(name):
        parameters = {**SMALL[name], "dropout": 0.3}
        return training_turns(name, dataset, split(window_set, 1), parameters, settings, seed=1)

    def note(name):
        found[name] = yield from turns(name)

    Concurrency("cpu", 2).run(lambda: note(waiting.pop(0)) if waiting else None)
    for name, result in found.items():
        assert weight_bytes(result.classifier) == weight_bytes(run_alone(turns(name)).classifier)
    assert set(found) == {"vit", "eegnet"}


@pytest.mark.parametrize("name", ["vit", "eegnet"])
def test_a_training_with_frozen_layers_keeps_the_pretrained_weights(dataset, window_set, tmp_path, name):
    settings = SETTINGS.model_copy(update={"frozen_fraction": 1.0})
    trained = run(dataset, window_set, name, settings, checkpoint=tmp_path / "c.safetensors")
    pretrained = read_checkpoint(tmp_path / "c.pretraining.safetensors").weights
    state = trained.classifier.network.state_dict()
    changed = {key for key in state if not torch.equal(state[key], pretrained[f"classifier.network.{key}"])}
    _, _, head = new_classifier(name, dataset, window_set)
    statistics = {key for key in state if key.endswith(("running_mean", "running_var", "num_batches_tracked"))}
    assert changed - statistics == head
    # Those of the views are replaced by those of the windows.
    assert {key for key in statistics if "running" in key} <= changed and bool(statistics) == (name == "eegnet")


def test_models_without_gradients_are_not_pretrained(dataset, window_set):
    epochs = []
    with_it = run(dataset, window_set, "bandpower", on_trained_epoch=epochs.append)
    without = run(dataset, window_set, "bandpower", Training())
    assert weight_bytes(with_it.classifier) == weight_bytes(without.classifier) and len(epochs) == 1


def test_settings_of_the_pretraining_are_tunable_and_change_the_weights(dataset, window_set):
    found = {
        str(changes): str(weight_bytes(run(dataset, window_set, parameters={**SMALL["vit"], **changes}).classifier))
        for changes in ({}, {"pretrain_epochs": 0}, {"pretrain_epochs": 2}, {"pretrain_batch_size": 10})
    }
    assert len(set(found.values())) == 4
