"""Balance of the patients of an epoch: counts by class and patient, and the weights that replace them in a fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.training.patient_balance import draws_of_patients, window_weights
from eegwf.training.sampling import epoch_order, epoch_size

BALANCES = ["sampling", "undersampling", "weights", "none"]
seeds = st.integers(0, 2**63 - 1)
windows = st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abcde")), min_size=1, max_size=60)
# One patient with 300 windows of each class, ten with 10.
PATIENT = np.array([*["large"] * 600, *np.repeat([f"small{number}" for number in range(10)], 20)], dtype=object)
LABEL = np.arange(800) % 2


def counts(order, label, patient):
    """Number of draws of each class and patient that have windows."""
    return {
        (int(number), name): int(np.sum((label[order] == number) & (patient[order] == name)))
        for number, name in set(zip(label.tolist(), patient.tolist(), strict=True))
    }


@pytest.mark.parametrize("balance", BALANCES)
def test_large_patient_is_drawn_as_often_as_the_others_of_the_class(balance):
    drawn = counts(epoch_order(LABEL, balance, 1, 0, PATIENT, "equal"), LABEL, PATIENT)
    assert len(drawn) == 22 and set(drawn.values()) <= {36, 37}, "400 draws of a class, of 11 patients"


@pytest.mark.parametrize("balance", BALANCES)
def test_square_roots_lie_between_equal_and_proportional(balance):
    drawn = counts(epoch_order(LABEL, balance, 1, 0, PATIENT, "sqrt"), LABEL, PATIENT)
    share = 400 / (np.sqrt(300) + 10 * np.sqrt(10))
    for (_, name), count in drawn.items():
        assert abs(count - share * np.sqrt(300 if name == "large" else 10)) < 1


@pytest.mark.parametrize("patient_balance", ["equal", "sqrt"])
@pytest.mark.parametrize("balance", BALANCES)
@given(windows=windows, seed=seeds, epoch=st.integers(0, 50))
def test_draws_by_class_and_patient(balance, patient_balance, windows, seed, epoch):
    label, patient = np.array([number for number, _ in windows]), np.array([name for _, name in windows], dtype=object)
    order = epoch_order(label, balance, seed, epoch, patient, patient_balance)
    unbalanced = epoch_order(label, balance, seed, epoch)
    assert np.array_equal(np.bincount(label[order]), np.bincount(label[unbalanced])), "of each class as before"
    assert len(order) == epoch_size(label, balance)
    drawn = counts(order, label, patient)
    for number in np.unique(label):
        sizes = {name: np.sum((label == number) & (patient == name)) for name in set(patient[label == number])}
        roots = {name: np.sqrt(size) if patient_balance == "sqrt" else 1 for name, size in sizes.items()}
        total = np.sum(label[order] == number)
        for name, root in roots.items():
            assert abs(drawn[number, name] - total * root / sum(roots.values())) < 1
            times = np.bincount(order, minlength=len(label))[(label == number) & (patient == name)]
            assert times.max() - times.min() <= 1, "repeated only after all others of the patient and class"


def test_order_depends_on_seed_and_epoch_only():
    first = epoch_order(LABEL, "sampling", 1, 0, PATIENT, "equal")
    np.random.default_rng(0).random(10)
    assert np.array_equal(epoch_order(LABEL, "sampling", 1, 0, PATIENT, "equal"), first)
    for seed, epoch in ((1, 1), (2, 0)):
        assert not np.array_equal(epoch_order(LABEL, "sampling", seed, epoch, PATIENT, "equal"), first)


def test_all_windows_of_the_large_patient_are_drawn_in_the_course_of_the_epochs():
    seen = {row for epoch in range(60) for row in epoch_order(LABEL, "none", 1, epoch, PATIENT, "equal")}
    # An epoch has about 36 of its 300 windows of a class: a window is in none of 60 epochs with probability 0.0005.
    assert len(seen) > 795


def test_rounded_shares_have_the_share_as_their_mean():
    patient = np.repeat(["a", "b", "c"], [1, 4, 9])
    rng = np.random.default_rng(0)
    drawn = [draws_of_patients(patient, 5, "sqrt", rng) for _ in range(6000)]
    mean = {name: np.mean([draws[name] for draws in drawn]) for name in "abc"}
    # The standard error of a mean is at most 0.5 / sqrt(6000) = 0.0065.
    assert mean == pytest.approx({"a": 5 / 6, "b": 10 / 6, "c": 15 / 6}, abs=0.03)


@pytest.mark.parametrize("patient_balance", ["equal", "sqrt"])
def test_weights_of_windows_are_the_mean_number_of_their_draws(patient_balance):
    label, patient = np.repeat([0, 1], [12, 8]), np.array(list("aaaaaaaabbbc" + "abbbbbbb"))
    weights = window_weights(label, patient, patient_balance)
    n_epochs = 4000
    times = np.zeros(20)
    for epoch in range(n_epochs):
        times += np.bincount(epoch_order(label, "none", 1, epoch, patient, patient_balance), minlength=20)
    # The variance of the draws of a window in an epoch is at most 1/4: they are a number rounded up or down.
    np.testing.assert_allclose(times / n_epochs, weights, atol=4 * 0.5 / np.sqrt(n_epochs))
    assert [weights[label == number].mean() for number in (0, 1)] == pytest.approx([1, 1])


def test_no_weights_without_balanced_patients():
    assert window_weights(LABEL, PATIENT, "none") is None
