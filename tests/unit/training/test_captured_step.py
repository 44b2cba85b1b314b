"""Captured steps as far as they run on the CPU, where they are made without a graph: same bytes, nothing left over."""

import gc
import weakref

import numpy as np
import pytest
import torch

from eegwf.models.registry import build
from eegwf.training.captured_step import CapturedStep, CapturedSteps, capturable
from tests.helpers.study import write_study
from tests.helpers.trainers import trainer_maker

MODELS = {
    "vit": {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1, "dropout": 0.3},
    "eegnet": {"dropout": 0.3},
}
# A learning rate without rounding in single precision, as a graph takes it.
SETTINGS = {
    "lr": 2.0**-9,
    "schedule": "constant",
    "warmup_fraction": 0.0,
    "batch_size": 10,
    "normalization": "patients",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture
def make_trainer(study):
    """Function that makes a trainer with resident windows."""
    return trainer_maker(study, MODELS, resident=True, **SETTINGS)


def tensors(trainer):
    """Copies of weights, statistics of norms, optimizer and random state."""
    found = [value.clone() for value in trainer.classifier.state_dict().values()]
    for state in trainer.optimizer.state.values():
        found += [value.clone() for value in state.values() if torch.is_tensor(value)]
    return [*found, torch.get_rng_state()]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "sgd", "class_balance": "weights"},
        {"optimizer": "adam", "freq_mask": 0.3, "time_mask": 0.3, "time_shift": 0.2, "channel_dropout": 0.2},
        {"mixup_alpha": 0.3, "label_smoothing": 0.1, "focal_gamma": 2.0},
        {"mixstyle_alpha": 0.3, "patient_balance": "sqrt", "swa_epochs": 2},
    ],
    ids=["adamw", "sgd", "masks", "mixup", "mixstyle"],
)
def test_epochs_of_captured_steps_equal_those_of_ordinary_ones(make_trainer, model, changes):
    ordinary, captured = make_trainer(model, **changes), make_trainer(model, **changes)
    captured.captured = CapturedSteps(captured, captured.total_loss)
    histories = []
    for trainer in (ordinary, captured):
        history = []
        for _ in range(3):
            history.append(trainer.epoch(history))
        histories.append(history)
    assert len(captured.captured._steps) == 2, "batches have two sizes"
    for expected, found in zip(tensors(ordinary), tensors(captured), strict=True):
        assert torch.equal(expected, found)
    assert histories[0] == histories[1]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_capture_changes_neither_the_training_nor_the_random_state(make_trainer, model, optimizer):
    trainer = make_trainer(model, optimizer=optimizer)
    before = tensors(trainer)
    CapturedStep(trainer, 10)
    n_weights = len(before) - 1
    after = tensors(trainer)
    assert all(torch.equal(*pair) for pair in zip(before[:-1], after[:n_weights], strict=True))
    assert len(after) > len(before) and all(not value.any() for value in after[n_weights:-1]), "made by the warm-up"
    assert torch.equal(before[-1], after[-1])
    trainer.epoch([])
    before = tensors(trainer)
    CapturedStep(trainer, 7)
    assert all(torch.equal(*pair) for pair in zip(before, tensors(trainer), strict=True))


def test_training_is_freed_without_garbage_collection(make_trainer):
    trainer = make_trainer("vit")
    trainer.captured = CapturedSteps(trainer, trainer.total_loss)
    trainer.captured._steps[10] = CapturedStep(trainer.captured.trainer, 10, trainer.captured.total)
    trainer.captured._steps[10]._replay = None  # of a graph, which does not refer to the step
    classifier = weakref.ref(trainer.classifier)
    gc.disable()
    try:
        del trainer
        assert classifier() is None
    finally:
        gc.enable()


def test_networks_whose_draws_a_graph_would_repeat_are_not_captured():
    shape = {"n_chans": 2, "n_freqs": 8, "n_frames": 8, "n_outputs": 2}
    assert capturable(build("lstm", shape, {"layers": 1, "dropout": 0.2}))
    assert not capturable(build("lstm", shape, {"layers": 2, "dropout": 0.2}))
    assert capturable(build("lstm", shape, {"layers": 2, "dropout": 0.0}))


def test_windows_outside_the_loader_are_refused(make_trainer):
    loader = make_trainer("vit").loader
    with pytest.raises(ValueError, match="row 100000 is not among the rows"):
        loader.positions(np.array([100000]))
