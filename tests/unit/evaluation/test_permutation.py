"""Permutation test: equal to a loop, exact level without information, and power with it."""

from itertools import permutations, product

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from bench.coverage import CLASSIFIERS, p_value, simulate
from eegwf.evaluation.permutation import _exchanges, permutation_p_value


def p_of(member, n=199, seed=0, **changed):
    arrays = {"truth": member.truth, "predicted": member.predicted, "patient": member.patient, "fold": member.fold}
    return permutation_p_value(**arrays | changed, n_classes=3, n_permutations=n, seed=seed)


def test_equals_a_loop_over_all_exchanges():
    # Three patients of four windows: 3! exchanges and 4^3 shifts, each as likely as the others.
    rng = np.random.default_rng(3)
    truth, predicted = rng.integers(2, size=(3, 4)), rng.integers(2, size=(3, 4))
    predicted[0] = truth[0]
    observed = balanced_accuracy_score(truth.ravel(), predicted.ravel())
    values = [
        balanced_accuracy_score(
            truth.ravel(), np.concatenate([np.roll(predicted[d], -s) for d, s in zip(donors, shifts, strict=True)])
        )
        for donors in permutations(range(3))
        for shifts in product(range(4), repeat=3)
    ]
    exact = np.mean([value >= observed - 1e-12 for value in values])
    patient = np.repeat(np.arange(3), 4)
    found = permutation_p_value(truth.ravel(), predicted.ravel(), patient, np.ones(12, int), 2, 20_000, seed=1)
    assert found == pytest.approx(exact, abs=0.015)


def test_patients_are_exchanged_within_folds():
    block = np.array([2, 1, 2, 1, 1, 3])
    found = _exchanges(block, 500, np.random.default_rng(0))
    assert (np.sort(found, axis=1) == np.arange(6)).all() and (block[found] == block).all()
    assert len(np.unique(found, axis=0)) == 2 * 6 * 1


def test_block_size_and_order_of_patients_do_not_change_the_p_value():
    member = simulate((4, 3, 1, 2), CLASSIFIERS["moderate"], np.random.default_rng(0))
    arrays = (member.truth, member.predicted, member.patient, member.fold)
    value = permutation_p_value(*arrays, 3, 99, 5)
    assert permutation_p_value(*arrays, 3, 99, 5, cells=1) == value
    order = np.argsort(member.patient % 2, kind="stable")  # windows of a patient remain in order
    assert permutation_p_value(*(array[order] for array in arrays), 3, 99, 5) == value


def test_informative_predictions_have_the_smallest_p_value():
    member = simulate((6, 5, 1, 2), CLASSIFIERS["moderate"], np.random.default_rng(0))
    assert p_of(member) == 1 / 200
    assert p_of(member, predicted=np.zeros_like(member.predicted)) == 1.0
    # With one patient in each fold, patients are exchanged among all.
    assert p_of(member, fold=member.patient + 1) == 1 / 200


def test_same_course_of_all_recordings_is_no_loss_of_power():
    truth = np.tile([0, 0, 1, 1, 0, 0, 0, 0], 8)
    patient = np.repeat(np.arange(8), 8)
    assert permutation_p_value(truth, truth, patient, np.ones(64, int), 2, 199, 0) == 1 / 200


def test_no_test_without_permutations_patients_or_classes():
    member = simulate((2, 2, 0, 1), CLASSIFIERS["moderate"], np.random.default_rng(0))
    assert p_of(member, n=0) is None
    assert p_of(member, patient=np.zeros_like(member.patient)) is None
    assert p_of(member, truth=np.zeros_like(member.truth)) is None


@pytest.mark.slow
@pytest.mark.parametrize("smooth", [1, 10])
def test_level_without_information(smooth):
    values = [p_value(seed, (6, 5, 1, 2), smooth, 99) for seed in range(600)]
    assert 0.03 <= np.mean(np.array(values) <= 0.05) <= 0.07
