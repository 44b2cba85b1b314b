"""Scores and floors, against scikit-learn and by hand."""

import warnings

import numpy as np
import pytest
from sklearn import metrics

from eegwf.evaluation.baselines import alarms, floors, majority
from eegwf.evaluation.scores import SCORES, class_scores, confusion, scores


def draw(n_classes: int, n_windows: int = 300, seed: int = 0):
    """Labels and coarse probabilities with many ties, better than chance."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_classes, size=n_windows)
    p = rng.random((n_windows, n_classes)) + 0.5 * np.eye(n_classes)[truth]
    p = np.round(p, 1) + 0.1
    p /= p.sum(1, keepdims=True)
    return truth, p.argmax(1), p


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_scores_are_those_of_scikit_learn(n_classes):
    truth, predicted, p = draw(n_classes)
    found = scores(truth, predicted, p)
    ranked = p[:, 1] if n_classes == 2 else p
    assert found == pytest.approx(
        {
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
            "macro_f1": metrics.f1_score(truth, predicted, average="macro"),
            "accuracy": metrics.accuracy_score(truth, predicted),
            "auroc": metrics.roc_auc_score(truth, ranked, multi_class="ovr", average="macro"),
            "auprc": metrics.average_precision_score(truth, ranked, average="macro"),
            "cohen_kappa": metrics.cohen_kappa_score(truth, predicted),
        },
        abs=1e-12,
    )
    assert tuple(found) == SCORES


def test_scores_by_hand():
    truth = np.array([0, 0, 0, 0, 1, 1])
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3], [0.3, 0.7], [0.7, 0.3]])
    found = scores(truth, p.argmax(1), p)
    assert found["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    # Pairs of a seizure above a background: .7 beats all 4; .3 beats 2, ties with 1, loses to .6.
    assert found["auroc"] == pytest.approx((4 + 2.5) / 8)
    # Recall 1/2 at precision 1, then recall 1 at precision 2/4.
    assert found["auprc"] == pytest.approx(0.5 * 1 + 0.5 * 0.5)
    assert confusion(truth, p.argmax(1), 2).tolist() == [[3, 1], [1, 1]]


def test_a_class_that_does_not_occur():
    truth, _, p = draw(3)
    truth[truth == 2] = 0
    predicted = p.argmax(1)
    predicted[predicted == 2] = 1
    found, of_classes = scores(truth, predicted, p), class_scores(truth, predicted, p)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(truth, predicted))
        expected = metrics.f1_score(truth, predicted, labels=[0, 1, 2], average="macro")
    assert found["macro_f1"] == pytest.approx(expected)
    assert found["auroc"] is None and found["auprc"] is None
    assert [of_classes[name][2] for name in of_classes] == [None] * 5
    assert of_classes["auroc"][0] == pytest.approx(metrics.roc_auc_score(truth == 0, p[:, 0]))


def test_class_scores_are_those_of_scikit_learn():
    truth, predicted, p = draw(3, seed=3)
    found = class_scores(truth, predicted, p)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, predicted)
    assert found["precision"] == pytest.approx(precision.tolist())
    assert found["recall"] == pytest.approx(recall.tolist())
    assert found["f1"] == pytest.approx(f1.tolist())
    assert found["auprc"][2] == pytest.approx(metrics.average_precision_score(truth == 2, p[:, 2]))


def test_one_class_alone_and_nothing_at_all():
    p = np.array([[0.9, 0.1], [0.8, 0.2]])
    alone = scores(np.array([0, 0]), np.array([0, 0]), p)
    assert alone["accuracy"] == alone["balanced_accuracy"] == 1.0
    assert alone["auroc"] is None and alone["auprc"] is None and alone["cohen_kappa"] is None
    nothing = np.zeros(0, int)
    assert scores(nothing, nothing, np.zeros((0, 2))) == dict.fromkeys(SCORES)
    assert class_scores(nothing, nothing, np.zeros((0, 2)))["recall"] == [None, None]


def test_majority_of_the_other_folds():
    #  fold 1: classes 1 1 1 · fold 2: 0 0 1 · fold 3: 0 0
    truth = np.array([1, 1, 1, 0, 0, 1, 0, 0])
    fold = np.array([1, 1, 1, 2, 2, 2, 3, 3])
    # Elsewhere: fold 1 sees 4x0 1x1 -> 0; fold 2 sees 2x0 3x1 -> 1; fold 3 sees 2x0 4x1 -> 1.
    assert majority(truth, fold, 2).tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    found = floors(truth, fold, 2)
    assert found["majority"]["accuracy"] == 1 / 8
    assert found["majority"]["balanced_accuracy"] == pytest.approx((0 / 4 + 1 / 4) / 2)
    assert found["chance"] == {"balanced_accuracy": 0.5}


def test_majority_takes_the_first_class_on_a_tie():
    assert majority(np.array([1, 0, 2, 1]), np.array([1, 2, 2, 3]), 3).tolist() == [0, 1, 1, 0]


def found_alarms(truth, predicted, fold, classes=("bckg", "foc", "gen")):
    truth, predicted, n = np.array(truth), np.array(predicted), len(classes)
    of = {"rank1": scores(truth, predicted, np.eye(n)[predicted])}
    return alarms(of, {"rank1": confusion(truth, predicted, n)}, truth, np.array(fold), list(classes))


def test_alarms():
    truth, fold = [0, 0, 0, 0, 1, 2], [1, 1, 1, 2, 2, 1]
    perfect = found_alarms(truth, truth, fold)
    assert "alarm, not a success: look for a leak" in perfect[0]
    assert perfect[1:] == ["test fold 1 has no window of foc", "test fold 2 has no window of gen"]
    poor = found_alarms(truth, [1, 1, 0, 0, 1, 1], fold)
    assert "accuracy of rank1 (down to 0.500) is below 0.667, the share of bckg" in poor[0]
    assert poor[1] == "rank1 never predicted gen"
    assert found_alarms([0, 1, 2] * 2, [0, 1, 2, 0, 1, 1], [1, 1, 1, 2, 2, 2]) == []
