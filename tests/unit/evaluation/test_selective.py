"""Risk-coverage curve and abstention."""

import numpy as np
import pytest

from eegwf.evaluation.selective import abstention, abstention_threshold, risk_coverage


def binary(confidence, wrong):
    """Two classes: the first is predicted, and true unless it is wrong."""
    confidence = np.array(confidence, dtype=float)
    return np.array(wrong, dtype=int), np.column_stack([confidence, 1 - confidence])


def test_risk_is_the_error_of_the_most_confident_windows():
    truth, p = binary([0.9, 0.6, 0.8, 0.7], [0, 1, 0, 1])
    np.testing.assert_allclose(risk_coverage(truth, p), [0, 0, 1 / 3, 1 / 2])


def test_equal_confidences_are_in_random_order():
    truth, p = binary([0.9, 0.7, 0.7, 0.7, 0.6], [0, 1, 0, 1, 1])
    rng, total = np.random.default_rng(0), np.zeros(5)
    for _ in range(4000):
        order = [0, *(1 + rng.permutation(3)), 4]
        total += np.cumsum(truth[order]) / np.arange(1, 6)
    np.testing.assert_allclose(risk_coverage(truth, p), total / 4000, atol=0.02)
    permuted = rng.permutation(5)
    np.testing.assert_array_equal(risk_coverage(truth, p), risk_coverage(truth[permuted], p[permuted]))


def test_threshold_equals_a_search_over_all_thresholds():
    rng = np.random.default_rng(1)
    for _ in range(50):
        p = np.round(rng.dirichlet(np.ones(3), size=40), 2)
        truth = rng.integers(3, size=40)
        target = rng.uniform(0, 1)
        wrong, confidence = truth != p.argmax(axis=1), p.max(axis=1)
        found = [t for t in np.unique(confidence) if wrong[confidence >= t].mean() <= target]
        assert abstention_threshold(truth, p, target) == (min(found) if found else None)


def test_thresholds_of_the_validation_windows_are_applied_to_the_test_windows():
    validation = {1: binary([0.9, 0.8, 0.7], [0, 0, 1]), 2: binary([0.9, 0.8], [1, 1])}
    test = {1: binary([0.95, 0.8, 0.7], [1, 0, 0]), 2: binary([0.99], [0]), 3: binary([0.99], [0])}
    entry = abstention(test, validation, 0.1, ["background", "seizure"])
    # Fold 1 keeps two windows; fold 2 finds no threshold, and fold 3 has no validation windows.
    assert (entry["target"], entry["coverage"], entry["error"]) == (0.1, pytest.approx(2 / 5), 0.5)
    assert entry["class_coverage"] == {"background": 0.25, "seizure": 1}
    nothing = abstention({2: test[2]}, validation, 0.1, ["background", "seizure"])
    assert nothing["coverage"] == 0 and nothing["error"] is None and nothing["class_coverage"]["seizure"] is None
