"""Contrastive loss and views, against formulas in NumPy."""

import numpy as np
import pytest
import torch

from eegwf.training import contrastive
from eegwf.training.contrastive import contrastive_loss, random_view
from tests.helpers.small_models import random_input


def reference_loss(z, temperature):
    """NT-Xent as the mean over all ordered positive pairs (Chen et al. 2020, equation 1)."""
    n = len(z) // 2
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    losses = []
    for i in range(2 * n):
        j = (i + n) % (2 * n)
        others = [np.exp(z[i] @ z[k] / temperature) for k in range(2 * n) if k != i]
        losses.append(-np.log(np.exp(z[i] @ z[j] / temperature) / sum(others)))
    return np.mean(losses)


@pytest.mark.parametrize("n_windows", [1, 2, 7])
def test_loss_equals_its_formula(n_windows):
    z = 3 * random_input(2 * n_windows, 5)
    expected = reference_loss(z.double().numpy(), contrastive.TEMPERATURE)
    assert contrastive_loss(z).item() == pytest.approx(expected, abs=1e-5)


def test_loss_is_smallest_for_equal_views_and_that_of_chance_for_equal_windows():
    first = torch.eye(6)
    assert contrastive_loss(torch.cat([first, first])) < contrastive_loss(torch.cat([first, first.roll(1, 0)]))
    assert contrastive_loss(torch.ones(12, 6)).item() == pytest.approx(np.log(11), abs=1e-6)


def test_gradients_are_finite_and_loss_of_half_precision_is_computed_in_single_precision():
    z = random_input(2, 4).bfloat16().requires_grad_()
    loss = contrastive_loss(z)
    loss.backward()
    assert loss.dtype == torch.float32 and z.grad.isfinite().all()


@pytest.mark.parametrize("n_freqs", [1, 10])
def test_views_of_a_window_differ_and_have_its_scale(n_freqs):
    torch.manual_seed(0)
    x = 5 * random_input(50, 4, n_freqs, 40)
    first, second = random_view(x), random_view(x)
    assert first.shape == x.shape and first.isfinite().all()
    assert all(not torch.equal(a, b) for a, b in zip(first, second, strict=True))
    kept = first[first != 0]
    assert 0.4 < len(kept) / first.numel() < 0.8, "masks and dropped channels"
    assert kept.std().item() == pytest.approx(5, rel=0.2)


def only(monkeypatch, **strengths):
    """Set the strengths of all changes to 0 but these."""
    for name in ("TIME_SHIFT", "TIME_MASK", "FREQ_MASK", "CHANNEL_DROPOUT", "LEVEL", "NOISE"):
        monkeypatch.setattr(contrastive, name, strengths.get(name, 0.0))


def test_a_gain_multiplies_a_time_series_and_shifts_log_power(monkeypatch):
    only(monkeypatch, LEVEL=0.3)
    series = random_input(200, 3, 1, 50)
    gain = random_view(series) / series
    assert torch.allclose(gain, gain[:, :1, :, :1].expand_as(gain), rtol=1e-3)
    assert gain[:, 0, 0, 0].log().std().item() == pytest.approx(0.3, rel=0.2)
    power = 7 * random_input(200, 3, 8, 50)
    shift = (random_view(power) - power) / power.std(dim=(2, 3), correction=0, keepdim=True)
    assert torch.allclose(shift, shift[:, :1, :1, :1].expand_as(shift), atol=1e-4)
    assert shift[:, 0, 0, 0].std().item() == pytest.approx(0.3, rel=0.2)


def test_noise_is_relative_to_each_channel(monkeypatch):
    only(monkeypatch, NOISE=0.2)
    x = random_input(20, 2, 10, 50) * torch.tensor([1.0, 100.0])[None, :, None, None]
    noise = random_view(x) - x
    assert noise.std(dim=(0, 2, 3)).tolist() == pytest.approx([0.2, 20.0], rel=0.05)
