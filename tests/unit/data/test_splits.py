"""Class sets, and the training and validation sets of every fold and inner fold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.data.splits import WindowSet, load_window_set, split
from eegwf.errors import InputError
from eegwf.storage.files import write_table

CLASSES = {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]}


@pytest.fixture
def load(tmp_path):
    """Load windows, one for each (patient, label), with given folds and classes."""

    def load(rows, folds, classes):
        table = pd.DataFrame(rows, columns=["patient", "label"])
        table.insert(0, "window", range(len(table)))
        table = table.assign(recording=table["patient"] + "_r", onset=table["window"] * 0.5)
        write_table(tmp_path / "windows.tsv", table)
        write_table(tmp_path / "folds.tsv", pd.DataFrame(folds.items(), columns=["patient", "fold"]))
        return load_window_set(tmp_path / "windows.tsv", tmp_path / "folds.tsv", classes)

    return load


ROWS = [("a", "bckg"), ("a", ""), ("b", "sz_foc"), ("b", "sz_foc_ia"), ("c", "sz_gen"), ("c", "impd"), ("a", "sz")]
FOLDS = {"a": 1, "b": 2, "c": 3}


def test_windows_are_assigned_to_classes_by_event_type(load):
    window_set = load(ROWS, FOLDS, CLASSES)
    # impd and sz belong to no class (sz may be focal or generalized) and are excluded. Borderline windows are kept.
    assert window_set.window.tolist() == [0, 1, 2, 3, 4] and window_set.label.tolist() == [0, -1, 1, 1, 2]
    assert window_set.patient.tolist() == ["a", "a", "b", "b", "c"] and window_set.fold.tolist() == [1, 1, 2, 2, 3]
    assert window_set.recording[2] == "b_r" and window_set.onset.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert window_set.classes == ("background", "focal", "generalized") and window_set.n_folds == 3
    assert window_set.scored().window.tolist() == [0, 2, 3, 4]


def test_the_longest_matching_entry_decides_the_class(load):
    window_set = load(ROWS, FOLDS, {"other": ["bckg", "sz"], "focal": ["sz_foc"], "aware": ["sz_foc_a", "sz_foc_ia"]})
    assert dict(zip(window_set.window.tolist(), window_set.label.tolist(), strict=True)) == {
        0: 0,
        1: -1,
        2: 1,
        3: 2,
        4: 0,
        6: 0,
    }


def test_an_entry_does_not_match_as_a_mere_prefix(load):
    window_set = load([("a", "sz"), ("b", "szx"), ("c", "bckg")], FOLDS, {"background": ["bckg"], "seizure": ["sz"]})
    assert window_set.window.tolist() == [0, 2]


def test_classes_have_the_order_of_the_configuration(load):
    reordered = dict(reversed(CLASSES.items()))
    assert load(ROWS, FOLDS, reordered).label.tolist() == [2, -1, 1, 1, 0]


def test_a_class_without_windows_is_refused(load):
    with pytest.raises(InputError, match=r"no window of class 'myoclonic' \(event types sz_gen_m\); .* bckg, impd, sz"):
        load(ROWS, FOLDS, {**CLASSES, "myoclonic": ["sz_gen_m"]})


def test_a_patient_without_a_fold_is_refused(load):
    with pytest.raises(InputError, match="no fold for patient c"):
        load(ROWS, {"a": 1, "b": 2}, CLASSES)


def test_patients_named_like_missing_values_are_kept(load):
    folds = {"NA": 1, "001": 2, "nan": 3}
    window_set = load([("NA", "bckg"), ("001", "sz_foc"), ("nan", "sz_gen")], folds, CLASSES)
    assert window_set.patient.tolist() == ["NA", "001", "nan"] and window_set.fold.tolist() == [1, 2, 3]


def window_set_of(labels):
    """Create windows from the labels in each fold; each fold has two patients."""
    rows = [(fold, label) for fold, fold_labels in enumerate(labels, start=1) for label in fold_labels]
    fold, label = (np.array(part) for part in zip(*rows, strict=True))
    window = np.arange(len(rows))
    patient = np.array([f"p{number}.{row % 2}" for row, number in enumerate(fold)], dtype=object)
    return WindowSet(("a", "b"), window, label, fold, patient, patient, window * 1.0, len(labels))


FULL = [[0, 1, 0, -1], [1, 0, 0, 1], [0, 1, -1, -1], [0, 0, 1, 1], [0, 1, 1, 1]]
fold_labels = st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=1, max_size=6)


@given(st.lists(fold_labels, min_size=3, max_size=8), st.data())
def test_split_excludes_the_test_fold_and_separates_patients(labels, data):
    window_set = window_set_of(labels)
    test_fold = data.draw(st.integers(1, window_set.n_folds))
    inner = data.draw(st.integers(1, window_set.n_folds - 1))
    others = set(range(1, window_set.n_folds + 1)) - {test_fold}
    trainable = {label for fold in others for label in labels[fold - 1]} >= {0, 1}
    try:
        parts = split(window_set, test_fold, inner)
    except InputError:
        # Without the first validation fold, the training set lacks a class; adding folds to validation can't help.
        first = (test_fold - 1 + inner) % window_set.n_folds + 1
        assert not {label for fold in others - {first} for label in labels[fold - 1]} >= {0, 1}
        return
    assert trainable
    train, validation = parts.train, parts.validation
    assert set(train.label) == {0, 1} and set(validation.label) <= {0, 1}
    assert set(train.fold) <= others and set(validation.fold) <= others
    assert not set(train.patient) & set(validation.patient)
    assert not set(train.patient) & set(window_set.in_folds(test_fold).patient)
    assert set(validation.fold) <= set(parts.validation_folds)
    assert not set(train.fold) & set(parts.validation_folds)
    # Every scored window of the other folds is in exactly one of the two sets.
    both = np.concatenate([train.window, validation.window])
    assert sorted(both) == window_set.excluding_fold(test_fold).scored().window.tolist()
    # Borderline windows of the training folds, and of no other, are there for pretraining.
    of_training = np.isin(window_set.fold, sorted(others - set(parts.validation_folds)))
    assert parts.unlabeled.tolist() == window_set.window[of_training & (window_set.label < 0)].tolist()
    # The windows of the test fold have no influence.
    without_test_fold = split(window_set.excluding_fold(test_fold), test_fold, inner)
    assert np.array_equal(without_test_fold.train.window, train.window)
    assert np.array_equal(without_test_fold.validation.window, validation.window)


@pytest.mark.parametrize("test_fold", [1, 2, 3, 4, 5])
def test_each_inner_fold_validates_on_another_fold(test_fold):
    validation_folds = [split(window_set_of(FULL), test_fold, inner).validation_folds for inner in (1, 2, 3, 4)]
    assert validation_folds == [((test_fold + step - 1) % 5 + 1,) for step in (1, 2, 3, 4)]


@pytest.mark.parametrize("inner", [0, 5])
def test_an_inner_fold_that_does_not_exist_is_refused(inner):
    """Counting cyclically, it would repeat another inner fold."""
    with pytest.raises(InputError, match=rf"tuning\.inner_folds: no inner fold {inner} of 4"):
        split(window_set_of(FULL), 1, inner)


def test_validation_is_widened_until_it_has_every_class():
    labels = [[0, 1], [0], [0], [0, 1], [0, 1]]
    assert split(window_set_of(labels), 1).validation_folds == (2, 3, 4)
    assert split(window_set_of(labels), 1, inner=2).validation_folds == (3, 4)
    assert split(window_set_of(labels), 3).validation_folds == (4,)
    assert split(window_set_of(labels), 5).validation_folds == (1,)
    # The order is cyclic and skips the test fold.
    labels = [[0], [0, 1], [0, 1], [0, 1], [0]]
    assert split(window_set_of(labels), 4).validation_folds == (1, 2, 5)


def test_training_keeps_the_last_fold_with_a_class():
    """With the folds up to 4, validation would have every class, but training would lack the second."""
    labels = [[0, 1], [0], [0], [0, 1], [0]]
    parts = split(window_set_of(labels), 1)
    assert parts.validation_folds == (2,) and set(parts.train.label) == {0, 1}


def test_a_training_set_that_lacks_a_class_is_refused():
    labels = [[0, 1], [0, 1], [0], [0]]
    with pytest.raises(InputError, match=r"fold 1: its training patients \(folds 3, 4\) have no window of class 'b'"):
        split(window_set_of(labels), 1)
    assert split(window_set_of(labels), 3).validation_folds == (1, 4)


def test_of_three_folds_one_is_for_training():
    parts = split(window_set_of([[0, 1], [0], [0, 1]]), 1)
    assert parts.validation_folds == (2,) and set(parts.train.fold) == {3}
