"""Folds: a partition of the patients, seeded, balanced and independent of the order of the rows."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eegwf.data.folds import given_folds, make_folds, with_counts
from eegwf.errors import InputError

LABELS = ("", "bckg", "sz_foc", "sz_gen")


def table(patients):
    """Create windows from the counts of labels of each patient."""
    rows = [(name, label) for name, counts in patients.items() for label, n in counts.items() for _ in range(n)]
    return pd.DataFrame(rows, columns=["patient", "label"])


def study(n_patients, seed):
    """Create patients with different numbers of windows, all with background, fewer with seizures of each kind."""
    rng = np.random.default_rng(seed)
    patients = {}
    for number in range(n_patients):
        kind = rng.choice(["none", "sz_foc", "sz_gen"], p=[0.4, 0.4, 0.2])
        counts = {"bckg": int(rng.integers(20, 200))}
        if kind != "none":
            counts[kind] = int(rng.integers(5, 80))
        patients[f"sub-{number:02d}"] = counts
    return table(patients)


@st.composite
def windows(draw):
    names = draw(st.lists(st.sampled_from([f"sub-{n:02d}" for n in range(30)]), min_size=3, max_size=15, unique=True))
    counts = st.dictionaries(st.sampled_from(LABELS), st.integers(1, 30), min_size=1, max_size=4)
    return table({name: draw(counts) for name in names})


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(windows(), st.integers(3, 15), st.integers(0, 2**31 - 1), st.randoms(use_true_random=False))
def test_folds_are_a_partition_of_the_patients(table, folds, seed, random):
    assume(folds <= table["patient"].nunique())
    made = make_folds(table, folds, seed)
    assert made["patient"].tolist() == sorted(table["patient"].unique())
    assert set(made["fold"]) == set(range(1, folds + 1))
    order = list(range(len(table)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(make_folds(table.iloc[order], folds, seed), made)
    for label in set(table["label"]) - {""}:
        assert made[label].sum() == (table["label"] == label).sum()
    assert "" not in made.columns


def variation(made):
    """Mean over labels of the coefficient of variation of their counts over folds."""
    counts = made.drop(columns="patient").groupby("fold").sum()
    return float((counts.std() / counts.mean()).mean())


@pytest.mark.slow
def test_labels_are_distributed_more_evenly_than_by_chance():
    made, chance = [], []
    for seed in range(8):
        table = study(40, seed)
        made.append(variation(make_folds(table, 5, seed)))
        names = sorted(table["patient"].unique())
        for draw in range(20):
            fold = np.random.default_rng([seed, draw]).permutation(np.arange(len(names)) % 5 + 1)
            chance.append(variation(with_counts(pd.DataFrame({"patient": names, "fold": fold}), table)))
    assert np.mean(made) < 0.4 * np.mean(chance)
    assert np.max(made) < np.quantile(chance, 0.25)


def test_the_seed_decides_between_patients_with_equal_counts():
    windows = table({f"sub-{number:02d}": {"bckg": 10, "sz": 2} for number in range(20)})
    made = [make_folds(windows, 5, seed) for seed in (1, 1, 2, 3)]
    pd.testing.assert_frame_equal(made[0], made[1])
    assert not any(made[0].equals(other) for other in made[2:])


def test_leave_one_patient_out_makes_one_fold_per_patient():
    made = make_folds(study(7, 0), "leave-one-patient-out", 1)
    assert made["fold"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert made["patient"].is_monotonic_increasing


def test_a_label_with_fewer_windows_than_folds_is_accepted():
    patients = {f"sub-{n}": {"bckg": 10} for n in range(5)} | {"sub-5": {"bckg": 4, "sz_gen": 2}}
    made = make_folds(table(patients), 5, 1)
    assert set(made["fold"]) == {1, 2, 3, 4, 5} and made["sz_gen"].tolist() == [0, 0, 0, 0, 0, 2]


def test_windows_without_labels_are_accepted():
    made = make_folds(table({f"sub-{n}": {"": 3} for n in range(4)}), 3, 1)
    assert list(made.columns) == ["patient", "fold"] and len(made) == 4


@pytest.mark.parametrize(
    ("n_patients", "folds", "message"),
    [
        (4, 5, "5 folds can't be made of 4 patients; use 4 or fewer"),
        (1, 3, r"1 patient\(s\) with windows"),
        (2, "leave-one-patient-out", r"2 patient\(s\) with windows"),
    ],
)
def test_too_few_patients_are_refused(n_patients, folds, message):
    with pytest.raises(InputError, match=message):
        make_folds(study(n_patients, 0), folds, 1)


@pytest.fixture
def read(tmp_path):
    """Read a table of given folds; patients a, b and c have windows."""

    def read(text):
        path = tmp_path / "official.tsv"
        path.write_text(text)
        return given_folds(path, table({name: {"bckg": 2, "sz": 1} for name in "abc"}))

    return read


def test_given_folds_are_read(read):
    made = read("patient\tfold\tsite\nc\t1\tx\na\t3\tx\nb\t2\ty\nb\t2\ty\nwithout-windows\t2\tx\n")
    expected = pd.DataFrame({"patient": list("abc"), "fold": [3, 2, 1], "bckg": [2] * 3, "sz": [1] * 3})
    pd.testing.assert_frame_equal(made, expected, check_dtype=False, check_names=False, check_column_type=False)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a\t1\nb\t2\nc\t3\nb\t1", "line 5: patient b is in fold 2 and in fold 1"),
        ("a\t1\nb\t2\nc\t4", r"folds \[1, 2, 4\] of the patients with windows: expected 1 to K"),
        ("a\t2\nb\t3\nc\t4", r"folds \[2, 3, 4\]"),
        ("a\t1\nb\t2\nc\t2\nd\t3", r"folds \[1, 2\] .*K at least 3"),
        ("a\t1\nb\t2\nc\t1000000000000", r"folds \[1, 2, 1000000000000\]"),
        ("a\t1\nb\t2", r"no fold for patient c; 1 patient\(s\) are missing"),
        ("a\t0\nb\t1\nc\t2", "line 2: fold '0': expected a whole number from 1"),
        ("a\t1\nb\ttest\nc\t2", "line 3: fold 'test'"),
        ("a\t1\nb\t2.5\nc\t2", "line 3: fold '2.5'"),
        ("a\t1\nb\t²\nc\t2", "line 3: fold '²'"),
        ("a\t1\nb\t-2\nc\t2", "line 3: fold '-2'"),
        ("a\t1\nb\tn/a\nc\t2", "line 3: fold ''"),
    ],
)
def test_invalid_given_folds_are_refused(read, rows, message):
    with pytest.raises(InputError, match=message) as caught:
        read(f"patient\tfold\n{rows}\n")
    assert "official.tsv" in str(caught.value)


def test_given_folds_without_the_columns_or_the_file_are_refused(read, tmp_path):
    with pytest.raises(InputError, match=r"official\.tsv: no column 'fold'"):
        read("patient\tgroup\na\t1\n")
    with pytest.raises(InputError, match="No such file or directory; set a number or the path of a table"):
        given_folds(tmp_path / "missing.tsv", study(3, 0))


def test_patients_named_like_missing_values_keep_their_folds(tmp_path):
    (tmp_path / "folds.tsv").write_text("patient\tfold\nNA\t1\n001\t2\nnan\t3\n")
    made = given_folds(tmp_path / "folds.tsv", table({name: {"bckg": 1} for name in ("NA", "001", "nan")}))
    assert dict(zip(made["patient"], made["fold"], strict=True)) == {"NA": 1, "001": 2, "nan": 3}


def test_patients_of_given_folds_may_have_another_spelling(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "sub-Jürgen") for form in ("NFC", "NFD"))
    (tmp_path / "folds.tsv").write_text(f"patient\tfold\n{decomposed}\t3\na\t1\nb\t2\n", encoding="utf-8")
    made = given_folds(tmp_path / "folds.tsv", table({name: {"bckg": 1} for name in ("a", "b", composed)}))
    assert dict(zip(made["patient"], made["fold"], strict=True)) == {"a": 1, "b": 2, composed: 3}
