"""Loss functions compared with their formulas and with torch."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from eegwf.training.losses import Loss

TARGET = torch.tensor([0, 2, 1, 2, 0, 0])
LOGITS = 2 * torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
WEIGHTS = torch.tensor([0.5, 1.0, 2.5])


def reference_loss(logits, proportions, focal_gamma=0.0, weights=(1.0, 1.0, 1.0), divisor=None):
    logits = logits.double().numpy()
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    terms = -np.asarray(weights) * proportions * (1 - p) ** focal_gamma * np.log(p)
    return np.sum(terms) / (len(logits) if divisor is None else divisor)


def one_hot(target, smoothing=0.0):
    return np.eye(3)[target] * (1 - smoothing) + smoothing / 3


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_class_indices_and_proportions(smoothing):
    loss = Loss(None, smoothing)
    expected = reference_loss(LOGITS, one_hot(TARGET, smoothing))
    assert float(loss(LOGITS, TARGET)) == pytest.approx(expected, rel=1e-6)
    assert float(loss(LOGITS, torch.eye(3)[TARGET])) == pytest.approx(expected, rel=1e-6)


def test_class_weights_match_torch():
    expected = functional.cross_entropy(LOGITS, TARGET, weight=WEIGHTS)
    assert torch.equal(Loss(WEIGHTS)(LOGITS, TARGET), expected)


@pytest.mark.parametrize("focal_gamma", [0.5, 2.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_focal_loss_matches_its_formula(focal_gamma, smoothing):
    proportions, weights = one_hot(TARGET, smoothing), WEIGHTS.numpy()
    loss = Loss(WEIGHTS, smoothing, focal_gamma)
    expected = reference_loss(LOGITS, proportions, focal_gamma, weights, divisor=weights[TARGET].sum())
    assert float(loss(LOGITS, TARGET)) == pytest.approx(expected, rel=1e-6)
    expected = reference_loss(LOGITS, proportions, focal_gamma, weights)
    assert float(loss(LOGITS, torch.eye(3)[TARGET])) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("target", [TARGET, torch.eye(3)[TARGET]], ids=["indices", "proportions"])
def test_limit_of_the_focal_loss_at_gamma_0_is_the_cross_entropy(weights, smoothing, target):
    limit, plain = Loss(weights, smoothing, 1e-7)(LOGITS, target), Loss(weights, smoothing)(LOGITS, target)
    assert float(limit) == pytest.approx(float(plain), rel=1e-5)


def test_focal_loss_reduces_the_loss_of_easy_windows():
    logits = torch.tensor([[6.0, 0.0], [0.3, 0.0]])
    easy, hard = (Loss(None, 0.0, 2.0)(logits[[row]], torch.tensor([0])) for row in (0, 1))
    plain = [Loss(None)(logits[[row]], torch.tensor([0])) for row in (0, 1)]
    assert easy / plain[0] < 1e-4 < 0.1 < hard / plain[1]


@pytest.mark.parametrize("focal_gamma", [0.0, 2.0])
def test_gradient_of_extreme_logits_is_finite(focal_gamma):
    logits = torch.tensor([[500.0, -500.0, 0.0], [-500.0, 500.0, 0.0]], requires_grad=True)
    Loss(None, 0.1, focal_gamma)(logits, torch.tensor([0, 0])).backward()
    assert torch.isfinite(logits.grad).all()


def test_half_precision_logits_give_a_float32_loss():
    assert Loss(None)(LOGITS.bfloat16(), TARGET).dtype == torch.float32


@pytest.mark.parametrize("focal_gamma", [0.3, 0.5, 0.9, 1.0, 2.0])
def test_gradient_of_a_certain_prediction_is_finite(focal_gamma):
    logits = torch.tensor([[40.0, -5.0, -5.0], [0.5, 0.1, 0.0]], requires_grad=True)
    Loss(None, 0.0, focal_gamma)(logits, torch.tensor([0, 1])).backward()
    assert torch.isfinite(logits.grad).all() and logits.grad[1].abs().max() > 0
