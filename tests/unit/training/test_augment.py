"""Augmentation: what it moves, blanks and mixes, and what it leaves alone."""

import numpy as np
import pytest
import torch

from eegwf.config.training import Training
from eegwf.training.augment import augment, keep, mixup, shift_times

X = torch.randn(64, 3, 8, 20, generator=torch.Generator().manual_seed(0)) + 5
Y = torch.arange(64) % 3


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_nothing_asked_for_is_nothing_done():
    x, y = augment(X, Y, 3, Training())
    assert x is X and y is Y


def test_a_shift_moves_whole_windows_and_fills_with_zeros():
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


def test_masks_are_one_stretch_of_at_most_their_share():
    masks = keep(5000, 20, 0.3, torch.device("cpu")).numpy()
    widths = (~masks).sum(axis=1)
    assert set(widths) == set(range(7))
    edges = np.abs(np.diff(np.pad(masks, ((0, 0), (1, 1)), constant_values=True).astype(int), axis=1)).sum(axis=1)
    assert set(edges[widths > 0]) == {2}
    # Every place is blanked: the first and the last as well.
    assert not masks[:, 0].all() and not masks[:, -1].all()
    np.testing.assert_allclose(np.bincount(widths) / 5000, 1 / 7, atol=0.02)


@pytest.mark.parametrize(("setting", "axis"), [("mask_freqs", 2), ("mask_times", 3)])
def test_a_mask_blanks_its_axis_in_all_channels(setting, axis):
    x, _ = augment(X, Y, 3, Training(**{setting: 0.5}))
    blank = x == 0
    others = tuple({1, 2, 3} - {axis})
    whole = blank.all(dim=others[1]).all(dim=others[0])
    assert blank.sum() == whole.sum() * X[0].numel() // X.shape[axis]
    assert whole.any() and torch.equal(x[~blank], X[~blank])


def test_a_time_series_keeps_its_only_row():
    x, _ = augment(X[:, :, :1], Y, 3, Training(mask_freqs=1.0))
    assert torch.equal(x, X[:, :, :1])


def test_channels_are_dropped_one_by_one():
    x, _ = augment(X.repeat(20, 1, 1, 1), Y.repeat(20), 3, Training(drop_channels=0.3))
    gone = (x == 0).all(dim=(2, 3))
    assert torch.equal(gone, (x == 0).any(dim=3).any(dim=2))
    assert gone.float().mean() == pytest.approx(0.3, abs=0.03)


def test_mixup_mixes_windows_and_classes_in_the_same_shares():
    # Each window is its own number, so that a mixture tells its parts.
    numbers = torch.arange(64.0)[:, None, None, None].expand(64, 1, 1, 1)
    x, y = mixup(numbers, torch.arange(64), 64, 0.4)
    assert torch.allclose(y.sum(dim=1), torch.ones(64))
    assert torch.allclose(y @ torch.arange(64.0), x[:, 0, 0, 0], atol=1e-4)
    assert ((y > 0).sum(dim=1) <= 2).all() and (y.amax(dim=1) < 0.99).any()


def test_mixed_shares_follow_their_beta_distribution():
    _, y = mixup(torch.zeros(20_000, 1, 1, 1), torch.arange(20_000) % 2, 2, 2.0)
    share = y[(y > 0).all(dim=1), 0].numpy()
    assert share.mean() == pytest.approx(0.5, abs=0.01) and share.var() == pytest.approx(1 / 20, abs=0.003)


def test_a_seed_gives_the_same_and_another_does_not():
    settings = Training(mixup=0.3, mask_freqs=0.3, mask_times=0.3, shift_times=0.2, drop_channels=0.1)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(augment(X, Y, 3, settings))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])
    assert not torch.equal(found[0][0], found[2][0])
    assert torch.isfinite(found[0][0]).all()
