"""Draws of an epoch by counting, weights of the classes against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from eegwf.training.sampling import class_weights, epoch_order, epoch_size

labels = st.lists(st.integers(0, 3), min_size=1, max_size=60).map(np.array)
seeds = st.integers(0, 2**63 - 1)


def drawn(label, order):
    """How often each class is drawn."""
    return [int(np.sum(label[order] == number)) for number in np.unique(label)]


@given(labels, seeds, st.integers(0, 100))
def test_sampling_draws_every_class_equally_often(label, seed, epoch):
    order = epoch_order(label, "sampling", seed, epoch)
    counts = drawn(label, order)
    assert len(set(counts)) == 1
    # As many draws as windows, rounded up to a multiple of the classes.
    assert len(label) <= len(order) < len(label) + len(counts)
    for number in np.unique(label):
        times = np.bincount(order, minlength=len(label))[label == number]
        # No window is drawn twice while another one of its class waits.
        assert times.max() - times.min() <= 1
        if np.sum(label == number) <= counts[0]:
            assert times.min() >= 1


@given(labels, seeds)
def test_undersampling_draws_each_class_as_often_as_the_smallest(label, seed):
    order = epoch_order(label, "undersampling", seed, 0)
    smallest = np.unique(label, return_counts=True)[1].min()
    assert set(drawn(label, order)) == {smallest}
    assert len(set(order)) == len(order)


@pytest.mark.parametrize("balance", ["weights", "none"])
@given(label=labels, seed=seeds)
def test_else_every_window_is_drawn_once(balance, label, seed):
    assert sorted(epoch_order(label, balance, seed, 3)) == list(range(len(label)))


@pytest.mark.parametrize("balance", ["sampling", "undersampling", "weights", "none"])
def test_seed_and_epoch_alone_decide(balance):
    label = np.repeat([0, 1, 2], [70, 20, 10])
    first = epoch_order(label, balance, 1, 0)
    np.random.default_rng(0).random(10)
    assert np.array_equal(epoch_order(label, balance, 1, 0), first)
    for other in (epoch_order(label, balance, 1, 1), epoch_order(label, balance, 2, 0)):
        assert not np.array_equal(other, first)


def test_all_windows_have_their_turn_over_the_epochs():
    label = np.repeat([0, 1], [90, 10])
    seen = set()
    for epoch in range(12):
        seen |= set(epoch_order(label, "undersampling", 5, epoch).tolist())
    # Each epoch leaves out 80 of the 90: by chance, (8/9)**12 of them are left after twelve.
    assert 40 < len(seen & set(range(90))) < 90 and seen >= set(range(90, 100))


def test_classes_are_mixed_within_an_epoch():
    label = np.repeat([0, 1], 500)
    order = epoch_order(label, "none", 1, 0)
    # 50 windows hold about 25 of a class, 3.5 more or less; sorted ones would hold 0 or 50.
    assert all(8 < np.sum(label[batch]) < 42 for batch in np.array_split(order, 20))


@given(st.lists(st.integers(0, 2), max_size=50).map(lambda more: np.array([0, 1, 2, *more])))
def test_weights_are_scikit_learns(label):
    weights = class_weights(label, 3, "weights")
    expected = compute_class_weight("balanced", classes=np.arange(3), y=label)
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    assert weights.dtype == np.float32 and weights[label].mean() == pytest.approx(1, rel=1e-5)


def test_weights_of_a_class_that_is_not_there_are_finite():
    assert np.isfinite(class_weights(np.array([0, 0, 2]), 3, "weights")).all()


@pytest.mark.parametrize("balance", ["sampling", "undersampling", "none"])
def test_no_weights_unless_asked_for(balance):
    assert class_weights(np.array([0, 1]), 2, balance) is None


@pytest.mark.parametrize(
    ("balance", "expected"), [("none", 12), ("weights", 12), ("sampling", 12), ("undersampling", 6)]
)
def test_the_size_of_an_epoch(balance, expected):
    assert epoch_size(np.array([0] * 6 + [1] * 4 + [2] * 2), balance) == expected
