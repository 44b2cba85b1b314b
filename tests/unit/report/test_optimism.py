"""Selection optimism: paired by patients, with an interval that is corrected for overlapping training sets."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from bench.optimism import DESIGNS, coverage
from eegwf.report.optimism import Difference, mean_optimism
from eegwf.report.selection import fold_scores, selection_optimism
from tests.helpers.report_page import report_data
from tests.helpers.report_study import write_study

N_FOLDS = 5


def single(values, ratio=1 / (N_FOLDS - 2)):
    """Differences of disjoint validation folds."""
    return [Difference((fold,), 0.5 + value, 0.5, ratio) for fold, value in enumerate(values, start=1)]


def with_scores(run, accuracies, tuned, classes_of=None):
    """The content of a report with another accuracy in each fold, and other values of the inner folds of tuning."""
    rng = np.random.default_rng(1)
    table = run.predictions.copy()
    if classes_of is not None:
        keep = [label in ("", *classes_of[fold]) for label, fold in zip(table["label"], table["fold"], strict=True)]
        table = table[keep]
    right = rng.random(len(table)) < np.array([accuracies[fold] for fold in table["fold"]])
    other = np.where(table["label"] == run.classes[0], run.classes[1], run.classes[0])
    table["predicted"] = np.where(right | (table["label"] == ""), table["label"].replace("", run.classes[0]), other)
    run = replace(run, predictions=table)
    outer = []
    for fold in run.outer:
        values = tuned(run, fold.number)
        trials = pd.DataFrame([{"trial": 0, "value": np.mean(values)}])
        trials = trials.assign(**{f"value_inner{inner}": [value] for inner, value in enumerate(values, start=1)})
        outer.append(replace(fold, trials=trials, best=[fold.best[0] | {"trial": 0, "value": np.mean(values)}]))
    return replace(run, outer=outer)


def test_score(run, *folds):
    table = run.predictions
    table = table[(table["member"] == "rank1") & (table["label"] != "") & table["fold"].isin(folds)]
    return balanced_accuracy_score(table["label"], table["predicted"])


test_score.__test__ = False


def study(tmp_path, n_folds=N_FOLDS, mode="per_fold", inner_folds=1, patients=2):
    tuning = {"mode": mode, "allow_optimistic": mode == "once", "inner_folds": inner_folds}
    names = [f"p{number:02d}" for number in range(patients * n_folds)]
    written = write_study(tmp_path, n_folds=n_folds, n_ranks=1, patients=names, overrides={"tuning": tuning})
    return report_data(written, tmp_path)


def test_optimism_is_paired_by_patients(tmp_path):
    """Folds differ much in difficulty, and every tuned value is 0.05 above the test score of its patients."""
    accuracies = {1: 0.55, 2: 0.95, 3: 0.6, 4: 0.9, 5: 0.7}
    run = with_scores(study(tmp_path), accuracies, lambda run, fold: [test_score(run, fold % N_FOLDS + 1) + 0.05])
    folds = fold_scores(run)
    optimism = selection_optimism(run, folds, 0.95)
    assert [optimism.value, optimism.low, optimism.high] == pytest.approx([0.05] * 3, abs=1e-6)
    assert [fold.optimism for fold in folds] == pytest.approx([0.05] * N_FOLDS, abs=1e-6)
    for fold in folds:
        assert fold.same_patients == pytest.approx(test_score(run, fold.fold % N_FOLDS + 1))
        assert fold.first == pytest.approx(test_score(run, fold.fold))
    # The tuned value of a fold and the test score of the same fold are of different patients.
    unpaired = mean_optimism(single([fold.tuned - fold.first for fold in folds]), 0.95)
    assert unpaired.value == pytest.approx(0.05, abs=1e-6) and unpaired.high - unpaired.low > 0.5


def test_interval_is_corrected_for_overlapping_training_sets():
    # Mean 0.04; corrected variance s² (1/4 + 1/3) for a ratio of 1/3; t of 3 degrees of freedom at 95 % is 3.1824.
    values = [0.0, 0.02, 0.06, 0.08]
    optimism = mean_optimism(single(values), 0.95)
    variance = (0.04**2 + 0.02**2 + 0.02**2 + 0.04**2) / 3
    reach = 3.182446 * np.sqrt(variance * (1 / 4 + 1 / 3))
    assert (optimism.value, optimism.low, optimism.high) == pytest.approx((0.04, 0.04 - reach, 0.04 + reach), abs=1e-6)
    wider = mean_optimism(single(values), 0.99)
    assert wider.high - 0.04 == pytest.approx(reach * stats.t.ppf(0.995, 3) / stats.t.ppf(0.975, 3), rel=1e-6)
    one = mean_optimism(single([0.1]), 0.95)
    assert (one.low, one.reason) == (None, "only one fold")
    assert mean_optimism([], 0.95).value is None


def test_differences_of_the_same_patients_are_one_unit():
    values = [0.0, 0.02, 0.06, 0.08]
    twice = [one for one in single(values) for _ in range(2)]
    expected, found = mean_optimism(single(values), 0.95), mean_optimism(twice, 0.95)
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))
    chain = [Difference(folds, 0.6, 0.5, 0.5) for folds in ((1, 2), (2, 3), (3, 4))]
    assert mean_optimism(chain, 0.95).reason == "all validation sets share patients"
    chain.append(Difference((5,), 0.7, 0.5, 0.5))
    assert mean_optimism(chain, 0.95).low is not None


def test_inner_folds_are_paired_each(tmp_path):
    def tuned(run, fold):
        return [test_score(run, (fold - 1 + inner) % N_FOLDS + 1) + 0.01 * inner for inner in (1, 2, 3)]

    run = with_scores(study(tmp_path, inner_folds=3), {1: 0.5, 2: 0.9, 3: 0.6, 4: 0.9, 5: 0.7}, tuned)
    folds = fold_scores(run)
    assert [fold.optimism for fold in folds] == pytest.approx([0.02] * N_FOLDS, abs=1e-6)
    assert [one.folds for one in folds[3].differences] == [(5,), (1,), (2,)]
    optimism = selection_optimism(run, folds, 0.95)
    # Each fold is validated by three outer folds, with the same mean difference.
    assert [optimism.value, optimism.low, optimism.high] == pytest.approx([0.02] * 3, abs=1e-6)


def test_joined_validation_folds_are_compared_with_the_same_windows(tmp_path):
    """One patient in each fold, and seizures in every second one, as with leave-one-patient-out."""
    run = study(tmp_path, n_folds=6, patients=1)
    classes_of = {fold: run.classes[: 1 + (fold % 2 == 0)] for fold in range(1, 7)}

    def tuned(run, fold):
        following = [(fold - 1 + step) % 6 + 1 for step in (1, 2)]
        return [test_score(run, *following[: 1 + (following[0] % 2 == 1)]) + 0.05]

    run = with_scores(run, {fold: 0.5 + 0.08 * fold for fold in range(1, 7)}, tuned, classes_of)
    folds = fold_scores(run)
    assert [fold.differences[0].folds for fold in folds] == [(2,), (3, 4), (4,), (5, 6), (6,), (1, 2)]
    assert folds[1].differences[0].ratio == pytest.approx(2 / 3)
    optimism = selection_optimism(run, folds, 0.95)
    assert [optimism.value, optimism.low, optimism.high] == pytest.approx([0.05] * 3, abs=1e-6)


def test_reserved_and_once_compare_the_fold_itself(tmp_path):
    accuracies = {1: 0.6, 2: 0.7, 3: 0.8}
    run = with_scores(study(tmp_path / "a", 3, "reserved"), accuracies, lambda run, fold: [0.9])
    folds = fold_scores(run)
    expected = [0.9 - test_score(run, fold) for fold in (1, 2, 3)]
    assert [fold.optimism for fold in folds] == pytest.approx(expected) and folds[0].same_patients is None
    assert selection_optimism(run, folds, 0.95) == mean_optimism(single(expected, 1 / 2), 0.95)
    once = with_scores(study(tmp_path / "b", 3, "once"), accuracies, lambda run, fold: [0.9])
    optimism = selection_optimism(once, fold_scores(once), 0.95)
    assert optimism.value == pytest.approx(0.9 - test_score(once, 1)) and optimism.reason == "only one fold"


def test_a_fold_without_a_class_is_not_compared_with_reserved_patients(tmp_path):
    run = study(tmp_path, 3, "reserved")
    classes_of = {1: run.classes, 2: run.classes[:1], 3: run.classes}
    run = with_scores(run, {1: 0.6, 2: 0.7, 3: 0.8}, lambda run, fold: [0.9], classes_of)
    folds = fold_scores(run)
    assert [fold.optimism is None for fold in folds] == [False, True, False]
    optimism = selection_optimism(run, folds, 0.95)
    assert optimism.value == pytest.approx(0.9 - test_score(run, 1, 2, 3)) and optimism.low is None
    assert optimism.reason == "a test fold lacks a class, so the folds are pooled"


@pytest.mark.slow
def test_interval_contains_the_mean_optimism_and_is_narrower_than_without_pairing():
    found = coverage(DESIGNS[0], 150, 1)
    assert found["optimism"] > 0.05 and found["paired_coverage"] >= 0.95
    assert found["paired_width"] < 0.8 * found["unpaired_width"]
