"""Calibration of a retrained model: prior, temperature, and sets on which it can't be fitted."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

from eegwf.training.calibration import (
    HIGHEST,
    LOWEST,
    Calibration,
    fit_calibration,
    fit_temperature,
    patient_log_loss,
    prior_shift,
)

CLASSES = ("background", "focal", "generalized")


def sample(n_patients=20, n_windows=60, n_classes=3, temperature=2.5, prior=(0.8, 0.15, 0.05), seed=0):
    """Windows of known posterior, and the overconfident softmax of a network that was trained with equal classes."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.array([f"sub-{n:02d}" for n in range(n_patients)], dtype=object), n_windows)
    truth = rng.choice(n_classes, size=len(patient), p=prior)
    # With normal features of equal variance, the log likelihoods are the features, up to a constant.
    features = rng.normal(size=(len(truth), n_classes)) + np.eye(n_classes)[truth]
    return truth, softmax(temperature * features, axis=1), patient, np.log(prior) + np.log(n_classes)


@pytest.mark.parametrize("balance", ["sampling", "weights", "undersampling"])
def test_shift_of_the_prior_is_that_of_the_training_windows(balance):
    label = np.repeat([0, 1, 2], [70, 20, 10])
    shift = prior_shift(label, 3, balance)
    np.testing.assert_allclose(softmax(shift), [0.7, 0.2, 0.1])
    # Where the network finds all classes equally likely, the calibrated probability is the prior.
    np.testing.assert_allclose(Calibration(tuple(shift), 1.7).apply(np.full((1, 3), 1 / 3)), [[0.7, 0.2, 0.1]])


def test_training_without_balance_needs_no_shift():
    assert prior_shift(np.repeat([0, 1], [9, 1]), 2, "none").tolist() == [0, 0]


@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.5])
def test_known_temperature_and_prior_are_recovered(temperature):
    truth, p, patient, shift = sample(n_patients=200, temperature=temperature)
    fitted, note = fit_temperature(truth, p, patient, shift)
    assert (fitted, note) == (pytest.approx(temperature, rel=0.05), "")


def test_temperature_minimizes_the_log_loss_of_the_patients():
    truth, p, patient, shift = sample(n_patients=5)
    kept = np.ones(len(truth), dtype=bool)
    kept[10:60] = False  # one patient with few windows, whose weight is that of the others

    def loss(log_temperature: float) -> float:
        log_q = log_softmax(np.log(p[kept]) / np.exp(log_temperature) + shift, axis=1)
        true = log_q[np.arange(kept.sum()), truth[kept]]
        return -np.mean([true[patient[kept] == name].mean() for name in np.unique(patient[kept])])

    expected = minimize_scalar(loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded")
    fitted, _ = fit_temperature(truth[kept], p[kept], patient[kept], shift)
    assert fitted == pytest.approx(np.exp(expected.x), rel=1e-4)
    q = Calibration(tuple(shift), fitted).apply(p[kept])
    assert patient_log_loss(truth[kept], q, patient[kept]) == pytest.approx(expected.fun, abs=1e-9)


def test_log_loss_of_other_patients_falls():
    truth, p, patient, _ = sample()
    train = np.random.default_rng(1).choice(3, size=5000, p=(0.8, 0.15, 0.05))
    content = fit_calibration(truth, p, patient, train, "sampling", CLASSES)
    assert content["log_loss_before"] > content["log_loss_prior"] > content["log_loss_after"]
    assert (content["n_windows"], content["n_patients"], content["note"]) == (1200, 20, "")
    other_truth, other_p, *_ = sample(seed=9)
    q = Calibration(tuple(content["prior_shift"]), content["temperature"]).apply(other_p)
    np.testing.assert_allclose(q.sum(axis=1), 1)
    assert log_loss(other_truth, q) < log_loss(other_truth, other_p) - 0.2


def test_uninformative_network_gets_the_prior():
    truth, p, patient, shift = sample()
    shuffled = np.random.default_rng(3).permutation(p)
    temperature, _ = fit_temperature(truth, shuffled, patient, shift)
    assert temperature > 8
    q = Calibration(tuple(shift), temperature).apply(shuffled)
    assert abs(q - np.array([0.8, 0.15, 0.05])).mean() < 0.05
    wrong = 1 - np.eye(3)[truth]
    temperature, note = fit_temperature(truth, wrong / 2, patient, shift)
    assert temperature == HIGHEST and "at its upper bound" in note


@pytest.mark.parametrize(
    ("rows", "change", "temperature", "note"),
    [
        (slice(0), None, 1.0, "fewer than 2 validation patients"),
        (slice(60), None, 1.0, "fewer than 2 validation patients"),
        (slice(None), "one class", 1.0, "of one class"),
        (slice(None), "constant", 1.0, "the same probability"),
        (slice(None), "perfect", LOWEST, "at its lower bound"),
    ],
)
def test_validation_sets_without_a_temperature(rows, change, temperature, note):
    truth, p, patient, _ = sample(n_patients=3)
    if change == "one class":
        truth = np.zeros_like(truth)
    if change == "constant":
        p = np.full_like(p, 1 / 3)
    if change == "perfect":
        p = 0.01 + 0.97 * np.eye(3)[truth]
    content = fit_calibration(truth[rows], p[rows], patient[rows], truth, "none", CLASSES)
    assert content["temperature"] == temperature and note in content["note"]
    assert (content["log_loss_before"] is None) == (content["n_windows"] == 0)


def test_borderline_windows_and_zero_probabilities():
    truth, p, patient, _ = sample()
    p[::7] = np.eye(3)[(truth[::7] + 1) % 3]  # certain, and wrong
    all_labeled = fit_calibration(truth, p, patient, truth, "weights", CLASSES)
    assert np.isfinite(all_labeled["log_loss_before"]) and LOWEST < all_labeled["temperature"] <= HIGHEST
    truth[1::7] = -1
    content = fit_calibration(truth, p, patient, truth[truth >= 0], "weights", CLASSES)
    labeled = truth >= 0
    assert content == fit_calibration(truth[labeled], p[labeled], patient[labeled], truth[labeled], "weights", CLASSES)
