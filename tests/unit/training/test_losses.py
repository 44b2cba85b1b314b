"""The loss against its formula, and torch's where torch has it."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from eegwf.training.losses import Loss

TARGET = torch.tensor([0, 2, 1, 2, 0, 0])
LOGITS = 2 * torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
WEIGHTS = torch.tensor([0.5, 1.0, 2.5])


def by_hand(logits, shares, focal=0.0, weights=(1.0, 1.0, 1.0)):
    logits = logits.double().numpy()
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return np.mean(np.sum(-np.asarray(weights) * shares * (1 - p) ** focal * np.log(p), axis=1))


def one_hot(target, smoothing=0.0):
    return np.eye(3)[target] * (1 - smoothing) + smoothing / 3


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_classes_and_of_shares(smoothing):
    loss = Loss(None, smoothing)
    expected = by_hand(LOGITS, one_hot(TARGET, smoothing))
    assert float(loss(LOGITS, TARGET)) == pytest.approx(expected, rel=1e-6)
    assert float(loss(LOGITS, torch.eye(3)[TARGET])) == pytest.approx(expected, rel=1e-6)


def test_class_weights_as_torch_has_them():
    expected = functional.cross_entropy(LOGITS, TARGET, weight=WEIGHTS)
    assert torch.equal(Loss(WEIGHTS)(LOGITS, TARGET), expected)


@pytest.mark.parametrize("focal", [0.5, 2.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_focal_loss(focal, smoothing):
    expected = by_hand(LOGITS, one_hot(TARGET, smoothing), focal, WEIGHTS.numpy())
    assert float(Loss(WEIGHTS, smoothing, focal)(LOGITS, TARGET)) == pytest.approx(expected, rel=1e-6)


def test_focal_loss_forgives_what_is_known_well():
    logits = torch.tensor([[6.0, 0.0], [0.3, 0.0]])
    easy, hard = (Loss(None, 0.0, 2.0)(logits[[row]], torch.tensor([0])) for row in (0, 1))
    plain = [Loss(None)(logits[[row]], torch.tensor([0])) for row in (0, 1)]
    assert easy / plain[0] < 1e-4 < 0.1 < hard / plain[1]


@pytest.mark.parametrize("focal", [0.0, 2.0])
def test_far_logits_stay_finite_in_value_and_gradient(focal):
    logits = torch.tensor([[500.0, -500.0, 0.0], [-500.0, 500.0, 0.0]], requires_grad=True)
    Loss(None, 0.1, focal)(logits, torch.tensor([0, 0])).backward()
    assert torch.isfinite(logits.grad).all()


def test_half_precision_logits_are_scored_in_single():
    assert Loss(None)(LOGITS.bfloat16(), TARGET).dtype == torch.float32


@pytest.mark.parametrize("focal", [0.3, 0.5, 0.9, 1.0, 2.0])
def test_a_window_known_for_certain_has_a_gradient_that_is_a_number(focal):
    logits = torch.tensor([[40.0, -5.0, -5.0], [0.5, 0.1, 0.0]], requires_grad=True)
    Loss(None, 0.0, focal)(logits, torch.tensor([0, 1])).backward()
    assert torch.isfinite(logits.grad).all() and logits.grad[1].abs().max() > 0
