"""Conformal sets over patients: the quantile, the coverage with patient effects, and what is reported."""

import numpy as np
import pytest

from eegwf.evaluation.conformal import conformal, patient_quantile, prediction_sets, true_class_scores


def test_quantile_gives_every_patient_the_same_weight():
    score = np.array([0.1, 0.2, 0.3, 0.4, 0.9])
    patient = np.array(["a", "a", "a", "a", "b"], dtype=object)
    # Weights 1/12 for each window of a, 1/3 for that of b, and 1/3 at infinity.
    assert patient_quantile(score, patient, 0.34) == 0.9
    assert patient_quantile(score, patient, 0.67) == 0.4
    assert patient_quantile(score, patient, 0.3) == np.inf
    assert patient_quantile(score[:0], patient[:0], 0.5) == np.inf


@pytest.mark.parametrize(("n_patients", "finite"), [(8, False), (9, True), (19, True)])
def test_smallest_number_of_patients(n_patients, finite):
    score = np.arange(n_patients) / n_patients
    patient = np.array([f"p{n}" for n in range(n_patients)], dtype=object)
    assert np.isfinite(patient_quantile(score, patient, 0.1)) == finite


def test_quantile_equals_that_of_the_windows_if_every_patient_has_one():
    score = np.random.default_rng(0).random(50)
    patient = np.array([f"p{n:02d}" for n in range(50)], dtype=object)
    assert patient_quantile(score, patient, 0.1) == np.sort(score)[int(np.ceil(0.9 * 51)) - 1]


@pytest.mark.parametrize("unequal", [False, True])
def test_coverage_of_new_patients_with_strong_patient_effects(unequal):
    """A quantile over windows covers too few windows of new patients; that over patients covers enough."""
    rng, n_patients, alpha = np.random.default_rng(5), 14, 0.1
    covered = {"patients": [], "windows": []}
    for _ in range(3000):
        effect = rng.normal(size=n_patients + 1)
        # With unequal lengths, patients whose windows are easy have long recordings.
        n_windows = np.where(effect < 0, 200, 20) if unequal else np.full(n_patients + 1, 60)
        patient = np.repeat(np.arange(n_patients + 1), n_windows)
        score = effect[patient] + 0.2 * rng.normal(size=len(patient))
        new = patient == n_patients
        names = patient[~new].astype(str).astype(object)
        n = (~new).sum()
        thresholds = {
            "patients": patient_quantile(score[~new], names, alpha),
            "windows": np.sort(score[~new])[int(np.ceil((1 - alpha) * (n + 1))) - 1],
        }
        for kind, threshold in thresholds.items():
            covered[kind].append((score[new] <= threshold).mean())
    mean = {kind: np.mean(values) for kind, values in covered.items()}
    error = 3 * np.std(covered["patients"]) / np.sqrt(3000)
    assert 0.9 - error <= mean["patients"] <= 0.97
    assert mean["windows"] < 0.9 - error


def test_sets_are_never_empty_and_contain_all_classes_without_a_threshold():
    p = np.array([[0.5, 0.3, 0.2], [0.34, 0.33, 0.33]])
    assert prediction_sets(p, 0.1).tolist() == [[True, False, False], [True, False, False]]
    assert prediction_sets(p, 0.7).tolist() == [[True, True, False], [True, True, True]]
    assert prediction_sets(p, np.inf).all()
    np.testing.assert_allclose(true_class_scores(np.array([1, 0]), p), [0.7, 0.66])


def test_report_of_folds_with_and_without_enough_patients():
    rng = np.random.default_rng(3)

    def part(names):
        patient = np.repeat(np.array(names, dtype=object), 30)
        p = rng.dirichlet([2, 1], size=len(patient))
        return (rng.random(len(patient)) > p[:, 0]).astype(int), p, patient

    test = {1: part(["a", "b"]), 2: part(["c"]), 3: part(["d"])}
    validation = {1: part([f"v{n}" for n in range(12)]), 2: part(["a", "b"])}
    found = conformal(test, validation, 0.1, ["background", "seizure"])
    assert [fold["n_patients"] for fold in found["folds"]] == [12, 2, 0]
    assert [fold["threshold"] is None for fold in found["folds"]] == [False, True, True]
    assert found["folds"][1]["smallest_alpha"] == pytest.approx(1 / 3)
    truth, p, patient = test[1]
    threshold = patient_quantile(true_class_scores(*validation[1][:2]), validation[1][2], 0.1)
    assert found["folds"][0]["threshold"] == threshold
    sets = prediction_sets(p, threshold)
    hits = sets[np.arange(60), truth]
    by_name = {entry["patient"]: entry for entry in found["per_patient"]}
    for name in ("a", "b"):
        assert by_name[name]["coverage"] == pytest.approx(hits[patient == name].mean())
        assert by_name[name]["mean_size"] == pytest.approx(sets[patient == name].sum(axis=1).mean())
    assert by_name["c"] == {"patient": "c", "fold": 2, "n_windows": 30, "coverage": 1, "mean_size": 2}
    assert found["coverage"] == pytest.approx((hits.sum() + 60) / 120)
    coverages = [by_name[name]["coverage"] for name in "abcd"]
    assert found["patients"] == pytest.approx(
        {
            "mean": np.mean(coverages),
            "min": min(coverages),
            "median": np.median(coverages),
            "below": np.mean(np.array(coverages) < 0.9),
        }
    )
    assert found["one_class"] + found["all_classes"] == pytest.approx(1)
