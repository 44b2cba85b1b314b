"""Cohorts where patients are reserved for tuning, and cohorts with shuffled labels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.data.splits import Cohort, load_cohort, split
from eegwf.errors import InputError
from eegwf.storage.files import write_table

CLASSES = {"background": ["bckg"], "seizure": ["sz"]}
FOLD = {"a": 1, "b": 2, "c": 3, "r": 0, "s": 0, "t": 0, "u": 0}
INNER = {"r": 1, "s": 2, "t": 3, "u": 1}


@pytest.fixture
def load(tmp_path):
    """Load the study of three outer folds and four reserved patients, or a study of these labels and folds."""

    def load(reserved, labels=("bckg", "", "sz"), fold_of=FOLD):
        table = pd.DataFrame([(name, label) for name in FOLD for label in labels], columns=["patient", "label"])
        table.insert(0, "window", range(len(table)))
        write_table(tmp_path / "windows.tsv", table.assign(recording=table["patient"] + "_r", onset=0.5))
        folds = pd.DataFrame(fold_of.items(), columns=["patient", "fold"])
        write_table(tmp_path / "folds.tsv", folds.assign(inner=folds["patient"].map(INNER).fillna(0).astype(int)))
        return load_cohort(tmp_path / "windows.tsv", tmp_path / "folds.tsv", CLASSES, reserved)

    return load


def test_tuning_sees_the_reserved_patients_alone(load):
    cohort = load(reserved=True)
    assert sorted(set(cohort.patient)) == ["r", "s", "t", "u"] and cohort.n_folds == 3
    assert dict(zip(cohort.patient, cohort.fold.tolist(), strict=True)) == INNER
    assert len(cohort.without(0).window) == len(cohort.window) == 12


def test_nothing_else_sees_them(load):
    cohort = load(reserved=False)
    assert sorted(set(cohort.patient)) == ["a", "b", "c"] and cohort.n_folds == 3
    assert set(cohort.fold.tolist()) == {1, 2, 3}
    for test_fold in (1, 2, 3):
        for inner in (1, 2):
            parts = split(cohort, test_fold, inner)
            assert not {*parts.train.patient, *parts.validation.patient} & set(INNER)
        assert not set(cohort.only(test_fold).patient) & set(INNER)


def test_every_inner_fold_of_the_reserved(load):
    cohort = load(reserved=True)
    for inner in (1, 2, 3):
        parts = split(cohort, 0, inner)
        assert parts.validation_folds == (inner,) and set(parts.validation.fold.tolist()) == {inner}
        assert set(parts.train.fold.tolist()) == {1, 2, 3} - {inner}
        both = np.concatenate([parts.train.window, parts.validation.window])
        assert sorted(both) == cohort.scored().window.tolist()
    with pytest.raises(InputError, match=r"tuning\.inner_folds: no inner fold 4 of 3"):
        split(cohort, 0, 4)


def test_nobody_is_reserved(load):
    everybody = {name: number % 3 + 1 for number, name in enumerate(FOLD)}
    with pytest.raises(InputError, match="no patient in fold 0, reserved for tuning; remove the file and run again"):
        load(reserved=True, fold_of=everybody)
    assert len(load(reserved=False, fold_of=everybody).window) == 21


def test_reserved_patients_that_lack_a_class(load, tmp_path):
    with pytest.raises(InputError, match="no window of class 'seizure'"):
        load(reserved=True, labels=("bckg",))
    load(reserved=True)
    windows = pd.read_csv(tmp_path / "windows.tsv", sep="\t", keep_default_na=False)
    rest = windows[(windows["label"] != "sz") | ~windows["patient"].isin(["r", "s", "u"])]
    write_table(tmp_path / "windows.tsv", rest)
    cohort = load_cohort(tmp_path / "windows.tsv", tmp_path / "folds.tsv", CLASSES, reserved=True)
    # Only t, of part 3, has seizures: it can train, and nobody can do without it.
    assert split(cohort, 0, 1).validation_folds == (1,)
    with pytest.raises(InputError, match=r"tuning\.reserved: its training patients \(folds 1, 2\) have no window of"):
        split(cohort, 0, 3)


def cohort_of(labels) -> Cohort:
    """A cohort from the labels in each fold."""
    rows = [(fold, label) for fold, inside in enumerate(labels, start=1) for label in inside]
    fold, label = (np.array(part) for part in zip(*rows, strict=True))
    names, window = np.array([f"p{number}" for number in fold], dtype=object), np.arange(len(rows))
    return Cohort(("a", "b"), window, label, fold, names, names, window * 1.0, len(labels))


folds = st.lists(st.lists(st.sampled_from([-1, 0, 0, 1]), min_size=1, max_size=8), min_size=3, max_size=6)


@given(folds, st.data(), st.integers(0, 2**31 - 1))
def test_shuffled_labels_keep_their_counts_and_leave_the_test_fold_alone(labels, data, seed):
    cohort = cohort_of(labels)
    test_fold = data.draw(st.integers(0, cohort.n_folds))
    before = cohort.label.copy()
    shuffled = cohort.permuted(test_fold, seed)
    assert np.array_equal(cohort.label, before)
    kept = (cohort.fold == test_fold) | (before == -1)
    assert np.array_equal(shuffled.label[kept], before[kept])
    assert np.array_equal(np.sort(shuffled.label), np.sort(before))
    for name in ("window", "fold", "patient", "recording", "onset"):
        assert np.array_equal(getattr(shuffled, name), getattr(cohort, name))
    assert np.array_equal(cohort.permuted(test_fold, seed).label, shuffled.label)


def test_shuffling_depends_on_the_seed_and_on_the_fold():
    cohort = cohort_of([[0, 1] * 30] * 3)
    found = {
        (fold, seed): cohort.permuted(fold, seed).label[cohort.fold == 3].tolist() for fold in (1, 2) for seed in (1, 2)
    }
    assert len({tuple(label) for label in found.values()}) == 4
    assert all(label != [0, 1] * 30 for label in found.values())
    # It crosses patients, so that no patient's share of a class survives.
    one_sided = cohort_of([[0] * 40, [1] * 40, [0, 1] * 20])
    label = one_sided.permuted(3, 1).label
    assert 8 < label[:40].sum() < 32
