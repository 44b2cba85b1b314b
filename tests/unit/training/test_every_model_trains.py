"""Every deep model: the weights of the best epoch are saved, and the loss is computed from logits."""

import pytest
import torch
from safetensors.torch import load_file
from scipy.special import softmax
from sklearn.metrics import balanced_accuracy_score, log_loss

from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.models.registry import MODELS
from eegwf.training import loop
from eegwf.training.classifier import predict, save_classifier
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Trainer
from tests.helpers.small_models import SMALL
from tests.helpers.study import CLASSES, write_study

every_deep_model = pytest.mark.parametrize("name", SMALL)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp("study"), per_label=4)
    window_set = load_window_set(folder / "windows.tsv", folder / "folds.tsv", CLASSES)
    return SpectrogramDataset([folder / "mel.npy"]), split(window_set, 1)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def cross_entropy(logits, target):
    return log_loss(target.numpy(), softmax(logits.double().numpy(), axis=1))


def test_small_models_include_every_deep_model():
    assert {name for name, entry in MODELS.items() if entry.gradient_trained} | {"convnext"} == set(SMALL)


@every_deep_model
def test_weights_of_the_best_epoch_are_saved(study, name, monkeypatch, tmp_path):
    weights = []

    class RecordingTrainer(Trainer):
        def epoch_turns(self, history):
            record = yield from super().epoch_turns(history)
            weights.append({key: value.clone() for key, value in self.classifier.state_dict().items()})
            return record

    monkeypatch.setattr(loop, "Trainer", RecordingTrainer)
    settings = Training(epochs=40, patience=2, batch_size=8, lr=1e-2)
    trained = loop.train(name, *study, SMALL[name], settings, seed=1)
    scores = [record["balanced_accuracy"] for record in trained.history]
    best = scores.index(max(scores))
    assert best == len(scores) - 3  # early stopping after two epochs without a better score
    save_classifier(tmp_path, trained.classifier, {})
    saved = load_file(tmp_path / "model.safetensors")
    saved_epochs = [number for number, epoch_weights in enumerate(weights) if equal(saved, epoch_weights)]
    assert len(weights) == len(scores) and saved_epochs == [best]

    dataset, parts = study
    logits, truth = predict(trained.classifier, dataset, parts.validation.window), parts.validation.label
    assert balanced_accuracy_score(truth, logits.argmax(1)) == pytest.approx(max(scores), abs=1e-6)
    expected = trained.history[best]["validation_loss"]
    assert cross_entropy(logits, torch.from_numpy(truth)) == pytest.approx(expected, rel=1e-4)


@every_deep_model
def test_loss_is_computed_from_logits(study, name, monkeypatch):
    outputs, loss_inputs = [], []

    class HookedTrainer(Trainer):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.network.register_forward_hook(lambda network, x, out: outputs.append(out.detach().clone()))
            self.loss.register_forward_pre_hook(
                lambda loss, x: loss_inputs.append((outputs[-1], x[0].detach().clone(), x[1]))
            )

    monkeypatch.setattr(loop, "Trainer", HookedTrainer)
    trained = loop.train(name, *study, SMALL[name], Training(epochs=1, batch_size=8), seed=1)
    raw, logits, target = map(torch.cat, zip(*loss_inputs, strict=True))
    assert torch.equal(logits, raw)
    # Neither probabilities nor their logarithms, which would sum to 1.
    assert logits.min() < 0
    assert (logits.sum(dim=1) - 1).abs().max() > 0.1 and logits.logsumexp(dim=1).abs().max() > 0.1
    assert trained.history[0]["train_loss"] == pytest.approx(cross_entropy(logits, target), rel=1e-4)
