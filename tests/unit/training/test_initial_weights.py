"""Fine-tuning: which weights a training starts from, which of them stay, and which studies are refused."""

import numpy as np
import pytest
import torch

from eegwf.config.training import Training
from eegwf.config.tuning import Model
from eegwf.data.splits import load_window_set, split
from eegwf.errors import InputError
from eegwf.models.tensors import head_tensors
from eegwf.storage.files import read_json, write_json
from eegwf.training.classifier import Classifier
from eegwf.training.freezing import freeze_first
from eegwf.training.initial_weights import InitialWeights
from eegwf.training.loop import train
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Trainer
from tests.helpers.init_source import CLASSES, PARAMETERS, SHAPE, write_init
from tests.helpers.small_models import AXES, SMALL, every_model, small_parameters
from tests.helpers.study import write_study

SETTINGS = Training(epochs=2, patience=2, batch_size=16)
OTHER_CLASSES = {"background": ["bckg"], "seizure": ["sz"]}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def dataset(study):
    return SpectrogramDataset([study / "mel.npy"])


def initial(folder, classes=CLASSES, **changes) -> InitialWeights:
    """Initial weights for a study of three classes."""
    return InitialWeights.read(write_init(folder, classes, **changes), CLASSES)


def new_classifier(model="vit", parameters=PARAMETERS, shape=SHAPE, axes=None, seed=1):
    torch.manual_seed(seed)
    return Classifier(model, shape, parameters, "patients", axes)


def equal_tensors(first, second) -> set[str]:
    """Names of the tensors that two states have in common."""
    assert set(first) == set(second)
    return {name for name in first if torch.equal(first[name], second[name])}


@every_model
def test_all_weights_but_those_of_the_head_are_those_of_the_source(tmp_path, name, layout):
    parameters = small_parameters(name, layout=layout)
    shape = {"n_chans": 3, "n_freqs": 12, "n_frames": 16, "n_outputs": 3}
    options = {"model": name, "parameters": parameters, "axes": AXES}
    head = head_tensors(name, shape, parameters, AXES)
    for classes, kept in ((CLASSES, True), (OTHER_CLASSES, False)):
        weights = initial(tmp_path / str(kept), classes, shape=shape | {"n_outputs": len(classes)}, **options)
        assert weights.keeps_head == kept
        classifier = new_classifier(shape=shape, **options)
        before = {key: value.clone() for key, value in classifier.state_dict().items()}
        weights.load_into(classifier)
        state = classifier.network.state_dict()
        assert {key for key in state if not torch.equal(state[key], weights.weights[key])} == (set() if kept else head)
        if not kept:
            assert all(torch.equal(state[key], before[f"network.{key}"]) for key in head)
        assert torch.equal(classifier.normalization.mean, before["normalization.mean"]), "of the new patients"


def test_equal_names_of_classes_with_other_event_types_get_a_new_head(tmp_path):
    paths = write_init(tmp_path)
    assert InitialWeights.read(paths, CLASSES).keeps_head
    assert not InitialWeights.read(paths, {**CLASSES, "focal": ["sz_foc_a"]}).keeps_head
    assert not InitialWeights.read(paths, dict(reversed(CLASSES.items()))).keeps_head


def test_a_training_starts_from_the_source_and_takes_its_hyperparameters(tmp_path, study, dataset):
    parts = split(load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES), 1)
    weights = initial(tmp_path)
    slow = Training(epochs=1, patience=1, batch_size=16, lr=1e-30, weight_decay=0.0)
    result = train("vit", dataset, parts, {"dropout": 0.0}, slow, seed=1, initial=weights)
    state = result.classifier.network.state_dict()
    assert set(state) == set(weights.weights)
    assert all(torch.allclose(state[name], weights.weights[name], rtol=0, atol=1e-20) for name in state)
    expected = dataset.read(parts.train.window).double().mean(dim=(0, 3))
    assert torch.allclose(result.classifier.normalization.mean[:, :, 0].double(), expected, atol=1e-5)
    other = train("vit", dataset, parts, {**PARAMETERS, "dropout": 0.0}, slow, seed=1)
    assert equal_tensors(other.classifier.network.state_dict(), weights.weights) != set(state)


