"""Windows of studies with patients reserved for tuning, and permuted labels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.data.splits import WindowSet, load_window_set, split
from eegwf.errors import InputError
from eegwf.storage.files import write_table

CLASSES = {"background": ["bckg"], "seizure": ["sz"]}
FOLD = {"a": 1, "b": 2, "c": 3, "r": 0, "s": 0, "t": 0, "u": 0}
INNER = {"r": 1, "s": 2, "t": 3, "u": 1}


@pytest.fixture
def load(tmp_path):
    """Load a study of three outer folds and four reserved patients, or of other labels and folds."""

    def load(reserved, labels=("bckg", "", "sz"), fold_of=FOLD):
        table = pd.DataFrame([(name, label) for name in FOLD for label in labels], columns=["patient", "label"])
        table.insert(0, "window", range(len(table)))
        write_table(tmp_path / "windows.tsv", table.assign(recording=table["patient"] + "_r", onset=0.5))
        folds = pd.DataFrame(fold_of.items(), columns=["patient", "fold"])
        write_table(tmp_path / "folds.tsv", folds.assign(inner=folds["patient"].map(INNER).fillna(0).astype(int)))
        return load_window_set(tmp_path / "windows.tsv", tmp_path / "folds.tsv", CLASSES, reserved)

    return load


def test_tuning_uses_only_the_reserved_patients(load):
    window_set = load(reserved=True)
    assert sorted(set(window_set.patient)) == ["r", "s", "t", "u"] and window_set.n_folds == 3
    assert dict(zip(window_set.patient, window_set.fold.tolist(), strict=True)) == INNER
    assert len(window_set.excluding_fold(0).window) == len(window_set.window) == 12


def test_outer_folds_exclude_the_reserved_patients(load):
    window_set = load(reserved=False)
    assert sorted(set(window_set.patient)) == ["a", "b", "c"] and window_set.n_folds == 3
    assert set(window_set.fold.tolist()) == {1, 2, 3}
    for test_fold in (1, 2, 3):
        for inner in (1, 2):
            parts = split(window_set, test_fold, inner)
            assert not {*parts.train.patient, *parts.validation.patient} & set(INNER)
        assert not set(window_set.in_folds(test_fold).patient) & set(INNER)


def test_every_inner_fold_of_the_reserved_patients_validates_once(load):
    window_set = load(reserved=True)
    for inner in (1, 2, 3):
        parts = split(window_set, 0, inner)
        assert parts.validation_folds == (inner,) and set(parts.validation.fold.tolist()) == {inner}
        assert set(parts.train.fold.tolist()) == {1, 2, 3} - {inner}
        both = np.concatenate([parts.train.window, parts.validation.window])
        assert sorted(both) == window_set.scored().window.tolist()
    with pytest.raises(InputError, match=r"tuning\.inner_folds: no inner fold 4 of 3"):
        split(window_set, 0, 4)


def test_folds_without_reserved_patients_are_refused_for_tuning(load):
    without_reserved = {name: number % 3 + 1 for number, name in enumerate(FOLD)}
    with pytest.raises(InputError, match="no patient in fold 0, reserved for tuning; remove the file and run again"):
        load(reserved=True, fold_of=without_reserved)
    assert len(load(reserved=False, fold_of=without_reserved).window) == 21


def test_reserved_patients_that_lack_a_class_are_refused(load, tmp_path):
    with pytest.raises(InputError, match="no window of class 'seizure'"):
        load(reserved=True, labels=("bckg",))
    load(reserved=True)
    windows = pd.read_csv(tmp_path / "windows.tsv", sep="\t", keep_default_na=False)
    reduced = windows[(windows["label"] != "sz") | ~windows["patient"].isin(["r", "s", "u"])]
    write_table(tmp_path / "windows.tsv", reduced)
    window_set = load_window_set(tmp_path / "windows.tsv", tmp_path / "folds.tsv", CLASSES, reserved=True)
    # Only patient t, in inner fold 3, has seizures and must be in the training set.
    assert split(window_set, 0, 1).validation_folds == (1,)
    with pytest.raises(InputError, match=r"tuning\.reserved: its training patients \(folds 1, 2\) have no window of"):
        split(window_set, 0, 3)


def window_set_of(labels) -> WindowSet:
    """Create windows from the labels in each fold."""
    rows = [(fold, label) for fold, fold_labels in enumerate(labels, start=1) for label in fold_labels]
    fold, label = (np.array(part) for part in zip(*rows, strict=True))
    names, window = np.array([f"p{number}" for number in fold], dtype=object), np.arange(len(rows))
    return WindowSet(("a", "b"), window, label, fold, names, names, window * 1.0, len(labels))


folds = st.lists(st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=1, max_size=8), min_size=3, max_size=6)


@given(folds, st.data(), st.integers(0, 2**31 - 1))
def test_permuted_labels_keep_their_counts_and_do_not_change_in_the_test_fold(labels, data, seed):
    window_set = window_set_of(labels)
    test_fold = data.draw(st.integers(0, window_set.n_folds))
    before = window_set.label.copy()
    permuted_set = window_set.permuted(test_fold, seed)
    assert np.array_equal(window_set.label, before)
    kept = (window_set.fold == test_fold) | (before == -1)
    assert np.array_equal(permuted_set.label[kept], before[kept])
    assert np.array_equal(np.sort(permuted_set.label), np.sort(before))
    for name in ("window", "fold", "patient", "recording", "onset"):
        assert np.array_equal(getattr(permuted_set, name), getattr(window_set, name))
    assert np.array_equal(window_set.permuted(test_fold, seed).label, permuted_set.label)


def test_permutation_depends_on_the_seed_and_on_the_fold():
    window_set = window_set_of([[0, 1] * 30] * 3)
    labels = {
        (fold, seed): window_set.permuted(fold, seed).label[window_set.fold == 3].tolist()
        for fold in (1, 2)
        for seed in (1, 2)
    }
    assert len({tuple(label) for label in labels.values()}) == 4
    assert all(label != [0, 1] * 30 for label in labels.values())
    # Labels are permuted across patients, so that the class fractions of a patient are not preserved.
    single_class_folds = window_set_of([[0] * 40, [1] * 40, [0, 1] * 20])
    label = single_class_folds.permuted(3, 1).label
    assert 8 < label[:40].sum() < 32
