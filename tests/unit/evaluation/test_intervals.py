"""Intervals: equal to SciPy where it has them, defined at 0 and 1, and with the coverage of docs/validation.md."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from bench.coverage import CLASSIFIERS, intervals_of, population_scores
from eegwf.evaluation.intervals import (
    bca_interval,
    design_degrees_of_freedom,
    effective_degrees_of_freedom,
    jackknife_interval,
    percentile_interval,
)


def left_out_means(values):
    return np.array([np.delete(values, number).mean() for number in range(len(values))])


def test_jackknife_of_a_mean_is_close_to_students_t():
    values = np.random.default_rng(0).uniform(0.3, 0.7, 40)
    low, high, undefined = jackknife_interval(values.mean(), left_out_means(values), [40], 0.9)
    expected = stats.t.interval(0.9, 39, values.mean(), stats.sem(values))
    assert (low, high) == (pytest.approx(expected[0], abs=2e-3), pytest.approx(expected[1], abs=2e-3))
    assert undefined == 0


def test_jackknife_by_a_loop():
    values = np.array([0.2, 0.5, 0.9, 0.4, 0.6])
    n, theta = 5, values.mean()
    means = [(values.sum() - value) / 4 for value in values]
    squares = [(value - sum(means) / n) ** 2 for value in means]
    variance = sum(squares) * (n - 1) / n / (theta * (1 - theta)) ** 2
    effective = (3.16 - 2.77 / n**0.5) * sum(squares) ** 2 / sum(value**2 for value in squares)
    reach = stats.t.ppf(0.975, min(n - 1, effective)) * variance**0.5
    low, high, _ = jackknife_interval(theta, left_out_means(values), [5], 0.95)
    assert (low, high) == (pytest.approx(expit(logit(theta) - reach)), pytest.approx(expit(logit(theta) + reach)))
    # A score from -1 to 1 has the interval of the same score from 0 to 1, stretched.
    signed = jackknife_interval(2 * theta - 1, 2 * left_out_means(values) - 1, [5], 0.95, (-1, 1))
    assert (signed.low, signed.high) == (pytest.approx(2 * low - 1), pytest.approx(2 * high - 1))


def test_degrees_of_freedom():
    assert design_degrees_of_freedom([8]) == pytest.approx(7)
    assert design_degrees_of_freedom([10, 10]) == pytest.approx(18)  # Welch, with equal variances
    assert 3 < design_degrees_of_freedom([28, 14, 4]) < 7
    normal = np.random.default_rng(0).normal(size=(4000, 20))
    mean = np.mean([effective_degrees_of_freedom(row - row.mean()) for row in normal])
    assert mean == pytest.approx(19, abs=1.5)
    assert effective_degrees_of_freedom(np.array([1.0, *[0.0] * 19])) < 3


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_score_of_zero_or_one_has_the_interval_of_clopper_and_pearson(value):
    interval = jackknife_interval(value, np.full(12, value), [12, 4], 0.95)
    expected = stats.binomtest(4 * int(value), 4).proportion_ci(0.95, method="exact")
    assert (interval.low, interval.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_no_jackknife_interval():
    left_out = np.array([0.5, 0.6, 0.7, 0.65])
    assert jackknife_interval(0.6, left_out, [4], 0.95).low is not None
    assert jackknife_interval(0.6, left_out, [4, 2], 0.95) == (None, None, 0)  # two patients of a class
    assert jackknife_interval(None, left_out, [4], 0.95) == (None, None, 0)
    assert jackknife_interval(0.6, np.array([0.5, np.nan, 0.7, 0.65]), [4], 0.95) == (None, None, 1)
    assert jackknife_interval(1 / 3, np.full(4, 1 / 3), [4], 0.95) == (None, None, 0)  # always the same class


def test_one_patient_with_all_errors_has_a_wide_interval():
    values = np.array([0.9] + [1.0] * 19)
    interval = jackknife_interval(values.mean(), left_out_means(values), [20], 0.95)
    assert 0 < interval.low < 0.9 and 0.995 < interval.high < 1


def test_bca_equals_scipy():
    values = np.random.default_rng(1).beta(4, 1, 25)
    expected = stats.bootstrap((values,), np.mean, n_resamples=4000, method="BCa", rng=np.random.default_rng(2))
    interval = bca_interval(values.mean(), expected.bootstrap_distribution, left_out_means(values), [25], 0.95)
    bounds = expected.confidence_interval
    assert (interval.low, interval.high) == (pytest.approx(bounds.low, abs=1e-9), pytest.approx(bounds.high, abs=1e-9))


def test_percentile_interval_counts_undefined_replicates():
    values = np.arange(101.0)
    assert percentile_interval(50.0, values, [9], 0.9) == (pytest.approx(5), pytest.approx(95), 0)
    assert percentile_interval(50.0, np.append(values, [np.nan] * 101), [9], 0.9).undefined == 101
    assert percentile_interval(50.0, np.append(values, [np.nan] * 102), [9], 0.9) == (None, None, 102)
    assert percentile_interval(50.0, values, [9, 2], 0.9) == (None, None, 0)


@pytest.mark.slow
def test_coverage_with_four_patients_of_a_class():
    groups, classifier = (13, 3, 1, 11), CLASSIFIERS["moderate"]
    truth = population_scores(groups, classifier, seed=1)
    found = [intervals_of(seed, groups, classifier, 100) for seed in range(200)]
    for score, value in truth.items():
        covered = [low <= value <= high for low, high in (bounds[score, "jackknife"] for bounds in found)]
        assert np.mean(covered) > 0.92, score  # .95 with a standard error of .015


def test_one_patient_with_all_errors_does_not_widen_the_interval_to_everything():
    """Three events in each of n patients, one of which is missed."""
    widths = []
    for n in (28, 100, 700):
        missed = np.zeros(n)
        missed[0] = 1
        value, left_out = 1 - 1 / (3 * n), 1 - (1 - missed) / (3 * (n - 1))
        low, high, _ = jackknife_interval(value, left_out, [n], 0.95)
        assert low < value < high
        widths.append(high - low)
    assert widths[0] < 0.6 and widths == sorted(widths, reverse=True)
