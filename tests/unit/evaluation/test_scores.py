"""Scores and baselines: equal to scikit-learn and to values computed by hand."""

import warnings

import numpy as np
import pytest
from sklearn import metrics

from eegwf.evaluation.baselines import baselines, majority, sanity_warnings
from eegwf.evaluation.scores import CLASS_SCORES, SCORES, class_scores, confusion, scores


def draw(n_classes: int, n_windows: int = 300, seed: int = 0):
    """True and predicted classes above chance level, and probabilities with many ties."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_windows)
    p = rng.random((n_windows, n_classes)) + 0.5 * np.eye(n_classes)[truth]
    p = np.round(p, 1) + 0.1
    p /= p.sum(1, keepdims=True)
    return truth, p.argmax(1), p


def sensitivity(positive, background, specificity):
    """Largest sensitivity of a threshold of p of the background, by a loop over the thresholds."""
    best = 0.0
    for threshold in np.unique(background):
        detected = background <= threshold
        if (~detected[~positive]).mean() >= specificity:
            best = max(best, detected[positive].mean())
    return best


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_scores_equal_scikit_learn(n_classes):
    truth, predicted, p = draw(n_classes)
    values = scores(truth, predicted, p)
    ranked = p[:, 1] if n_classes == 2 else p
    assert values == pytest.approx(
        {
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
            "macro_f1": metrics.f1_score(truth, predicted, average="macro"),
            "accuracy": metrics.accuracy_score(truth, predicted),
            "auroc": metrics.roc_auc_score(truth, ranked, multi_class="ovr", average="macro"),
            "auprc": metrics.average_precision_score(truth, ranked, average="macro"),
            "cohen_kappa": metrics.cohen_kappa_score(truth, predicted),
            "mcc": metrics.matthews_corrcoef(truth, predicted),
            "sensitivity_at_specificity": sensitivity(truth != 0, p[:, 0], 0.95),
        },
        abs=1e-12,
    )
    assert tuple(values) == SCORES


def test_scores_equal_values_by_hand():
    truth = np.array([0, 0, 0, 0, 1, 1])
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3], [0.3, 0.7], [0.7, 0.3]])
    values = scores(truth, p.argmax(1), p)
    assert values["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    # Pairs of a seizure and a background window: .7 is above all 4; .3 is above 2, equal to 1 and below 1.
    assert values["auroc"] == pytest.approx((4 + 2.5) / 8)
    # Recall 1/2 at precision 1, then recall 1 at precision 2/4.
    assert values["auprc"] == pytest.approx(0.5 * 1 + 0.5 * 0.5)
    assert confusion(truth, p.argmax(1), 2).tolist() == [[3, 1], [1, 1]]


def test_scores_of_an_absent_class_are_undefined():
    truth, _, p = draw(3)
    truth[truth == 2] = 0
    predicted = p.argmax(1)
    predicted[predicted == 2] = 1
    values, class_values = scores(truth, predicted, p), class_scores(truth, predicted, p)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert values["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(truth, predicted))
        expected = metrics.f1_score(truth, predicted, labels=[0, 1, 2], average="macro")
    assert values["macro_f1"] == pytest.approx(expected)
    assert values["auroc"] is None and values["auprc"] is None
    specificity = metrics.recall_score(truth != 2, predicted != 2)
    assert [class_values[name][2] for name in CLASS_SCORES] == [None, specificity, None, None, None, None]
    assert class_values["auroc"][0] == pytest.approx(metrics.roc_auc_score(truth == 0, p[:, 0]))


def test_class_scores_equal_scikit_learn():
    truth, predicted, p = draw(3, seed=3)
    values = class_scores(truth, predicted, p)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, predicted)
    assert values["precision"] == pytest.approx(precision.tolist())
    assert values["recall"] == pytest.approx(recall.tolist())
    assert values["f1"] == pytest.approx(f1.tolist())
    expected = [metrics.recall_score(truth != c, predicted != c) for c in range(3)]
    assert values["specificity"] == pytest.approx(expected)
    assert values["auprc"][2] == pytest.approx(metrics.average_precision_score(truth == 2, p[:, 2]))


def test_scores_of_one_class_and_of_no_windows():
    p = np.array([[0.9, 0.1], [0.8, 0.2]])
    one_class = scores(np.array([0, 0]), np.array([0, 0]), p)
    assert one_class["accuracy"] == one_class["balanced_accuracy"] == 1.0
    undefined = ("auroc", "auprc", "cohen_kappa", "mcc", "sensitivity_at_specificity")
    assert all(one_class[name] is None for name in undefined)
    empty = np.zeros(0, int)
    assert scores(empty, empty, np.zeros((0, 2))) == dict.fromkeys(SCORES)
    assert class_scores(empty, empty, np.zeros((0, 2)))["recall"] == [None, None]


def test_equal_predictions_have_no_correlation():
    truth, predicted = np.array([0, 0, 1, 2]), np.zeros(4, int)
    assert scores(truth, predicted, np.eye(3)[predicted])["mcc"] == metrics.matthews_corrcoef(truth, predicted) == 0


def test_sensitivity_at_specificity_by_hand():
    truth = np.array([0] * 20 + [1] * 4)
    background = np.concatenate([np.linspace(0.5, 0.9, 19), [0.1], [0.05, 0.1, 0.2, 0.95]])
    p = np.stack([background, 1 - background], axis=1)
    at = {
        specificity: scores(truth, p.argmax(1), p, specificity)["sensitivity_at_specificity"]
        for specificity in (0.94, 0.95, 0.96)
    }
    # Specificity .95 allows one of 20 background windows, which is tied with the second seizure window.
    assert at == {0.94: 0.75, 0.95: 0.75, 0.96: 0.25}


def test_majority_is_the_most_frequent_class_of_the_other_folds():
    #  fold 1: classes 1 1 1 · fold 2: 0 0 1 · fold 3: 0 0
    truth = np.array([1, 1, 1, 0, 0, 1, 0, 0])
    fold = np.array([1, 1, 1, 2, 2, 2, 3, 3])
    # Other folds of fold 1: 4x0 1x1 -> 0; of fold 2: 2x0 3x1 -> 1; of fold 3: 2x0 4x1 -> 1.
    assert majority(truth, fold, 2).tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    values = baselines(truth, fold, 2)
    assert values["majority"]["accuracy"] == 1 / 8
    assert values["majority"]["balanced_accuracy"] == pytest.approx((0 / 4 + 1 / 4) / 2)
    assert values["chance"] == {"balanced_accuracy": 0.5}


def test_majority_is_the_first_class_on_a_tie():
    assert majority(np.array([1, 0, 2, 1]), np.array([1, 2, 2, 3]), 3).tolist() == [0, 1, 1, 0]


def warnings_of(truth, predicted, fold, classes=("bckg", "foc", "gen")):
    """Sanity warnings of a single member."""
    truth, predicted, n = np.array(truth), np.array(predicted), len(classes)
    values = {"rank1": scores(truth, predicted, np.eye(n)[predicted])}
    return sanity_warnings(values, {"rank1": confusion(truth, predicted, n)}, truth, np.array(fold), list(classes))


def test_sanity_warnings():
    truth, fold = [0, 0, 0, 0, 1, 2], [1, 1, 1, 2, 2, 1]
    perfect = warnings_of(truth, truth, fold)
    assert "which is implausible for patient-wise evaluation of scalp EEG: check the study for leakage" in perfect[0]
    assert perfect[1:] == ["test fold 1 has no window of foc", "test fold 2 has no window of gen"]
    poor = warnings_of(truth, [1, 1, 0, 0, 1, 1], fold)
    assert "accuracy of rank1 (down to 0.500) is below 0.667, the fraction of bckg windows" in poor[0]
    assert poor[1] == "rank1 never predicted gen"
    assert warnings_of([0, 1, 2] * 2, [0, 1, 2, 0, 1, 1], [1, 1, 1, 2, 2, 2]) == []
