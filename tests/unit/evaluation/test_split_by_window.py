"""Folds by window beside folds by patient: the leak shows where patients are recognizable, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GroupKFold, PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from eegwf.data.splits import WindowSet
from eegwf.errors import InputError
from eegwf.evaluation.split_by_window import (
    compare_splits,
    cross_validate,
    joined_folds,
    random_folds,
    shared_with_training,
)
from eegwf.models.bandpower import BandPower

N_PATIENTS, N_EACH, LENGTH = 20, 24, 4.0
SHAPE = (4, 5, 1)


def make_windows(label_of_patient=False, classes=("background", "seizure"), seed=0) -> WindowSet:
    """Windows of 20 patients in 5 folds, one after the other; labels alternate, or are one for each patient."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(N_PATIENTS), N_EACH)
    label = rng.permutation(N_PATIENTS)[patient] if label_of_patient else rng.integers(len(classes), size=len(patient))
    return WindowSet(
        classes,
        np.arange(len(patient)),
        label % len(classes),
        patient % 5 + 1,
        np.array([f"sub-{number:02d}" for number in patient], dtype=object),
        np.array([f"sub-{number:02d}_rec" for number in patient], dtype=object),
        np.tile(np.arange(N_EACH) * LENGTH, N_PATIENTS),
        5,
    )


def make_features(windows: WindowSet, of_patient=0.0, of_class=0.0, seed=1) -> tuple[BandPower, torch.Tensor]:
    """A model, and its features with a pattern of each patient and one of each class."""
    rng = np.random.default_rng(seed)
    number = np.unique(windows.patient, return_inverse=True)[1]
    network = BandPower(*SHAPE, len(windows.classes), sfreq=64.0, freqs=[2.0, 6.0, 10.0, 20.0, 40.0])
    features = rng.normal(size=(len(number), SHAPE[0], network.features.shape[1]))
    features += of_patient * rng.normal(size=(N_PATIENTS, *features.shape[1:]))[number]
    features += of_class * rng.normal(size=(len(windows.classes), *features.shape[1:]))[windows.label]
    return network, torch.from_numpy(features).float()


def compare(windows, network, features, **options):
    duration = np.full(len(windows.label), LENGTH)
    return compare_splits(network, features, windows, duration, 1, 0.95, **options)


def values(found, score="balanced_accuracy"):
    return found["by_patient"][score]["value"], found["by_window"][score]["value"]


def test_recognizable_patients_look_like_seizures_in_a_split_by_window():
    windows = make_windows(label_of_patient=True)
    found = compare(windows, *make_features(windows, of_patient=3.0))
    by_patient, by_window = values(found)
    assert by_window > 0.95 and values(found, "auroc")[1] > 0.98
    entry = found["by_patient"]["balanced_accuracy"]
    assert entry["low"] < 0.5 < entry["high"] and by_patient < 0.75
    assert set(found["by_window"]["balanced_accuracy"]) == {"value"}
    assert found["by_window"]["shared"]["patient"] == 1 and found["by_patient"]["shared"]["patient"] == 0


def test_without_patient_effects_both_splits_agree():
    windows = make_windows()
    by_patient, by_window = values(compare(windows, *make_features(windows, of_class=0.4)))
    assert by_patient > 0.7 and abs(by_window - by_patient) < 0.03
    by_patient, by_window = values(compare(windows, *make_features(windows)))
    assert abs(by_patient - 0.5) < 0.08 and abs(by_window - 0.5) < 0.08


def test_shuffled_labels_leak_nothing():
    windows = make_windows(label_of_patient=True)
    found = compare(windows, *make_features(windows, of_patient=3.0), permute_labels=True)
    assert abs(values(found)[1] - 0.5) < 0.15


def test_the_result_is_that_of_the_seed():
    windows = make_windows(classes=("a", "b", "c"))
    network, features = make_features(windows, of_patient=1.0, of_class=0.3)
    assert compare(windows, network, features) == compare(windows, network, features)
    assert not np.array_equal(random_folds(windows.label, 5, 1), random_folds(windows.label, 5, 2))


@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c")])
def test_scikit_learn_has_the_same_scores(classes):
    windows = make_windows(classes=classes)
    network, features = make_features(windows, of_patient=0.5, of_class=0.2)
    found = compare(windows, network, features)
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
    x, label = features.flatten(1).double().numpy(), windows.label
    by_window = PredefinedSplit(random_folds(label, 5, 1))
    for name, cv in (("by_patient", PredefinedSplit(windows.fold)), ("by_window", by_window)):
        p = cross_val_predict(model, x, label, cv=cv, method="predict_proba")
        score = p[:, 1] if len(classes) == 2 else p
        auroc = roc_auc_score(label, score, multi_class="ovr")
        assert found[name]["auroc"]["value"] == pytest.approx(auroc, abs=1e-4)
        expected = balanced_accuracy_score(label, p.argmax(axis=1))
        assert found[name]["balanced_accuracy"]["value"] == pytest.approx(expected, abs=0.005)
    # Folds by patient that scikit-learn makes itself, from all patients.
    groups = GroupKFold(N_PATIENTS)
    number = np.unique(windows.patient, return_inverse=True)[1]
    p = cross_val_predict(model, x, label, cv=groups, groups=number, method="predict_proba")
    own = cross_validate(network, features, replace(windows, fold=number + 1))
    np.testing.assert_allclose(own, p, atol=2e-4)


def test_random_folds_are_stratified():
    label = np.repeat([0, 1, 2], [53, 21, 9])
    fold = random_folds(label, 5, 1)
    counts = np.array([np.bincount(fold[label == number], minlength=6)[1:] for number in range(3)])
    assert (np.ptp(counts, axis=1) <= 1).all() and np.ptp(counts.sum(axis=0)) <= 1


def test_many_folds_are_joined_by_patient():
    patient = np.repeat(np.arange(1, 29), 3)
    joined = joined_folds(patient)
    assert sorted(set(joined)) == list(range(1, 11))
    assert all(len(set(joined[patient == number])) == 1 for number in range(1, 29))
    assert joined_folds(np.array([1, 3, 5])).tolist() == [1, 2, 3]


def test_a_class_in_one_fold_is_named():
    windows = make_windows()
    windows = replace(windows, label=(windows.fold == 1).astype(int))
    with pytest.raises(InputError, match="all windows of class 'seizure' are in one fold"):
        cross_validate(*make_features(windows), windows)


@pytest.mark.parametrize(("step", "samples"), [(4.0, False), (2.0, True), (5.0, None)])
def test_windows_next_to_training_windows(step, samples):
    windows = make_windows()
    windows = replace(windows, onset=windows.onset / LENGTH * step)
    duration = np.full(len(windows.label), LENGTH)
    windows = replace(windows, fold=random_folds(windows.label, 5, 1))
    found = shared_with_training(windows, duration)
    apart = [
        (windows.recording == windows.recording[row])
        & (windows.fold != windows.fold[row])
        & (np.abs(windows.onset - windows.onset[row]) <= LENGTH)
        for row in range(len(windows.label))
    ]
    assert found["adjacent"] == pytest.approx(np.mean([one.any() for one in apart]))
    assert (found["adjacent"] > 0) == (samples is not None) and (found["samples"] > 0) == bool(samples)
    assert shared_with_training(windows, None) == {"patient": 1.0, "samples": None, "adjacent": None}
