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
    occurs = np.bincount(truth, minlength=n) > 0
    complete = (support[occurs] > 0).all()  # otherwise the score would average over other classes than the cohort has
    auroc, auprc = np.full((2, n), np.nan)
    for c in range(n):
        if 0 < support[c] < weight.sum():
            auroc[c] = metrics.roc_auc_score(truth == c, p[:, c], **weights)
            auprc[c] = metrics.average_precision_score(truth == c, p[:, c], **weights)
    return {
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted, **weights) if complete else np.nan,
        "macro_f1": metrics.f1_score(truth, predicted, labels=labels, average="macro", zero_division=0, **weights)
        if complete
        else np.nan,
        "accuracy": metrics.accuracy_score(truth, predicted, **weights),
        "cohen_kappa": metrics.cohen_kappa_score(truth, predicted, **weights),
        "mcc": metrics.matthews_corrcoef(truth, predicted, **weights) if (support > 0).sum() > 1 else np.nan,
        **detection(truth, p, weights),
        "auroc": auroc[1] if n == 2 else auroc.mean(),
        "auprc": auprc[1] if n == 2 else auprc.mean(),
        "class_recall": recall,
        "class_specificity": [recall_of_others(truth, predicted, c, weights) for c in labels],
        "class_precision": precision,
        "class_f1": f1,
        "class_auroc": auroc,
        "class_auprc": auprc,
    }


def recall_of_others(truth, predicted, label, weights):
    """Specificity of a class: recall of the windows of the other classes."""
    return metrics.recall_score(truth != label, predicted != label, zero_division=np.nan, **weights)


def detection(truth, p, weights):
    """AUROC and sensitivity at specificity .8 of any class but the first, the sensitivity by a loop over thresholds."""
    weight, positive = weights["sample_weight"], truth != 0
    n, rest = weight[positive].sum(), weight[~positive].sum()
    if not n or not rest:
        return {"detection_auroc": np.nan, "sensitivity_at_specificity": np.nan}
    best = 0.0
    for threshold in np.unique(p[:, 0]):
        detected = p[:, 0] <= threshold
        if weight[~positive & ~detected].sum() / rest >= 0.8 - 1e-9:
            best = max(best, weight[positive & detected].sum() / n)
    auroc = metrics.roc_auc_score(positive, -p[:, 0], **weights)
    return {"detection_auroc": auroc, "sensitivity_at_specificity": best}


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [2, 3])
def test_replicates_equal_scikit_learn_with_sample_weights(n_classes):
    truth, predicted, p, patient = draw(n_classes)
    draws = patient_draws(9, 60, seed=5)
    replicates = replicate_scores(truth, predicted, p, patient, draws, specificity=0.8)
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


def test_replicates_without_a_class_of_the_cohort_are_undefined_and_counted():
    # Always background; the third class is that of two patients of eight, who are not drawn in (3/4)^8 = .10 of all.
    truth = np.repeat([0, 1, 0, 1, 0, 1, 2, 2], 10)
    predicted, patient = np.zeros(80, int), np.repeat(np.arange(8), 10)
    draws = patient_draws(8, 500, seed=1)
    replicates = replicate_scores(truth, predicted, np.eye(3)[predicted], patient, draws)
    held = np.stack([draws[:, [0, 2, 4]].any(1), draws[:, [1, 3, 5]].any(1), draws[:, 6:].any(1)]).all(0)
    for name in ("balanced_accuracy", "macro_f1"):
        assert (np.isnan(replicates[name]) == ~held).all()
    low, high, undefined = interval(replicates["balanced_accuracy"], 0.95)
    assert (low, high) == (pytest.approx(1 / 3), pytest.approx(1 / 3)) and undefined == (~held).sum() > 30
    # A class that no patient has is no reason: it is omitted from the mean in every replicate.
    absent = replicate_scores(truth % 2, predicted, np.eye(3)[predicted], patient, draws)["balanced_accuracy"]
    assert np.nanmin(absent) == 0.5


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
