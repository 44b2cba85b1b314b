"""What training promises of every deep model: the best epoch's weights are saved, and the loss is that of logits."""

import pytest
import torch
from safetensors.torch import load_file
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, log_loss

from eegwf.config.training import Training
from eegwf.data.splits import load_cohort, split
from eegwf.models.registry import MODELS
from eegwf.training import loop
from eegwf.training.classifier import predict, save_classifier
from eegwf.training.spectrogram_dataset import Inputs
from eegwf.training.trainer import Trainer
from tests.helpers.small_models import SMALL
from tests.helpers.study import CLASSES, write_study

every_deep_model = pytest.mark.parametrize("name", SMALL)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("study"), per_label=4)
    cohort = load_cohort(folder / "windows.tsv", folder / "folds.tsv", CLASSES)
    return Inputs([folder / "mel.npy"]), split(cohort, 1)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def alike(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def cross_entropy(logits, target):
    return log_loss(target.numpy(), softmax(logits.double().numpy(), axis=1))


def test_every_deep_model_is_here():
    assert {name for name, entry in MODELS.items() if entry.by_steps} | {"convnext"} == set(SMALL)


@every_deep_model
def test_the_weights_of_the_best_epoch_are_saved_and_not_the_last(study, name, monkeypatch, tmp_path):
    weights = []

    class Followed(Trainer):
        def epoch(self, history):
            record = super().epoch(history)
            weights.append({key: value.clone() for key, value in self.classifier.state_dict().items()})
            return record

    monkeypatch.setattr(loop, "Trainer", Followed)
    settings = Training(epochs=40, patience=2, batch_size=8, lr=1e-2)
    trained = loop.train(name, *study, SMALL[name], settings, seed=1)
    scores = [record["balanced_accuracy"] for record in trained.history]
    best = scores.index(max(scores))
    assert best == len(scores) - 3  # two epochs without a better score ended it
    save_classifier(tmp_path, trained.classifier, {})
    saved = load_file(tmp_path / "model.safetensors")
    assert [alike(saved, each) for each in weights] == [number == best for number in range(len(scores))]

    inputs, parts = study
    logits, truth = predict(trained.classifier, inputs, parts.validation.window), parts.validation.label
    assert balanced_accuracy_score(truth, logits.argmax(1)) == pytest.approx(max(scores), abs=1e-6)
    expected = trained.history[best]["validation_loss"]
    assert cross_entropy(logits, torch.from_numpy(truth)) == pytest.approx(expected, rel=1e-4)


@every_deep_model
def test_logits_and_not_probabilities_enter_the_loss(study, name, monkeypatch):
    made, entered = [], []

    class Heard(Trainer):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.network.register_forward_hook(lambda network, x, out: made.append(out.detach().clone()))
            self.loss.register_forward_pre_hook(lambda loss, x: entered.append((made[-1], x[0].detach().clone(), x[1])))

    monkeypatch.setattr(loop, "Trainer", Heard)
    trained = loop.train(name, *study, SMALL[name], Training(epochs=1, batch_size=8), seed=1)
    raw, logits, target = map(torch.cat, zip(*entered, strict=True))
    assert torch.equal(logits, raw)
    assert logits.min() < 0  # nor do they sum to one, as they stand or as logarithms
    assert (logits.sum(dim=1) - 1).abs().max() > 0.1 and logits.logsumexp(dim=1).abs().max() > 0.1
    assert trained.history[0]["train_loss"] == pytest.approx(cross_entropy(logits, target), rel=1e-4)
