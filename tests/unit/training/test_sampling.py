"""Sampling of epochs, and class weights compared with scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from eegwf.training.sampling import class_weights, epoch_order, epoch_size

labels = st.lists(st.integers(0, 3), min_size=1, max_size=60).map(np.array)
seeds = st.integers(0, 2**63 - 1)


def class_counts(label, order):
    """Number of draws of each class."""
    return [int(np.sum(label[order] == number)) for number in np.unique(label)]


@given(labels, seeds, st.integers(0, 100))
def test_sampling_draws_each_class_equally_often(label, seed, epoch):
    order = epoch_order(label, "sampling", seed, epoch)
    counts = class_counts(label, order)
    assert len(set(counts)) == 1
    # The number of windows, rounded up to a multiple of the number of classes.
    assert len(label) <= len(order) < len(label) + len(counts)
    for number in np.unique(label):
        times = np.bincount(order, minlength=len(label))[label == number]
        # A window is repeated only after all others of its class were drawn.
        assert times.max() - times.min() <= 1
        if np.sum(label == number) <= counts[0]:
            assert times.min() >= 1


@given(labels, seeds)
def test_undersampling_draws_each_class_as_often_as_the_smallest(label, seed):
    order = epoch_order(label, "undersampling", seed, 0)
    smallest = np.unique(label, return_counts=True)[1].min()
    assert set(class_counts(label, order)) == {smallest}
    assert len(set(order)) == len(order)


@pytest.mark.parametrize("balance", ["weights", "none"])
@given(label=labels, seed=seeds)
def test_weights_and_none_draw_each_window_once(balance, label, seed):
    assert sorted(epoch_order(label, balance, seed, 3)) == list(range(len(label)))


@pytest.mark.parametrize("balance", ["sampling", "undersampling", "weights", "none"])
def test_order_depends_on_seed_and_epoch_only(balance):
    label = np.repeat([0, 1, 2], [70, 20, 10])
    first = epoch_order(label, balance, 1, 0)
    np.random.default_rng(0).random(10)
    assert np.array_equal(epoch_order(label, balance, 1, 0), first)
    for other in (epoch_order(label, balance, 1, 1), epoch_order(label, balance, 2, 0)):
        assert not np.array_equal(other, first)


def test_undersampling_draws_other_windows_in_each_epoch():
    label = np.repeat([0, 1], [90, 10])
    seen = set()
    for epoch in range(12):
        seen |= set(epoch_order(label, "undersampling", 5, epoch).tolist())
    # Each epoch omits 80 of the 90 windows: (8/9)**12 of them are expected in none of twelve epochs.
    assert 40 < len(seen & set(range(90))) < 90 and seen >= set(range(90, 100))


def test_classes_are_mixed_within_an_epoch():
    label = np.repeat([0, 1], 500)
    order = epoch_order(label, "none", 1, 0)
    # 50 windows include 25 +- 3.5 of a class; in a sorted order they would include 0 or 50.
    assert all(8 < np.sum(label[batch]) < 42 for batch in np.array_split(order, 20))


@given(st.lists(st.integers(0, 2), max_size=50).map(lambda labels: np.array([0, 1, 2, *labels])))
def test_class_weights_match_scikit_learn(label):
    weights = class_weights(label, 3, "weights")
    expected = compute_class_weight("balanced", classes=np.arange(3), y=label)
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    assert weights.dtype == np.float32 and weights[label].mean() == pytest.approx(1, rel=1e-5)


def test_weight_of_an_absent_class_is_finite():
    assert np.isfinite(class_weights(np.array([0, 0, 2]), 3, "weights")).all()


@pytest.mark.parametrize("balance", ["sampling", "undersampling", "none"])
def test_no_class_weights_for_other_methods(balance):
    assert class_weights(np.array([0, 1]), 2, balance) is None


@pytest.mark.parametrize(
    ("balance", "expected"), [("none", 12), ("weights", 12), ("sampling", 12), ("undersampling", 6)]
)
def test_size_of_an_epoch(balance, expected):
    assert epoch_size(np.array([0] * 6 + [1] * 4 + [2] * 2), balance) == expected


def test_orders_without_balanced_patients_have_not_changed():
    """Written by the first release; otherwise, the same configuration would give other weights."""
    label = np.repeat([0, 1, 2], [5, 3, 2])
    expected = {
        "sampling": [6, 1, 4, 0, 9, 5, 7, 5, 8, 8, 3, 9],
        "undersampling": [8, 9, 1, 4, 5, 6],
        "weights": [8, 0, 1, 9, 3, 5, 7, 6, 4, 2],
        "none": [8, 0, 1, 9, 3, 5, 7, 6, 4, 2],
    }
    assert {balance: epoch_order(label, balance, 7, 2).tolist() for balance in expected} == expected