def test_training_from_a_source_is_reproducible_and_resumes_to_the_same_bytes(tmp_path, study, dataset):
    parts = split(load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES), 1)
    weights = initial(tmp_path, OTHER_CLASSES)
    parameters = {"frozen_fraction": 0.5, "ema_decay": 0.9}

    def run(checkpoint=None, epochs=4, weights=weights):
        settings = Training(epochs=epochs, patience=4, schedule_epochs=2, batch_size=16)
        found = train("vit", dataset, parts, parameters, settings, seed=1, initial=weights, checkpoint=checkpoint)
        return {name: value.numpy().tobytes() for name, value in found.classifier.state_dict().items()}

    once = run()
    assert run() == once
    checkpoint = tmp_path / "checkpoint.safetensors"
    run(checkpoint, epochs=2)
    # Other weights are not loaded into a training that has begun.
    assert run(checkpoint, weights=initial(tmp_path / "other", OTHER_CLASSES, seed=8)) == once


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("fraction", [0.5, 1.0])
def test_frozen_tensors_stay_and_all_others_change(tmp_path, study, dataset, name, fraction):
    parts = split(load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES), 1)
    parameters, axes = small_parameters(name), {"sfreq": 8.0, "freqs": None}
    shape = {**dataset.shape, "n_outputs": 3}
    classifier = new_classifier(name, parameters, shape, axes)
    head = head_tensors(name, shape, parameters, axes)
    freeze_first(classifier, fraction, shape, head)
    free = {key for key, value in classifier.network.named_parameters() if value.requires_grad}
    n_body = len(dict(classifier.network.named_parameters())) - len(head)
    assert len(free) == n_body - int(fraction * n_body) + len(head) and head <= free
    before = {key: value.clone() for key, value in classifier.network.state_dict().items()}
    loader = train_loader(dataset, parts)
    Trainer(classifier, loader, parts, SETTINGS, seed=1).epoch([])
    state = classifier.network.state_dict()
    same = equal_tensors(before, state)
    frozen = {key for key, _ in classifier.network.named_parameters()} - free
    assert frozen <= same and not head & same
    # What is free and stays has no gradient, such as the bias before a norm; it has none without frozen layers either.
    assert len(same & free) <= 0.2 * len(free)
    for key in state:
        if key.endswith("running_mean"):
            norm = key.removesuffix("running_mean")
            assert (key in same) == ({f"{norm}weight", f"{norm}bias"} <= frozen), (
                "statistics of frozen norms stay, others change"
            )


def train_loader(dataset, parts):
    from eegwf.training.batch_loader import shared_batch_loader

    return shared_batch_loader(dataset, np.concatenate([parts.train.window, parts.validation.window]), "cpu")


def test_frozen_norms_stay_in_evaluation_mode():
    shape = {"n_chans": 3, "n_freqs": 10, "n_frames": 12, "n_outputs": 3}
    classifier = new_classifier("eegnet", {}, shape, {"sfreq": 8.0, "freqs": None})
    freeze_first(classifier, 1.0, shape, {"head.weight", "head.bias"})
    assert len(classifier.frozen_norms) == 3
    classifier.eval().train()
    assert classifier.network.training and not any(norm.training for norm in classifier.frozen_norms)


def test_random_weights_are_not_frozen(study, dataset):
    parts = split(load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES), 1)
    with pytest.raises(ValueError, match=r"training\.frozen_fraction: the weights are random; set training\.init"):
        train("vit", dataset, parts, {**PARAMETERS, "frozen_fraction": 0.5}, SETTINGS, seed=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "swin"}, "has the model swin, this study has vit"),
        ({"arrays": ["cwt"]}, r"has the spectrograms \['cwt'\], this study has \['mel'\]"),
        ({"shape": {**SHAPE, "n_frames": 24}}, r"has the shape of the input .*'n_frames': 24}, this .*'n_frames': 12}"),
        ({"normalization": "window"}, "has the training.normalization window, this study has patients"),
    ],
    ids=["model", "spectrogram", "shape", "normalization"],
)
def test_a_source_of_another_kind_is_refused_with_both_values(tmp_path, dataset, changes, message):
    written = {"normalization": "patients"} if "model" in changes else changes
    paths = write_init(tmp_path, **written)
    write_json(paths.model, {**read_json(paths.model), **changes})
    with pytest.raises(InputError, match=rf"training\.init: vit_mel_3class {message}"):
        InitialWeights.read(paths, CLASSES).check("vit", Model(), dataset, SETTINGS)


def test_every_choice_of_the_normalization_must_be_that_of_the_source(tmp_path, dataset):
    weights = InitialWeights.read(write_init(tmp_path), CLASSES)
    for space in (
        {"fixed": {"normalization": "level"}},
        {"search": {"normalization": {"choices": ["patients", "level"]}}},
    ):
        with pytest.raises(
            InputError, match=r"normalization patients, this study has level \(models\.vit\.(fixed|search)"
        ):
            weights.check("vit", Model.model_validate(space), dataset, SETTINGS)
    weights.check("vit", Model(search={"input_clip": {"low": 3.0, "high": 9.0}}), dataset, SETTINGS)


def test_a_closed_form_model_has_no_initial_weights(tmp_path, dataset):
    with pytest.raises(InputError, match=r"training\.init: bandpower is not trained by gradient descent"):
        initial(tmp_path).check("bandpower", Model(), dataset, SETTINGS)


def test_searched_settings_may_not_change_shapes(tmp_path, dataset):
    weights = initial(tmp_path)
    free = {
        "dropout": {"low": 0, "high": 0.5},
        "lr": {"low": 1e-4, "high": 1e-2},
        "frozen_fraction": {"choices": [0, 1]},
    }
    weights.check("vit", Model.model_validate({"search": free, "fixed": {"width": 16}}), dataset, SETTINGS)
    space = Model.model_validate({"search": free | {"depth": {"low": 1, "high": 2}}})
    with pytest.raises(InputError, match=r"models\.vit\.search\.depth: 1 or 2 changes the shapes .* has 1; remove it"):
        weights.check("vit", space, dataset, SETTINGS)
    with pytest.raises(ValueError, match=r"is \(.*\) in vit_mel_3class and \(.*\) here"):
        weights.load_into(new_classifier(parameters=PARAMETERS | {"width": 32}))


def test_unreadable_weights_are_refused(tmp_path):
    paths = write_init(tmp_path)
    paths.weights.write_bytes(b"x")
    with pytest.raises(InputError, match="no weights"):
        InitialWeights.read(paths, CLASSES)
