"""Thresholds and counts of windows above them."""

import numpy as np
from sklearn.metrics import confusion_matrix

from eegwf.evaluation.threshold_sweep import count_correct, threshold_grid


def test_grid_has_even_thresholds_quantiles_and_the_chosen_ones():
    p = np.random.default_rng(1).beta(0.3, 20, size=5000)
    chosen = 0.123456789
    grid = threshold_grid(p, [chosen, np.inf])
    assert grid == sorted(set(grid)) and grid[0] == 0 and grid[-1] == 1
    assert {0.1, 0.3, 0.5, 0.7, 0.9, chosen} <= set(grid) and np.isfinite(grid).all()
    # Rare seizures: most thresholds are where the probabilities are.
    assert sum(value < np.quantile(p, 0.99) for value in grid) > 30
    assert max(np.diff(grid)) <= 0.02 + 1e-9 and threshold_grid(np.zeros(0)) == threshold_grid(np.zeros(9))


def test_counts_are_those_of_the_confusion_matrix_of_each_patient():
    rng = np.random.default_rng(2)
    positive, p, patient = rng.random(300) < 0.3, np.round(rng.random(300), 2), rng.integers(0, 4, 300)
    of_windows = np.round(rng.random(300), 2)
    for threshold in (0.0, 0.25, 1.0, of_windows):
        found = count_correct(positive, p, patient, 5, threshold)
        for number in range(4):
            rows = patient == number
            level = threshold if np.isscalar(threshold) else threshold[rows]
            (tn, _), (_, tp) = confusion_matrix(positive[rows], p[rows] > level, labels=[False, True])
            assert found[number].tolist() == [tp, tn]
        assert found[4].tolist() == [0, 0]
