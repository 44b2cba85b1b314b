"""Comparison of classifiers: equal to loops, tests hold their level, and identical predictions do not differ."""

import numpy as np
import pytest
from scipy import stats

from bench.levels import DESIGNS, levels
from eegwf.evaluation.bootstrap import patient_draws
from eegwf.evaluation.comparison import Counts, all_pairs, compare, count_windows, fold_scores, replicate_scores
from eegwf.evaluation.paired_tests import fold_test, holm, p_value, patient_error

N_CLASSES, N_FOLDS = 3, 5


def windows(n_patients=15, n_classifiers=4, seed=0):
    """Windows of patients of different sizes: truth, predictions of each classifier, patients and their folds."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), rng.integers(8, 20, n_patients))
    truth = rng.integers(N_CLASSES, size=len(patient))
    truth[patient % 3 == 2] = 0  # patients without seizures
    right = rng.random((n_classifiers, len(truth))) < np.linspace(0.5, 0.8, n_classifiers)[:, None]
    predicted = np.where(right, truth, rng.integers(N_CLASSES, size=(n_classifiers, len(truth))))
    return truth, predicted, patient, np.arange(n_patients) % N_FOLDS + 1


def counts_of(truth, predicted, patient, fold):
    n = len(fold)
    correct = [count_windows(truth[row == truth], patient[row == truth], n, N_CLASSES) for row in predicted]
    return Counts(np.stack(correct), count_windows(truth, patient, n, N_CLASSES), fold, N_FOLDS)


def balanced(truth, predicted, weight=None):
    weight = np.ones(len(truth)) if weight is None else weight
    present = [label for label in range(N_CLASSES) if weight[truth == label].sum() > 0]
    return np.mean(
        [np.average(predicted[truth == label] == label, weights=weight[truth == label]) for label in present]
    )


@pytest.fixture(scope="module")
def study():
    data = windows()
    counts = counts_of(*data)
    draws = patient_draws(len(data[3]), 200, 1)
    return data, counts, draws, compare(counts, all_pairs(4), draws)


def test_differences_and_replicates_equal_a_loop_over_windows(study):
    (truth, predicted, patient, _), counts, draws, compared = study
    replicates = replicate_scores(counts, draws)
    for number, (i, j) in enumerate(all_pairs(4)):
        difference = balanced(truth, predicted[i]) - balanced(truth, predicted[j])
        assert compared.difference[number] == pytest.approx(difference)
        loop = [
            balanced(truth, predicted[i], row[patient]) - balanced(truth, predicted[j], row[patient]) for row in draws
        ]
        np.testing.assert_allclose(replicates[i] - replicates[j], loop, atol=1e-12)
        expected = np.quantile(loop, [0.025, 0.975])
        np.testing.assert_allclose([compared.bootstrap_low[number], compared.bootstrap_high[number]], expected)


def test_test_over_patients_is_the_jackknife(study):
    (truth, predicted, patient, fold), counts, _, compared = study
    n = len(fold)
    for number, (i, j) in enumerate(all_pairs(4)):
        kept = [patient != one for one in range(n)]
        left_out = [
            balanced(truth[rows], predicted[i][rows]) - balanced(truth[rows], predicted[j][rows]) for rows in kept
        ]
        error = np.sqrt((n - 1) / n * np.sum((left_out - np.mean(left_out)) ** 2))
        (found,), (df,) = patient_error(counts.correct[[i]] - counts.correct[[j]], counts.total)
        assert found == pytest.approx(error) and N_CLASSES < df <= n - 1
        t = compared.difference[number] / error
        assert compared.p_patients[number] == pytest.approx(2 * stats.t.sf(abs(t), df))
        bounds = compared.difference[number] + np.array([-1, 1]) * stats.t.ppf(0.975, df) * error
        np.testing.assert_allclose([compared.low[number], compared.high[number]], bounds)


def test_test_over_folds_is_the_corrected_t_test(study):
    (truth, predicted, patient, fold), counts, _, compared = study
    scores = fold_scores(counts)
    for number, (i, j) in enumerate(all_pairs(4)):
        rows = [fold[patient] == one for one in range(1, N_FOLDS + 1)]
        values = [balanced(truth[r], predicted[i][r]) - balanced(truth[r], predicted[j][r]) for r in rows]
        np.testing.assert_allclose(scores[i] - scores[j], values, atol=1e-12)
        plain = stats.ttest_1samp(values, 0).statistic
        t = plain * np.sqrt((1 / N_FOLDS) / (1 / N_FOLDS + 1 / (N_FOLDS - 1)))
        assert compared.p_folds[number] == pytest.approx(2 * stats.t.sf(abs(t), N_FOLDS - 1))


def test_folds_without_a_class_are_left_out():
    truth, predicted, patient, fold = windows()
    truth = np.where(fold[patient] == 2, 0, truth)
    compared = compare(counts_of(truth, predicted, patient, fold), all_pairs(4))
    assert (compared.folds == N_FOLDS - 1).all() and np.isfinite(compared.p_folds).all()
    rows = [fold[patient] == one for one in (1, 3, 4, 5)]
    values = [balanced(truth[r], predicted[0][r]) - balanced(truth[r], predicted[1][r]) for r in rows]
    t = np.mean(values) / np.sqrt(np.var(values, ddof=1) * (1 / 4 + 1 / (N_FOLDS - 1)))
    assert compared.p_folds[0] == pytest.approx(2 * stats.t.sf(abs(t), 3))
    single = windows()
    only = np.where(single[2] > 0, 0, single[0])  # one patient with seizures
    undefined = compare(counts_of(only, *single[1:]), all_pairs(4))
    assert np.isnan(undefined.p_patients).all() and np.isnan(undefined.p_folds).all() and np.isnan(undefined.low).all()


def test_result_does_not_depend_on_blocks(study, monkeypatch):
    _, counts, draws, compared = study
    monkeypatch.setattr("eegwf.evaluation.comparison.CELLS", 1)
    for name, values in vars(compare(counts, all_pairs(4), draws)).items():
        np.testing.assert_array_equal(values, getattr(compared, name))


def test_identical_predictions_do_not_differ(study):
    (truth, predicted, patient, fold), _, draws, _ = study
    same = counts_of(truth, predicted[[2, 2]], patient, fold)
    compared = compare(same, all_pairs(2), draws)
    values = [compared.difference, compared.low, compared.high, compared.bootstrap_low, compared.bootstrap_high]
    assert np.concatenate(values).tolist() == [0.0] * 5
    assert (compared.p_patients[0], compared.p_folds[0]) == (1.0, 1.0)


def test_difference_without_variance_has_the_p_value_of_the_sign_test():
    p = p_value(np.array([0.5, -0.5, 0.0]), np.zeros(3), np.full(3, 4.0), np.full(3, 5))
    assert p.tolist() == [2**-4, 2**-4, 1.0]


def test_holm_equals_a_loop_and_leaves_undefined_values_out():
    rng = np.random.default_rng(0)
    p = rng.random((2, 30)) ** 4
    p[0, 3] = p[1, 7] = np.nan
    flat = sorted(p[~np.isnan(p)])
    bounds = {value: min(1, max((len(flat) - k) * flat[k] for k in range(rank + 1))) for rank, value in enumerate(flat)}
    expected = [[bounds.get(value, np.nan) for value in row] for row in p]
    np.testing.assert_allclose(holm(p), expected)
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])


def test_too_few_folds():
    assert np.isnan(fold_test(np.array([[0.1]]), 5)).all() and np.isnan(fold_test(np.zeros((1, 0)), 5)).all()


@pytest.mark.slow
def test_corrected_test_over_folds_holds_its_level_where_the_plain_one_does_not():
    found = levels(DESIGNS["unstable, 20 patients"], 1000, 5, 100)
    # The standard error of a level of 0.05 is 0.007.
    assert 0.03 <= found["corrected_t"] <= 0.07 < 0.1 < found["plain_t"]
    assert 0.03 <= found["patients"] <= 0.07
    assert 0.15 < found["correlation"] < 0.25  # the correction assumes 1/K


@pytest.mark.slow
def test_test_over_patients_holds_its_level_with_few_patients():
    found = levels(DESIGNS["stable, 12 patients"], 1500, 5)
    assert 0.03 <= found["patients"] <= 0.07 < found["percentile"]
    few = levels(DESIGNS["stable, 20 patients, 8 of both classes"], 1500, 5)
    assert 0.03 <= few["patients"] <= 0.07 < few["percentile"]
