"""Augmentation: time shift, masks, channel dropout and mixup."""

import numpy as np
import pytest
import torch

from eegwf.config.training import Training
from eegwf.training.augment import augment, interval_masks, mixup, shift_times

X = torch.randn(64, 3, 8, 20, generator=torch.Generator().manual_seed(0)) + 5
Y = torch.arange(64) % 3


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_default_settings_return_the_input():
    x, y = augment(X, Y, 3, Training())
    assert x is X and y is Y


def test_shift_moves_whole_windows_and_fills_with_zeros():
    out = shift_times(X, 0.25)
    offsets = set()
    for before, after in zip(X, out, strict=True):
        matches = []
        for offset in range(-5, 6):
            expected = torch.zeros_like(before)
            if offset >= 0:
                expected[..., : 20 - offset] = before[..., offset:]
            else:
                expected[..., -offset:] = before[..., :offset]
            if torch.equal(after, expected):
                matches.append(offset)
        assert len(matches) == 1
        offsets |= set(matches)
    assert offsets == set(range(-5, 6))


def test_mask_is_one_interval_of_at_most_the_given_fraction():
    masks = interval_masks(5000, 20, 0.3, torch.device("cpu")).numpy()
    widths = (~masks).sum(axis=1)
    assert set(widths) == set(range(7))
    edges = np.abs(np.diff(np.pad(masks, ((0, 0), (1, 1)), constant_values=True).astype(int), axis=1)).sum(axis=1)
    assert set(edges[widths > 0]) == {2}
    # Every position is masked, also the first and the last.
    assert not masks[:, 0].all() and not masks[:, -1].all()
    np.testing.assert_allclose(np.bincount(widths) / 5000, 1 / 7, atol=0.02)


@pytest.mark.parametrize(("setting", "axis"), [("freq_mask", 2), ("time_mask", 3)])
def test_mask_zeroes_all_channels(setting, axis):
    x, _ = augment(X, Y, 3, Training(**{setting: 0.5}))
    masked = x == 0
    others = tuple({1, 2, 3} - {axis})
    positions = masked.all(dim=others[1]).all(dim=others[0])
    assert masked.sum() == positions.sum() * X[0].numel() // X.shape[axis]
    assert positions.any() and torch.equal(x[~masked], X[~masked])


def test_frequency_mask_leaves_a_time_series_unchanged():
    x, _ = augment(X[:, :, :1], Y, 3, Training(freq_mask=1.0))
    assert torch.equal(x, X[:, :, :1])


def test_channel_dropout_zeroes_whole_channels_independently():
    x, _ = augment(X.repeat(20, 1, 1, 1), Y.repeat(20), 3, Training(channel_dropout=0.3))
    dropped = (x == 0).all(dim=(2, 3))
    assert torch.equal(dropped, (x == 0).any(dim=3).any(dim=2))
    assert dropped.float().mean() == pytest.approx(0.3, abs=0.03)


def test_mixup_mixes_windows_and_classes_in_the_same_proportions():
    # Each window contains its number only, so that a mixture shows its parts.
    numbers = torch.arange(64.0)[:, None, None, None].expand(64, 1, 1, 1)
    x, y = mixup(numbers, torch.arange(64), 64, 0.4)
    assert torch.allclose(y.sum(dim=1), torch.ones(64))
    assert torch.allclose(y @ torch.arange(64.0), x[:, 0, 0, 0], atol=1e-4)
    assert ((y > 0).sum(dim=1) <= 2).all() and (y.amax(dim=1) < 0.99).any()


def test_mixup_proportions_follow_the_beta_distribution():
    _, y = mixup(torch.zeros(20_000, 1, 1, 1), torch.arange(20_000) % 2, 2, 2.0)
    proportion = y[(y > 0).all(dim=1), 0].numpy()
    assert proportion.mean() == pytest.approx(0.5, abs=0.01) and proportion.var() == pytest.approx(1 / 20, abs=0.003)


def test_random_seed_decides_the_augmentation():
    settings = Training(mixup_alpha=0.3, freq_mask=0.3, time_mask=0.3, time_shift=0.2, channel_dropout=0.1)
    augmented = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        augmented.append(augment(X, Y, 3, settings))
    assert torch.equal(augmented[0][0], augmented[1][0]) and torch.equal(augmented[0][1], augmented[1][1])
    assert not torch.equal(augmented[0][0], augmented[2][0])
    assert torch.isfinite(augmented[0][0]).all()
