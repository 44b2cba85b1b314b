"""Random weights and permuted labels: which weights change, finite outputs, and maps that are no longer similar."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from scipy.stats import spearmanr
from torch import nn

from eegwf.attribution.cells import make_cells
from eegwf.attribution.randomization import MAX_STAGES, _permuted, cascade, n_stages, train_on_permuted_labels
from eegwf.attribution.target import contrast
from eegwf.config.fold_paths import RetrainPaths
from eegwf.config.training import Training
from eegwf.data.splits import WindowSet, load_window_set, split
from eegwf.seeds import seed_of
from eegwf.training.classifier import Classifier, load_classifier, predict
from eegwf.training.loop import train
from eegwf.training.retrain import RetrainTask, retrain_ranks
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.small_models import AXES, SMALL
from tests.helpers.study import CLASSES, write_study

SHAPE = {"n_chans": 3, "n_freqs": 12, "n_frames": 16, "n_outputs": 3}
SETTINGS = Training(epochs=20, patience=20, batch_size=16, lr=5e-3, normalization="window")
VIT = {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1}
BANDPOWER_AXES = {"sfreq": 8.0, "freqs": np.linspace(1, 40, 12).tolist()}
CLASSICAL = {"bandpower": {}, "boosting": {"n_iterations": 10}}
MODELS = {**SMALL, **CLASSICAL}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def random_windows(n):
    return torch.randn(n, 3, 12, 16, generator=torch.Generator().manual_seed(0)) * 5 + 3


def described(model):
    parameters = MODELS[model] | ({"pretrained": True} if model == "convnext" else {})
    return {"model": model, "shape": SHAPE, "parameters": parameters, "axes": AXES | BANDPOWER_AXES}


def trained(model):
    """A classifier with other weights and statistics than new ones."""
    torch.manual_seed(7)
    classifier = Classifier(model, SHAPE, MODELS[model], "patients", AXES | BANDPOWER_AXES)
    classifier.train()
    with torch.no_grad():
        for _ in range(20):
            classifier(random_windows(16))
        for weight in classifier.parameters():
            weight.mul_(1.1).add_(0.01)
        if model == "bandpower":
            classifier.network.mean.fill_(2.0)
            classifier.network.deviation.fill_(3.0)
        if model == "boosting":
            features = classifier.network.features(random_windows(120)).numpy()
            classifier.network.fit(features, np.arange(120) % 3, None)
    return classifier.eval()


def state_of(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


@pytest.mark.parametrize("model", MODELS)
def test_weights_are_drawn_anew_from_the_output_to_the_input(model):
    classifier, inputs = trained(model), random_windows(16)
    before = state_of(classifier)
    names = [name for name, _ in classifier.named_parameters()]
    stages = list(cascade(classifier, described(model), inputs, 1))
    assert len(stages) == n_stages(classifier.network) == (1 if model in CLASSICAL else MAX_STAGES)
    former: set[str] = set()
    for one in stages:
        weights = dict(one.named_parameters())
        changed = {name for name in names if not torch.equal(weights[name], before[name])}
        assert former < changed
        former = changed
    assert former == set(names)
    first = {name for name in names if not torch.equal(dict(stages[0].named_parameters())[name], before[name])}
    assert any("head" in name for name in first)
    if len(stages) > 1:  # stages have about equal numbers of modules
        modules = {name.rpartition(".")[0] for name in names}
        assert len({name.rpartition(".")[0] for name in first}) == pytest.approx(len(modules) / MAX_STAGES, abs=1)
    assert all(torch.equal(value, before[name]) for name, value in classifier.state_dict().items())


@pytest.mark.parametrize("model", [model for model in MODELS if model != "boosting"])
def test_outputs_are_finite_and_depend_on_the_window(model):
    inputs = random_windows(16)
    last = None
    for one in cascade(trained(model), described(model), inputs, 1):
        assert not any(module.training for module in one.modules())
        x = inputs.clone().requires_grad_()
        logits = one(x)
        assert logits.isfinite().all() and logits.abs().max() < 1e3
        (gradient,) = torch.autograd.grad(contrast(logits, torch.zeros(16, dtype=torch.int64)).sum(), x)
        assert gradient.isfinite().all() and (gradient.abs().amax(dim=(1, 2, 3)) > 1e-12).all()
        last = one
    again = list(cascade(trained(model), described(model), inputs, 1))[-1]
    other = list(cascade(trained(model), described(model), inputs, 2))[-1]
    with torch.no_grad():
        assert torch.equal(again(inputs), last(inputs)) and not torch.allclose(other(inputs), last(inputs))


def test_the_leaves_of_trees_have_new_values():
    classifier, inputs = trained("boosting"), random_windows(16)
    first, second = (next(cascade(classifier, described("boosting"), inputs, seed))(inputs) for seed in (1, 2))
    assert first.std(dim=0).min() > 1e-3 and not torch.allclose(first, second)


@pytest.mark.parametrize("model", [*CLASSICAL, "vit"])
def test_normalization_and_standardization_stay(model):
    classifier = trained(model)
    if model == "vit":
        classifier.normalization.mean.fill_(4.0)
    last = list(cascade(classifier, described(model), random_windows(4), 1))[-1]
    kept, buffers = dict(classifier.named_buffers()), dict(last.named_buffers())
    assert kept.keys() == buffers.keys() and kept
    assert all(torch.equal(buffers[name], value) for name, value in kept.items())


@pytest.mark.parametrize("model", ["eegnet", "inception"])
def test_batch_norms_after_new_weights_have_the_statistics_of_the_windows(model):
    inputs, classifier = random_windows(16), trained(model)
    last = list(cascade(classifier, described(model), inputs, 1))[-1]
    norms = {name: module for name, module in last.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert norms
    outputs = {}
    for name, norm in norms.items():
        norm.register_forward_hook(lambda module, x, y, name=name: outputs.update({name: x[0]}))
    with torch.no_grad():
        last(inputs)
    for name, norm in norms.items():
        mean, variance = outputs[name].mean(dim=(0, 2, 3)), outputs[name].var(dim=(0, 2, 3))
        # The batch norms before it divide by the biased variance in training mode.
        torch.testing.assert_close(norm.running_mean, mean, rtol=0.02, atol=0.002)
        torch.testing.assert_close(norm.running_var, variance, rtol=0.02, atol=1e-6)
        former = dict(classifier.named_modules())[name]
        assert ((former.running_var - variance).abs() > 0.05 * variance).float().mean() > 0.5
        assert norm.momentum == former.momentum


def test_batch_norms_before_the_new_weights_keep_their_statistics():
    classifier = trained("eegnet")
    first = next(cascade(classifier, described("eegnet"), random_windows(16), 1))
    assert torch.equal(first.network.first.norm.running_mean, classifier.network.first.norm.running_mean)
    assert torch.equal(first.network.norm.running_var, classifier.network.norm.running_var)
    assert not torch.equal(first.network.separable[2].running_var, classifier.network.separable[2].running_var)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"), per_label=16, channels=[1])


@pytest.fixture(scope="module")
def dataset(study):
    return SpectrogramDataset([study / "mel.npy"])


@pytest.fixture(scope="module")
def window_set(study):
    return load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)


@pytest.fixture(scope="module")
def planted(dataset, window_set):
    """A small ViT that has learned the channel in which the classes differ."""
    torch.set_num_threads(1)
    return trained_vit(dataset, window_set, 1)


def trained_vit(dataset, window_set, seed):
    return train("vit", dataset, split(window_set, 1), VIT, SETTINGS, seed=seed).classifier


def cell_values(classifier, dataset, rows):
    """Absolute gradient of the contrast of the predicted class, as mean over the windows in each cell."""
    x = dataset.read(rows).requires_grad_()
    logits = classifier(x)
    (gradient,) = torch.autograd.grad(contrast(logits, logits.argmax(dim=1)).sum(), x)
    return make_cells(dataset.described, 1.0).mean(gradient.abs()).flatten(1)


def similarity(first, second):
    return float(np.mean([spearmanr(a, b).statistic for a, b in zip(first, second, strict=True)]))


def test_maps_of_a_network_with_random_weights_are_not_similar(planted, dataset, window_set):
    rows = window_set.in_folds(1).window[:30]
    description = {"model": "vit", "shape": {**dataset.shape, "n_outputs": 3}, "parameters": VIT}
    maps = cell_values(planted, dataset, rows)
    per_seed = [
        [
            similarity(maps, cell_values(one, dataset, rows))
            for one in cascade(planted, description, dataset.read(rows), seed)
        ]
        for seed in range(3)
    ]
    assert all(values[-1] < 0.3 for values in per_seed)
    # Training, and not the architecture, decides the maps.
    assert similarity(maps, cell_values(trained_vit(dataset, window_set, 2), dataset, rows)) > 0.4


def test_a_model_trained_on_permuted_labels_has_not_learned_the_classes(planted, dataset, window_set):
    description = {
        "model": "vit",
        "parameters": VIT,
        "training": SETTINGS.model_dump(mode="json"),
        "seed": 3,
        "fold": 1,
        "rank": 1,
    }
    other = train_on_permuted_labels(description, "vit_mel_3class_fold1", dataset, window_set, "cpu")
    assert not other.training
    test = window_set.in_folds(1)
    accuracy = [(predict(one, dataset, test.window).argmax(1).numpy() == test.label).mean() for one in (planted, other)]
    assert accuracy[0] > 0.5 and accuracy[1] < 0.4  # chance: a third
    rows = test.window[:30]
    assert similarity(cell_values(planted, dataset, rows), cell_values(other, dataset, rows)) < 0.3


@pytest.mark.parametrize(
    ("model", "parameters"), [("vit", {**VIT, "lr": 5e-3, "label_smoothing": 0.1}), ("bandpower", {"C": 0.1})]
)
def test_training_is_that_of_the_rank_but_for_the_labels(model, parameters, dataset, window_set, tmp_path):
    """Retraining on the permuted windows gives the same weights, and that on the true windows others."""
    permuted = window_set.permuted(2, seed_of(3, "label randomization"))
    assert (permuted.label != window_set.label)[window_set.fold != 2].mean() > 0.5
    for name, windows in (("true", window_set), ("permuted", permuted)):
        task = RetrainTask(
            name="name_fold2",
            model=model,
            dataset=dataset,
            window_set=windows,
            test_fold=2,
            training=Training(epochs=5, batch_size=16),
            epochs=3,
            seed=3,
            device="cpu",
            n_seeds=1,
            at_once=1,
            identity=[name],
        )
        best = [{"rank": 1, "trial": 0, "value": 0.5, "params": parameters}]
        retrain_ranks(task, best, RetrainPaths(tmp_path / name), tmp_path / "state")
    description = load_classifier(tmp_path / "true" / "rank1")[1]
    assert len(pd.read_csv(tmp_path / "true" / "rank1" / "history.tsv", sep="\t")) == (3 if model == "vit" else 1)
    found = train_on_permuted_labels(description, "name_fold2", dataset, window_set, "cpu").state_dict()
    saved = {name: load_file(tmp_path / name / "rank1" / "model.safetensors") for name in ("true", "permuted")}
    assert all(torch.equal(found[name], value) for name, value in saved["permuted"].items())
    assert not all(torch.equal(found[name], value) for name, value in saved["true"].items())


def test_permuted_windows_of_a_rare_class_can_all_come_into_the_validation_fold():
    """The fold after the test fold is always a validation fold; the permutation then stays within both sets."""
    n = 12
    fold = np.repeat([1, 2, 3], n // 3)
    label = np.zeros(n, dtype=int)
    label[[0, 4, 8]] = 1
    names = np.array([f"sub-{number}" for number in fold], dtype=object)
    windows = WindowSet(("background", "seizure"), np.arange(n), label, fold, names, names, np.zeros(n), 3)
    for seed in range(20):
        parts = _permuted(windows, 1, seed)
        assert [sorted(part.fold) for part in (parts.train, parts.validation)] == [[3] * 4, [2] * 4]
        assert parts.train.label.sum() >= 1
