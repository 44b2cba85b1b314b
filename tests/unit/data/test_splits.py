"""Class sets and splits: what a model may see, for every fold and inner fold."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.data.splits import Cohort, load_cohort, split
from eegwf.errors import InputError
from eegwf.storage.files import write_table

CLASSES = {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]}


@pytest.fixture
def load(tmp_path):
    """Load a cohort of one window per (patient, label), under given folds and classes."""

    def load(rows, folds, classes):
        table = pd.DataFrame(rows, columns=["patient", "label"])
        table.insert(0, "window", range(len(table)))
        table = table.assign(recording=table["patient"] + "_r", onset=table["window"] * 0.5)
        write_table(tmp_path / "windows.tsv", table)
        write_table(tmp_path / "folds.tsv", pd.DataFrame(folds.items(), columns=["patient", "fold"]))
        return load_cohort(tmp_path / "windows.tsv", tmp_path / "folds.tsv", classes)

    return load


ROWS = [("a", "bckg"), ("a", ""), ("b", "sz_foc"), ("b", "sz_foc_ia"), ("c", "sz_gen"), ("c", "impd"), ("a", "sz")]
FOLDS = {"a": 1, "b": 2, "c": 3}


def test_classes_of_event_types(load):
    cohort = load(ROWS, FOLDS, CLASSES)
    # No class takes impd, nor sz, which says not whether it is focal: no rows. Borderline windows stay.
    assert cohort.window.tolist() == [0, 1, 2, 3, 4] and cohort.label.tolist() == [0, -1, 1, 1, 2]
    assert cohort.patient.tolist() == ["a", "a", "b", "b", "c"] and cohort.fold.tolist() == [1, 1, 2, 2, 3]
    assert cohort.recording[2] == "b_r" and cohort.onset.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert cohort.classes == ("background", "focal", "generalized") and cohort.n_folds == 3
    assert cohort.scored().window.tolist() == [0, 2, 3, 4]


def test_the_longest_entry_decides(load):
    cohort = load(ROWS, FOLDS, {"other": ["bckg", "sz"], "focal": ["sz_foc"], "aware": ["sz_foc_a", "sz_foc_ia"]})
    assert dict(zip(cohort.window.tolist(), cohort.label.tolist(), strict=True)) == {
        0: 0,
        1: -1,
        2: 1,
        3: 2,
        4: 0,
        6: 0,
    }


def test_an_entry_is_no_mere_beginning(load):
    cohort = load([("a", "sz"), ("b", "szx"), ("c", "bckg")], FOLDS, {"background": ["bckg"], "seizure": ["sz"]})
    assert cohort.window.tolist() == [0, 2]


def test_the_order_of_classes_is_the_order_of_the_config(load):
    turned = dict(reversed(CLASSES.items()))
    assert load(ROWS, FOLDS, turned).label.tolist() == [2, -1, 1, 1, 0]


def test_a_class_that_nothing_fills(load):
    with pytest.raises(InputError, match=r"no window of class 'myoclonic' \(event types sz_gen_m\); .* bckg, impd, sz"):
        load(ROWS, FOLDS, {**CLASSES, "myoclonic": ["sz_gen_m"]})


def test_a_patient_without_a_fold(load):
    with pytest.raises(InputError, match="no fold for patient c"):
        load(ROWS, {"a": 1, "b": 2}, CLASSES)


def test_patients_named_like_missing_values(load):
    folds = {"NA": 1, "001": 2, "nan": 3}
    cohort = load([("NA", "bckg"), ("001", "sz_foc"), ("nan", "sz_gen")], folds, CLASSES)
    assert cohort.patient.tolist() == ["NA", "001", "nan"] and cohort.fold.tolist() == [1, 2, 3]


def cohort_of(labels):
    """A cohort from the labels in each fold; every fold has two patients of its own."""
    rows = [(fold, label) for fold, inside in enumerate(labels, start=1) for label in inside]
    fold, label = (np.array(part) for part in zip(*rows, strict=True))
    window = np.arange(len(rows))
    patient = np.array([f"p{number}.{row % 2}" for row, number in enumerate(fold)], dtype=object)
    return Cohort(("a", "b"), window, label, fold, patient, patient, window * 1.0, len(labels))


FULL = [[0, 1, 0, -1], [1, 0, 0, 1], [0, 1, -1, -1], [0, 0, 1, 1], [0, 1, 1, 1]]
inside = st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=1, max_size=6)


@given(st.lists(inside, min_size=3, max_size=8), st.data())
def test_no_split_shows_the_test_fold_or_shares_a_patient(labels, data):
    cohort = cohort_of(labels)
    test_fold = data.draw(st.integers(1, cohort.n_folds))
    inner = data.draw(st.integers(1, cohort.n_folds - 1))
    others = set(range(1, cohort.n_folds + 1)) - {test_fold}
    trainable = {label for fold in others for label in labels[fold - 1]} >= {0, 1}
    try:
        parts = split(cohort, test_fold, inner)
    except InputError:
        # Without its first validation fold, training lacked a class; no wider one would help.
        first = (test_fold - 1 + inner) % cohort.n_folds + 1
        assert not {label for fold in others - {first} for label in labels[fold - 1]} >= {0, 1}
        return
    assert trainable
    train, validation = parts.train, parts.validation
    assert set(train.label) == {0, 1} and set(validation.label) <= {0, 1}
    assert set(train.fold) <= others and set(validation.fold) <= others
    assert not set(train.patient) & set(validation.patient)
    assert not set(train.patient) & set(cohort.only(test_fold).patient)
    assert set(validation.fold) <= set(parts.validation_folds)
    assert not set(train.fold) & set(parts.validation_folds)
    # Every scored window of the other folds is in one of the two, once.
    both = np.concatenate([train.window, validation.window])
    assert sorted(both) == cohort.without(test_fold).scored().window.tolist()
    # What the test fold holds makes no difference, nor whether it is there.
    blind = split(cohort.without(test_fold), test_fold, inner)
    assert np.array_equal(blind.train.window, train.window)
    assert np.array_equal(blind.validation.window, validation.window)


@pytest.mark.parametrize("test_fold", [1, 2, 3, 4, 5])
def test_inner_folds_take_turns(test_fold):
    found = [split(cohort_of(FULL), test_fold, inner).validation_folds for inner in (1, 2, 3, 4)]
    assert found == [((test_fold + step - 1) % 5 + 1,) for step in (1, 2, 3, 4)]


@pytest.mark.parametrize("inner", [0, 5])
def test_more_inner_folds_than_folds(inner):
    """Counting on, they would repeat the first."""
    with pytest.raises(InputError, match=rf"tuning\.inner_folds: no inner fold {inner} of 4"):
        split(cohort_of(FULL), 1, inner)


def test_validation_is_widened_until_it_has_every_class():
    labels = [[0, 1], [0], [0], [0, 1], [0, 1]]
    assert split(cohort_of(labels), 1).validation_folds == (2, 3, 4)
    assert split(cohort_of(labels), 1, inner=2).validation_folds == (3, 4)
    assert split(cohort_of(labels), 3).validation_folds == (4,)
    assert split(cohort_of(labels), 5).validation_folds == (1,)
    # It goes on around the end, past the test fold.
    labels = [[0], [0, 1], [0, 1], [0, 1], [0]]
    assert split(cohort_of(labels), 4).validation_folds == (1, 2, 5)


def test_training_keeps_the_last_patients_of_a_class():
    """Widened up to fold 4, validation would have every class, and training none of the second."""
    labels = [[0, 1], [0], [0], [0, 1], [0]]
    parts = split(cohort_of(labels), 1)
    assert parts.validation_folds == (2,) and set(parts.train.label) == {0, 1}


def test_training_that_lacks_a_class():
    labels = [[0, 1], [0, 1], [0], [0]]
    with pytest.raises(InputError, match=r"fold 1: its training patients \(folds 3, 4\) have no window of class 'b'"):
        split(cohort_of(labels), 1)
    assert split(cohort_of(labels), 3).validation_folds == (1, 4)


def test_three_folds_leave_one_to_train_on():
    parts = split(cohort_of([[0, 1], [0], [0, 1]]), 1)
    assert parts.validation_folds == (2,) and set(parts.train.fold) == {3}
