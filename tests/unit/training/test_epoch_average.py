"""Stochastic weight averaging: the mean by hand, statistics of batch norms, and what a training validates and keeps."""

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score
from torch.nn import functional
from torch.optim.swa_utils import update_bn

from eegwf.config.training import Training
from eegwf.models.eegnet import SpatialFilters
from eegwf.training import epoch_average as module
from eegwf.training.batch_norms import fit_batch_norms
from eegwf.training.classifier import predict
from eegwf.training.epoch_average import EpochAverage
from eegwf.training.loop import train
from tests.helpers.study import write_study
from tests.helpers.trainers import trainer_maker

MODELS = {
    "vit": {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1},
    "eegnet": {"dropout": 0.0},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def make_trainer(study):
    return trainer_maker(study, MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_mean_of_the_last_epochs_is_validated(make_trainer, model):
    trainer = make_trainer(model, swa_epochs=3)
    history, ends = [], []
    for _ in range(5):
        record = trainer.epoch(history)
        history.append(record)
        ends.append({name: value.detach().clone().double() for name, value in trainer.classifier.named_parameters()})
        averaged = dict(trainer.validated_classifier.named_parameters())
        assert averaged.keys() == ends[-1].keys()
        for name, value in averaged.items():
            expected = torch.stack([weights[name] for weights in ends[-3:]]).mean(dim=0)
            torch.testing.assert_close(value.double(), expected, atol=1e-6, rtol=1e-5)
        validation = trainer.split.validation
        predicted = predict(trainer.validated_classifier, trainer.loader.dataset, validation.window).argmax(1)
        found = balanced_accuracy_score(validation.label, predicted)
        assert record["balanced_accuracy"] == pytest.approx(found, abs=1e-6)


def test_averaging_does_not_change_the_training(make_trainer):
    plain, averaged = make_trainer("eegnet"), make_trainer("eegnet", swa_epochs=4)
    for _ in range(3):
        plain.epoch([])
        averaged.epoch([])
    for name, value in plain.classifier.state_dict().items():
        assert torch.equal(value, averaged.classifier.state_dict()[name])


def statistics_of_torch(block, padded, n_frames):
    """Statistics of the first block of EEGNet, by torch's batch norm of the output of the temporal filters."""
    output = functional.conv1d(padded.flatten(0, 1)[:, None], block.temporal[:, None])
    assert output.shape[2] == n_frames
    block.norm(output)
    return output.mean(dim=(0, 2)), output.var(dim=(0, 2), correction=0)


def test_statistics_of_batch_norms_equal_those_of_torch(make_trainer, monkeypatch):
    monkeypatch.setattr(module, "chunk_size", lambda dataset: 20)  # three parts of the 48 training windows
    trainer = make_trainer("eegnet", swa_epochs=2)
    for number in range(2):
        trainer.epoch([{}] * number)
    network, rows = trainer.validated_classifier, np.sort(trainer.split.train.window)
    found = {name: value.clone() for name, value in network.named_buffers()}
    monkeypatch.setattr(SpatialFilters, "_statistics", statistics_of_torch)
    # In parts as here, and without dropout, so that the training mode is that of the norms alone.
    update_bn([trainer.loader.dataset.read(part) for part in np.array_split(rows, 3)], network)
    for name, value in network.named_buffers():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)
    current = dict(trainer.classifier.named_buffers())
    assert any(not torch.allclose(found[name], current[name], rtol=0.01) for name in found if "running" in name)


def test_mean_of_equal_weights_is_exact(make_trainer):
    """Frozen weights and the normalization keep their bytes."""
    trainer = make_trainer("vit")
    average = EpochAverage(trainer.classifier, 7)
    for _ in range(9):
        average.update(trainer.loader, trainer.split.train.window)
    for name, value in trainer.classifier.state_dict().items():
        assert torch.equal(average.classifier.state_dict()[name], value)
    assert len(average.recent) == 7


def test_frozen_batch_norms_keep_their_statistics(make_trainer):
    trainer = make_trainer("eegnet")
    classifier = trainer.classifier.eval()
    norms = [module for module in classifier.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    classifier.frozen_norms = norms[:1]
    before = [norm.running_mean.clone() for norm in norms]
    momentum = [norm.momentum for norm in norms]
    fit_batch_norms(classifier, trainer.loader.stream([trainer.split.train.window]))
    equal = [torch.equal(norm.running_mean, value) for norm, value in zip(norms, before, strict=True)]
    assert equal == [True, *[False] * (len(norms) - 1)]
    assert [norm.momentum for norm in norms] == momentum and not any(norm.training for norm in norms)


def test_resumed_training_has_the_same_averages(make_trainer, tmp_path):
    trainer = make_trainer("eegnet")
    settings = Training(swa_epochs=3, epochs=5, patience=5)

    def run(**options):
        return train("eegnet", trainer.loader.dataset, trainer.split, {}, settings, seed=1, **options)

    def stop(history):
        if len(history) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=tmp_path / "checkpoint.safetensors", on_epoch=stop)
    resumed, whole = run(checkpoint=tmp_path / "checkpoint.safetensors"), run()
    assert resumed.history == whole.history and len(whole.history) == 5
    for name, value in whole.classifier.state_dict().items():
        assert torch.equal(resumed.classifier.state_dict()[name], value)


@pytest.mark.parametrize("swa_epochs", [0, 1])
def test_one_epoch_is_no_average(make_trainer, swa_epochs):
    trainer = make_trainer("vit", swa_epochs=swa_epochs)
    assert trainer.epoch_average is None and trainer.validated_classifier is trainer.classifier


def test_two_averages_are_refused():
    with pytest.raises(ValueError, match=r"swa_epochs 5 and ema_decay 0\.9 both average the weights"):
        Training(swa_epochs=5, ema_decay=0.9)
