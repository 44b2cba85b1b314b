"""Learning rate, best epoch and early stopping compared with PyTorch's schedulers and calculated values."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from eegwf.config.training import Training
from eegwf.training.schedule import (
    best_epoch,
    finished,
    learning_rate,
    make_optimizer,
    schedule_epochs,
    score,
    warmup_epochs,
)


def history(*scores, name="balanced_accuracy"):
    return [{"epoch": epoch, name: value} for epoch, value in enumerate(scores, start=1)]


def rates(n_steps, **settings):
    """Learning rates of a training whose schedule extends over all its epochs, of one step each."""
    training = Training(epochs=n_steps, schedule_epochs=n_steps, **settings)
    return [learning_rate(step, 1, training) for step in range(n_steps)]


@pytest.mark.parametrize("n_steps", [1, 2, 17, 200])
def test_cosine_without_warmup_matches_pytorch(n_steps):
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.03)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=n_steps)
    for rate in rates(n_steps, lr=0.03, warmup_fraction=0.0):
        assert rate == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        scheduler.step()


def test_cosine_after_warmup_matches_its_formula():
    measured = rates(10, lr=1.0, warmup_fraction=0.2)
    expected = [1 / 3, 2 / 3, *(0.5 * (1 + math.cos(math.pi * step / 8)) for step in range(8))]
    assert measured == pytest.approx(expected)
    assert measured[2] == 1.0


@given(st.integers(1, 500), st.floats(0, 0.99), st.floats(1e-6, 10))
def test_learning_rate_rises_to_its_peak_and_then_falls(n_steps, warmup_fraction, lr):
    measured = rates(n_steps, lr=lr, warmup_fraction=warmup_fraction)
    peak = measured.index(max(measured))
    assert all(0 < rate <= lr * (1 + 1e-12) for rate in measured)
    rising, falling = measured[: peak + 1], measured[peak:]
    assert rising == sorted(rising) and falling == sorted(falling, reverse=True)
    assert abs(peak - warmup_fraction * n_steps) <= 1


def test_cosine_ends_near_zero():
    assert rates(1000, lr=1.0, warmup_fraction=0.1)[-1] < 1e-5
    assert learning_rate(80, 10, Training(epochs=8, patience=4, lr=1.0)) == pytest.approx(0, abs=1e-12)


def test_cosine_decays_before_early_stopping_ends_a_long_training():
    training = Training(epochs=100, patience=15, lr=1.0, warmup_fraction=0.1)
    measured = [learning_rate(step, 10, training) for step in range(1000)]
    assert measured.index(max(measured)) == 30, "the warm-up takes a tenth of 30 epochs"
    assert measured[150] < 0.7, "a training can't stop before epoch 16"
    assert measured[300:] == [0.01] * 700 and min(measured) > 0
    assert [warmup_epochs(training), schedule_epochs(training)] == [3, 30]
    given = training.model_copy(update={"schedule_epochs": 60})
    assert learning_rate(450, 10, given) == pytest.approx(0.5 * (1 + math.cos(math.pi * (450 - 60) / 540)))


def test_schedule_extends_over_at_most_all_epochs():
    assert schedule_epochs(Training(epochs=8, patience=6)) == 8
    assert schedule_epochs(Training(epochs=8, schedule_epochs=20)) == 8
    assert warmup_epochs(Training(epochs=8, patience=6, warmup_fraction=0.1)) == 1
    assert warmup_epochs(Training(epochs=8, patience=6, warmup_fraction=0.0)) == 0


def test_best_epoch_is_the_first_one_on_a_tie():
    settings = Training(monitor="balanced_accuracy")
    assert best_epoch(history(0.5, 0.7, 0.6, 0.7), settings) == 1
    assert best_epoch(history(0.5), settings) == 0
    loss = Training(monitor="loss")
    assert best_epoch(history(0.9, 0.4, 0.4, 0.5, name="validation_loss"), loss) == 1
    assert best_epoch(history(0.1, 0.9, name="macro_f1"), Training(monitor="macro_f1")) == 1


def test_score_of_a_loss_is_negative():
    assert score({"validation_loss": 0.7}, Training(monitor="loss")) == -0.7
    assert score({"macro_f1": 0.7, "validation_loss": 2.0}, Training(monitor="macro_f1")) == 0.7


def test_patience_counts_epochs_without_a_better_score():
    settings = Training(epochs=50, patience=3)
    scores = [0.5, 0.6, 0.6, 0.55, 0.6]  # the second is the best; an equal score is not better
    assert [finished(history(*scores[:n]), settings) for n in range(6)] == [False] * 5 + [True]
    assert not finished(history(*scores[:4], 0.61), settings)


def test_training_ends_after_the_maximum_number_of_epochs():
    settings = Training(epochs=3, patience=50)
    assert [finished(history(*[0.1 * n for n in range(m)]), settings) for m in range(5)] == [False] * 3 + [True] * 2


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.norm = nn.LayerNorm(3)
        self.pos_embed = nn.Parameter(torch.ones(1, 5, 3))


@pytest.mark.parametrize(
    ("name", "kind"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)]
)
def test_norms_biases_and_position_embeddings_have_no_weight_decay(name, kind):
    network = Network()
    optimizer = make_optimizer(network, Training(optimizer=name, lr=0.25, weight_decay=0.125))
    assert type(optimizer) is kind
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    measured = {name: decay[id(parameter)] for name, parameter in network.named_parameters()}
    without_decay = dict.fromkeys(("linear.bias", "norm.weight", "norm.bias", "pos_embed"), 0.0)
    assert measured == {"linear.weight": 0.125, **without_decay}
    assert {group["lr"] for group in optimizer.param_groups} == {0.25}


def test_each_plateau_halves_the_learning_rate():
    settings = Training(
        schedule="plateau", plateau_patience=2, warmup_fraction=0.0, lr=0.8, monitor="balanced_accuracy"
    )
    scores = [0.5, 0.6, 0.6, 0.55, 0.6, 0.6, 0.7, 0.7, 0.7, 0.7]
    #               best  1     2 (halved) 1  2 (halved) best 1 2 (halved) 1
    history = [{"balanced_accuracy": value} for value in scores]
    rates = [learning_rate(100, 100, settings, history[:number]) for number in range(len(history) + 1)]
    assert rates == [0.8] * 4 + [0.4] * 2 + [0.2] * 3 + [0.1] * 2


def test_constant_schedule_after_the_warmup():
    settings = Training(epochs=10, schedule_epochs=10, schedule="constant", warmup_fraction=0.1, lr=0.5)
    rates = [learning_rate(step, 10, settings) for step in range(100)]
    assert rates[:10] == pytest.approx([0.5 * (step + 1) / 11 for step in range(10)]) and set(rates[10:]) == {0.5}


def test_optimizer_excludes_frozen_weights():
    network = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 2))
    network[0].requires_grad_(False)
    groups = make_optimizer(network, Training()).param_groups
    assert sum(len(group["params"]) for group in groups) == 2
