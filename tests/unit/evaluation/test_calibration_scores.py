"""Scores of probabilities equal those of scikit-learn and of plain loops."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from eegwf.evaluation.bootstrap import patient_draws
from eegwf.evaluation.calibration_scores import (
    bin_numbers,
    brier_decomposition,
    calibration_error,
    class_calibration_errors,
    reliability_curve,
    top_label_error,
    window_brier,
    window_log_loss,
)


@pytest.fixture(params=[2, 3])
def sample(request):
    """True classes and probabilities, some of which are equal or zero."""
    rng = np.random.default_rng(request.param)
    p = rng.dirichlet(np.ones(request.param) / 2, size=900)
    p[::5] = np.round(p[::5], 1)
    p[::5] /= p[::5].sum(axis=1, keepdims=True)
    return (rng.random(900)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(max=request.param - 1), p


def test_log_loss_and_brier_score_equal_those_of_scikit_learn(sample):
    truth, p = sample
    labels = np.arange(p.shape[1])
    assert window_log_loss(truth, p).mean() == pytest.approx(metrics.log_loss(truth, p, labels=labels))
    expected = sum(metrics.brier_score_loss(truth == c, p[:, c]) for c in labels)
    assert window_brier(truth, p).mean() == pytest.approx(expected)


@pytest.mark.parametrize("n_bins", [2, 15])
def test_terms_of_the_brier_score_sum_to_it_and_equal_a_loop(sample, n_bins):
    truth, p = sample
    terms = brier_decomposition(truth, p, n_bins)
    total = terms["reliability"] - terms["resolution"] + terms["uncertainty"] + terms["within_bins"]
    assert total == pytest.approx(window_brier(truth, p).mean(), abs=1e-12)
    reliability = resolution = 0.0
    for c in range(p.shape[1]):
        bins, outcome = bin_numbers(p[:, c], n_bins, True), truth == c
        for number in set(bins):
            inside = bins == number
            reliability += inside.sum() * (p[inside, c].mean() - outcome[inside].mean()) ** 2
            resolution += inside.sum() * (outcome[inside].mean() - outcome.mean()) ** 2
    assert terms["reliability"] == pytest.approx(reliability / len(truth))
    assert terms["resolution"] == pytest.approx(resolution / len(truth))


def test_terms_within_bins_vanish_if_the_probabilities_of_a_bin_are_equal():
    rng = np.random.default_rng(0)
    first = rng.choice([0.1, 0.4, 0.9], size=600)
    p = np.column_stack([first, 1 - first])
    truth = (rng.random(600) > first).astype(int)
    assert brier_decomposition(truth, p, 100)["within_bins"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("equal_mass", "strategy"), [(False, "uniform"), (True, "quantile")])
def test_bins_are_those_of_scikit_learn(sample, equal_mass, strategy):
    truth, p = sample
    outcome, draws = truth == 1, np.ones((1, 1))
    observed, mean_p = calibration_curve(outcome, p[:, 1], n_bins=15, strategy=strategy)
    bins = bin_numbers(p[:, 1], 15, equal_mass)
    counts = np.bincount(bins)
    expected = (np.abs(observed - mean_p) * counts[counts > 0]).sum() / len(truth)
    assert calibration_error(outcome, p[:, 1], 15, equal_mass) == pytest.approx(expected)
    assert class_calibration_errors(truth, p, 15, equal_mass)[1] == pytest.approx(expected)
    if equal_mass:
        curve = reliability_curve(outcome, p[:, 1], np.zeros(len(truth), int), draws, 15, 0.95)
        np.testing.assert_allclose([entry["observed"] for entry in curve], observed)
        np.testing.assert_allclose([entry["p"] for entry in curve], mean_p)
        assert all(entry["low"] is None for entry in curve)  # a single patient


def test_error_of_the_top_label_equals_a_loop(sample):
    truth, p = sample
    total = 0.0
    for low, high in zip(np.linspace(0, 1, 11)[:-1], np.linspace(0, 1, 11)[1:], strict=True):
        inside = [i for i, row in enumerate(p) if low < row.max() <= high]
        if inside:
            hits = np.mean([p[i].argmax() == truth[i] for i in inside])
            total += len(inside) * abs(hits - np.mean([p[i].max() for i in inside]))
    assert top_label_error(truth, p, 10, equal_mass=False) == pytest.approx(total / len(truth))


def test_band_of_the_curve_equals_resampled_patients():
    rng = np.random.default_rng(1)
    patient = np.repeat(np.arange(8), 50)
    p = rng.random(400)
    outcome = rng.random(400) < np.clip(p + rng.normal(scale=0.3, size=8)[patient], 0, 1)
    draws = patient_draws(8, 200, seed=3)
    curve = reliability_curve(outcome, p, patient, draws, 5, 0.9)
    bins = bin_numbers(p, 5, True)
    for number, entry in enumerate(curve):
        values = []
        for row in draws:
            rows = np.concatenate([np.flatnonzero(patient == n) for n in range(8) for _ in range(int(row[n]))])
            values.append(outcome[rows][bins[rows] == number].mean())
        assert (entry["low"], entry["high"]) == pytest.approx(tuple(np.quantile(values, [0.05, 0.95])))
        assert entry["n_windows"] == 80 and entry["n_patients"] == 8


def test_calibrated_probabilities_have_a_small_error_and_shifted_ones_their_shift():
    rng = np.random.default_rng(2)
    p = rng.uniform(0.2, 0.7, size=50_000)
    outcome = rng.random(50_000) < p
    assert calibration_error(outcome, p, 15, True) < 0.01
    assert calibration_error(outcome, p + 0.2, 15, False) == pytest.approx(0.2, abs=0.01)
