"""Patient bootstrap: each replicate equals scikit-learn with sample weights."""

import warnings

import numpy as np
import pytest
from sklearn import metrics

from eegwf.evaluation.bootstrap import interval, patient_draws, replicate_scores


def draw(n_classes: int, n_patients: int = 9, n_windows: int = 160, seed: int = 1):
    """Predictions with ties; some patients, and so some replicates, have no window of a class."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(n_patients, size=n_windows)
    truth = np.where(patient < n_patients - 2, 0, rng.integers(n_classes, size=n_windows))
    p = rng.random((n_windows, n_classes)) + 0.4 * np.eye(n_classes)[truth]
    p = np.round(p, 1) + 0.1
    p /= p.sum(1, keepdims=True)
    return truth, p.argmax(1), p, patient


def sklearn_scores(truth, predicted, p, weight):
    """Scores of a replicate, computed with scikit-learn; NaN where undefined."""
    n = p.shape[1]
    weights = {"sample_weight": weight}
    labels = np.arange(n)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=np.nan, **weights
    )
    auroc, auprc = np.full((2, n), np.nan)
    for c in range(n):
        if 0 < support[c] < weight.sum():
            auroc[c] = metrics.roc_auc_score(truth == c, p[:, c], **weights)
            auprc[c] = metrics.average_precision_score(truth == c, p[:, c], **weights)
    return {
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted, **weights),
        "macro_f1": metrics.f1_score(truth, predicted, labels=labels, average="macro", zero_division=0, **weights),
        "accuracy": metrics.accuracy_score(truth, predicted, **weights),
        "cohen_kappa": metrics.cohen_kappa_score(truth, predicted, **weights),
        "auroc": auroc[1] if n == 2 else auroc.mean(),
        "auprc": auprc[1] if n == 2 else auprc.mean(),
        "class_recall": recall,
        "class_precision": precision,
        "class_f1": f1,
        "class_auroc": auroc,
        "class_auprc": auprc,
    }


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [2, 3])
def test_replicates_equal_scikit_learn_with_sample_weights(n_classes):
    truth, predicted, p, patient = draw(n_classes)
    draws = patient_draws(9, 60, seed=5)
    replicates = replicate_scores(truth, predicted, p, patient, draws)
    undefined = 0
    for number, weights in enumerate(draws):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = sklearn_scores(truth, predicted, p, weights[patient])
        assert set(replicates) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(replicates[name][number], value, rtol=0, atol=1e-12, err_msg=name)
        undefined += np.isnan(expected["auroc"])
    assert 0 < undefined < 60  # defined and undefined replicates were compared


def test_block_size_does_not_change_replicates():
    truth, predicted, p, patient = draw(3)
    draws = patient_draws(9, 23, seed=2)
    whole = replicate_scores(truth, predicted, p, patient, draws)
    blocks = replicate_scores(truth, predicted, p, patient, draws, cells=5 * len(truth))
    single = replicate_scores(truth, predicted, p, patient, draws, cells=1)
    for name in whole:
        np.testing.assert_array_equal(whole[name], blocks[name])
        np.testing.assert_array_equal(whole[name], single[name])


def test_patients_are_drawn_with_replacement_from_the_seed():
    draws = patient_draws(20, 4000, seed=1)
    assert (draws.sum(1) == 20).all()
    # A patient is not drawn with probability (1 - 1/20)^20 = .358; the mean number of draws is 1.
    assert (draws == 0).mean() == pytest.approx(0.95**20, abs=0.01)
    assert draws.mean(0) == pytest.approx(np.ones(20), abs=0.07)
    np.testing.assert_array_equal(draws, patient_draws(20, 4000, seed=1))
    assert (draws != patient_draws(20, 4000, seed=2)).any()


def test_interval_omits_and_counts_undefined_replicates():
    values = np.arange(101.0)
    assert interval(values, 0.9) == (pytest.approx(5), pytest.approx(95), 0)
    assert interval(np.append(values, [np.nan] * 101), 0.9) == (pytest.approx(5), pytest.approx(95), 101)
    assert interval(np.append(values, [np.nan] * 102), 0.9) == (None, None, 102)


def test_standard_error_is_that_of_the_patients():
    # 10 patients without errors and 10 without correct predictions, 50 windows each: 20 independent values.
    patient = np.repeat(np.arange(20), 50)
    predicted = (patient % 2).astype(int)
    truth = np.zeros(1000, int)
    replicates = replicate_scores(truth, predicted, np.eye(2)[predicted], patient, patient_draws(20, 4000, seed=0))
    assert replicates["accuracy"].std() == pytest.approx(np.sqrt(0.25 / 20), rel=0.05)
