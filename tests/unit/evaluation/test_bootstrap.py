"""The patient bootstrap, replicate by replicate against scikit-learn with sample weights."""

import warnings

import numpy as np
import pytest
from sklearn import metrics

from eegwf.evaluation.bootstrap import interval, patient_draws, replicate_scores


def draw(n_classes: int, n_patients: int = 9, n_windows: int = 160, seed: int = 1):
    """Predictions with ties; some patients lack classes, so that some replicates do."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(n_patients, size=n_windows)
    truth = np.where(patient < n_patients - 2, 0, rng.integers(n_classes, size=n_windows))
    p = rng.random((n_windows, n_classes)) + 0.4 * np.eye(n_classes)[truth]
    p = np.round(p, 1) + 0.1
    p /= p.sum(1, keepdims=True)
    return truth, p.argmax(1), p, patient


def sklearn_scores(truth, predicted, p, weight):
    """One replicate by scikit-learn; NaN where a score is undefined."""
    n = p.shape[1]
    weigh = {"sample_weight": weight}
    labels = np.arange(n)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=np.nan, **weigh
    )
    auroc, auprc = np.full((2, n), np.nan)
    for c in range(n):
        if 0 < support[c] < weight.sum():
            auroc[c] = metrics.roc_auc_score(truth == c, p[:, c], **weigh)
            auprc[c] = metrics.average_precision_score(truth == c, p[:, c], **weigh)
    return {
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted, **weigh),
        "macro_f1": metrics.f1_score(truth, predicted, labels=labels, average="macro", zero_division=0, **weigh),
        "accuracy": metrics.accuracy_score(truth, predicted, **weigh),
        "cohen_kappa": metrics.cohen_kappa_score(truth, predicted, **weigh),
        "auroc": auroc[1] if n == 2 else auroc.mean(),
        "auprc": auprc[1] if n == 2 else auprc.mean(),
        "class_recall": recall,
        "class_precision": precision,
        "class_f1": f1,
        "class_auroc": auroc,
        "class_auprc": auprc,
    }


@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_replicate_is_that_of_scikit_learn(n_classes):
    truth, predicted, p, patient = draw(n_classes)
    draws = patient_draws(9, 60, seed=5)
    found = replicate_scores(truth, predicted, p, patient, draws)
    undefined = 0
    for at, weights in enumerate(draws):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = sklearn_scores(truth, predicted, p, weights[patient])
        assert set(found) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][at], value, rtol=0, atol=1e-12, err_msg=name)
        undefined += np.isnan(expected["auroc"])
    assert 0 < undefined < 60  # both kinds of replicate were compared


def test_the_result_does_not_depend_on_the_block():
    truth, predicted, p, patient = draw(3)
    draws = patient_draws(9, 23, seed=2)
    whole = replicate_scores(truth, predicted, p, patient, draws)
    blocks = replicate_scores(truth, predicted, p, patient, draws, cells=5 * len(truth))
    single = replicate_scores(truth, predicted, p, patient, draws, cells=1)
    for name in whole:
        np.testing.assert_array_equal(whole[name], blocks[name])
        np.testing.assert_array_equal(whole[name], single[name])


def test_draws_are_with_replacement_and_seeded():
    draws = patient_draws(20, 4000, seed=1)
    assert (draws.sum(1) == 20).all()
    # A patient is absent with probability (1 - 1/20)^20 = .358 and drawn once on average.
    assert (draws == 0).mean() == pytest.approx(0.95**20, abs=0.01)
    assert draws.mean(0) == pytest.approx(np.ones(20), abs=0.07)
    np.testing.assert_array_equal(draws, patient_draws(20, 4000, seed=1))
    assert (draws != patient_draws(20, 4000, seed=2)).any()


def test_the_interval_has_its_percentiles_and_counts_what_is_undefined():
    values = np.arange(101.0)
    assert interval(values, 0.9) == (pytest.approx(5), pytest.approx(95), 0)
    assert interval(np.append(values, [np.nan] * 101), 0.9) == (pytest.approx(5), pytest.approx(95), 101)
    assert interval(np.append(values, [np.nan] * 102), 0.9) == (None, None, 102)


def test_intervals_follow_patients_not_windows():
    # 10 patients wholly right, 10 wholly wrong, 50 windows each: the standard error is that of 20 patients.
    patient = np.repeat(np.arange(20), 50)
    predicted = (patient % 2).astype(int)
    truth = np.zeros(1000, int)
    found = replicate_scores(truth, predicted, np.eye(2)[predicted], patient, patient_draws(20, 4000, seed=0))
    assert found["accuracy"].std() == pytest.approx(np.sqrt(0.25 / 20), rel=0.05)
