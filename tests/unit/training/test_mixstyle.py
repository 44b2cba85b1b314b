"""MixStyle: mixed statistics compared with numpy, and the choice of the windows that are mixed."""

import numpy as np
import pytest
import torch

from eegwf.training.mixstyle import PROBABILITY, draw_partners, mix_styles, with_mixed_statistics

SHAPE = (48, 3, 5, 40)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def batch():
    """Windows with levels and scales of their own, their classes, and their patients."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=SHAPE) * rng.uniform(0.5, 3, SHAPE[:3])[..., None] + rng.normal(0, 2, SHAPE[:3])[..., None]
    return torch.tensor(x, dtype=torch.float32), torch.arange(48) % 3, torch.arange(48) // 12


def reference(x, partner, weight):
    """Equations 3 to 6 of the paper, for the statistics over the frames, in double precision."""
    x = x.numpy().astype(float)
    mu, sigma = x.mean(axis=3, keepdims=True), x.std(axis=3, keepdims=True)
    lam = weight.numpy().astype(float)[:, None, None, None]
    gamma = lam * sigma + (1 - lam) * sigma[partner.numpy()]
    beta = lam * mu + (1 - lam) * mu[partner.numpy()]
    return gamma * (x - mu) / sigma + beta


def test_mixed_statistics_equal_those_of_the_paper(batch):
    x, *_ = batch
    partner, weight = torch.randperm(len(x)), torch.rand(len(x))
    np.testing.assert_allclose(with_mixed_statistics(x, partner, weight), reference(x, partner, weight), atol=2e-5)


def test_weight_0_gives_the_statistics_of_the_other_window_and_weight_1_the_window(batch):
    x, *_ = batch
    partner = torch.arange(len(x)).roll(1)
    other = with_mixed_statistics(x, partner, torch.zeros(len(x)))
    np.testing.assert_allclose(other.mean(dim=3), x[partner].mean(dim=3), atol=1e-5)
    np.testing.assert_allclose(other.std(dim=3), x[partner].std(dim=3), rtol=1e-4)
    np.testing.assert_allclose(with_mixed_statistics(x, partner, torch.ones(len(x))), x, atol=1e-5)


def test_result_does_not_depend_on_an_affine_normalization(batch):
    x, *_ = batch
    partner, weight = torch.randperm(len(x)), torch.rand(len(x))
    mean, deviation = torch.randn(SHAPE[1:3])[..., None], torch.rand(SHAPE[1:3])[..., None] + 0.5
    found = with_mixed_statistics((x - mean) / deviation, partner, weight) * deviation + mean
    torch.testing.assert_close(found, with_mixed_statistics(x, partner, weight), atol=1e-4, rtol=0)


def test_partner_is_of_another_patient_and_the_same_class(batch):
    _, target, patient = batch
    drawn = torch.stack([draw_partners(target, patient)[0] for _ in range(300)])
    assert torch.equal(target[drawn], target.expand_as(drawn)) and (patient[drawn] != patient).all()
    # Each of the 12 windows that fit is drawn: one of them is missing in 300 draws with probability 12 * 5e-12.
    assert all(len(column.unique()) == 12 for column in drawn.T)


def test_windows_without_a_partner_are_not_changed(batch):
    x, *_ = batch
    target, patient = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([0, 1, 2, 2, 0])
    _, found = draw_partners(target, patient)
    assert found.tolist() == [True, True, False, False, False]
    changed = torch.zeros(5, dtype=torch.bool)
    for _ in range(40):
        changed |= (mix_styles(x[:5], target, patient, 1.0) != x[:5]).flatten(1).any(dim=1)
    assert changed.tolist() == found.tolist()
    assert torch.equal(mix_styles(x[:1], target[:1], patient[:1], 1.0), x[:1])


def test_windows_are_mixed_with_the_probability_of_the_paper(batch):
    x, target, patient = batch
    changed = [(mix_styles(x, target, patient, 0.1) != x).flatten(1).any(dim=1) for _ in range(100)]
    assert abs(torch.stack(changed).float().mean().item() - PROBABILITY) < 0.03  # five standard errors


def test_weights_have_a_beta_distribution():
    """Of two flat patients at -1 and 1, a mixed window has the level 2 * weight - 1."""
    patient = torch.arange(20_000) % 2
    x = (2.0 * patient - 1)[:, None, None, None].expand(-1, 1, 1, 4)
    chunks = [slice(start, start + 100) for start in range(0, 20_000, 100)]
    mixed = torch.cat([mix_styles(x[part], patient[part] * 0, patient[part], 0.3) for part in chunks])
    weight = ((mixed * x)[:, 0, 0, 0] + 1) / 2
    # Half of the windows are not mixed; of the others, 1 - weight has mean 1/2 and variance 1/(4 (2 alpha + 1)).
    expected = PROBABILITY * (1 / (4 * 1.6) + 0.25)
    assert torch.mean((1 - weight) ** 2).item() == pytest.approx(expected, abs=0.01)  # five standard errors


def test_flat_channel_stays_finite():
    x = torch.randn(4, 2, 3, 10)
    x[0, 0] = 0.0
    out = with_mixed_statistics(x, torch.tensor([1, 0, 3, 2]), torch.full((4,), 0.5))
    assert out.isfinite().all() and out.abs().max() < 10


def test_draws_depend_on_the_random_state_only(batch):
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(mix_styles(*batch, 0.1))
    assert torch.equal(results[0], results[1]) and not torch.equal(results[0], results[2])
