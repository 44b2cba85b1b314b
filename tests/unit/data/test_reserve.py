"""Reserved patients: their number, stratification and inner folds, and the leakage checks that include them."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eegwf.config.stages.data import FoldsSettings
from eegwf.config.tuning import n_reserved
from eegwf.dag.flow_reading import read_flow
from eegwf.dag.stage_config import stage_config
from eegwf.data.fold_count import count_folds
from eegwf.data.reserve import inner_parts, reserve
from eegwf.errors import InputError
from eegwf.jobs import folds
from eegwf.storage.files import read_table, write_array, write_json, write_table

LABEL_SETS = [("",), ("bckg",), ("bckg", "sz_foc"), ("", "bckg", "sz_gen"), ("sz_foc", "sz_gen")]


def table(label_sets, per_label=2) -> pd.DataFrame:
    """Create windows of patients with these labels, one recording per patient."""
    rows = [
        (f"sub-{number:02d}", label)
        for number, labels in enumerate(label_sets)
        for label in labels
        for _ in range(per_label)
    ]
    windows = pd.DataFrame(rows, columns=["patient", "label"])
    windows["onset"] = windows.groupby("patient").cumcount() * 2.0
    return windows.assign(window=range(len(rows)), recording=windows["patient"] + "_eeg", duration=2.0)


@settings(max_examples=80)
@given(
    st.lists(st.sampled_from(LABEL_SETS), min_size=3, max_size=40),
    st.floats(0.01, 0.5),
    st.integers(0, 2**31 - 1),
    st.randoms(use_true_random=False),
)
def test_the_fraction_applies_to_all_patients_and_to_every_set_of_labels(label_sets, share, seed, random):
    windows = table(label_sets)
    reserved = reserve(windows, share, seed)
    count = n_reserved(len(label_sets), share)
    assert len(reserved) == len(set(reserved)) == count and set(reserved) <= set(windows["patient"])
    stratum_of = {f"sub-{number:02d}": tuple(sorted(set(labels) - {""})) for number, labels in enumerate(label_sets)}
    counts = Counter(stratum_of[patient] for patient in reserved)
    for stratum, size in Counter(stratum_of.values()).items():
        # The difference is less than one patient.
        assert abs(counts[stratum] - count * size / len(label_sets)) < 1, (stratum, counts)
    order = list(range(len(windows)))
    random.shuffle(order)
    assert reserve(windows.iloc[order], share, seed) == reserved


def test_the_seed_decides_between_patients_with_the_same_labels():
    windows = table([("bckg", "sz_foc")] * 30)
    samples = [reserve(windows, 0.3, seed) for seed in (1, 1, 2, 3)]
    assert samples[0] == samples[1] and len({tuple(patients) for patients in samples}) == 3
    counts = Counter(patient for seed in range(300) for patient in reserve(windows, 0.3, seed))
    assert len(counts) == 30 and 60 < min(counts.values()) <= max(counts.values()) < 120  # expected: 90 of 300


def test_the_number_of_windows_has_no_influence():
    few, many = table([("bckg", "sz_foc")] * 12), table([("bckg", "sz_foc")] * 12, per_label=9)
    assert reserve(few, 0.4, 5) == reserve(many, 0.4, 5)


def test_each_reserved_patient_is_in_one_inner_fold():
    windows = table([("bckg", "sz_foc"), ("bckg", "sz_gen")] * 10)
    reserved = reserve(windows, 0.4, 3)
    parts = inner_parts(windows, reserved, 3, 3)
    assert sorted(parts) == reserved and sorted(Counter(parts.values())) == [1, 2, 3]
    assert parts == inner_parts(windows, reserved, 3, 3)
    assert len({tuple(inner_parts(windows, reserved, 3, seed).items()) for seed in range(5)}) > 1
    with pytest.raises(InputError, match=r"tuning\.reserved: 8 reserved patient\(s\) can't make 9 inner folds"):
        inner_parts(windows, reserved, 9, 3)


@pytest.fixture
def make(tmp_path):
    """Make the folds of windows with noise as samples; `copies` are pairs of patients with an identical window."""

    def make(windows, settings, given=None, copies=()):
        samples = np.random.default_rng(0).normal(0, 30, (len(windows), 2, 8)).astype(np.float16)
        for pair in copies:
            rows = [windows.index[windows["patient"] == patient][0] for patient in pair]
            samples[rows[1]] = samples[rows[0]]
        write_table(tmp_path / "windows.tsv", windows)
        write_array(tmp_path / "windows.npy", samples)
        write_json(tmp_path / "windows.json", {"sfreq": 8.0})
        paths = [tmp_path / name for name in ("windows.tsv", "windows.npy", "folds.tsv", "leakage.json")]
        folds.run(FoldsSettings(**{"seed": 1, **settings}), *paths, given=given)
        return read_table(tmp_path / "folds.tsv", text=("patient",))

    return make


WINDOWS = table([("bckg", "sz_foc"), ("bckg", "sz_gen"), ("bckg",)] * 5)
RESERVED = {"folds": 3, "n_folds": 3, "reserved": 0.4, "n_inner_folds": 3}


def test_table_of_folds_has_fold_0_and_inner_folds(make, tmp_path):
    made = make(WINDOWS, RESERVED)
    assert list(made.columns) == ["patient", "fold", "inner", "bckg", "sz_foc", "sz_gen"]
    assert made["patient"].tolist() == sorted(WINDOWS["patient"].unique())
    reserved = made[made["fold"] == 0]
    assert reserved["patient"].tolist() == reserve(WINDOWS, 0.4, 1) and len(reserved) == 6
    assert set(reserved["inner"]) == {1, 2, 3}
    # A patient is either in an outer fold or in an inner fold.
    assert (made.loc[made["fold"] > 0, "inner"] == 0).all() and (reserved["inner"] > 0).all()
    assert set(made["fold"]) == {0, 1, 2, 3}
    assert made["bckg"].tolist() == [2] * 15 and made["sz_foc"].tolist() == [2, 0, 0] * 5
    first = [(tmp_path / name).read_bytes() for name in ("folds.tsv", "leakage.json")]
    make(WINDOWS, RESERVED)
    assert [(tmp_path / name).read_bytes() for name in ("folds.tsv", "leakage.json")] == first
    assert json.loads(first[1])["passed"]


def test_without_reserved_patients_the_table_has_no_inner_folds(make):
    made = make(WINDOWS, {"folds": 3, "n_folds": 3})
    assert list(made.columns) == ["patient", "fold", "bckg", "sz_foc", "sz_gen"] and made["fold"].min() == 1


def test_leakage_checks_treat_reserved_patients_as_a_fold(make, tmp_path):
    made = make(WINDOWS, RESERVED)
    reserved = made["patient"][made["fold"] == 0].tolist()
    other = made["patient"][made["fold"] == 2].tolist()[0]
    (tmp_path / "folds.tsv").unlink()
    with pytest.raises(InputError) as caught:
        make(WINDOWS, RESERVED, copies=[(reserved[0], other)])
    assert "leak: the same samples are in fold" in str(caught.value)
    assert "fold 0" in str(caught.value) and "fold 2" in str(caught.value)
    assert not (tmp_path / "folds.tsv").exists()
    make(WINDOWS, RESERVED, copies=[(reserved[0], reserved[1])])
    checks = json.loads((tmp_path / "leakage.json").read_text())["checks"]
    assert [check["copies_within_a_fold"] for check in checks if "copies_within_a_fold" in check] == [1]


def test_overlapping_time_with_a_reserved_patient_is_a_leak(make):
    made = make(WINDOWS, RESERVED)
    pair = [made["patient"][made["fold"] == fold].tolist()[0] for fold in (0, 1)]
    windows = WINDOWS.copy()
    windows.loc[windows["patient"].isin(pair), "recording"] = "shared_eeg"
    with pytest.raises(InputError, match=r"leak: shared_eeg: time around 0 s is in fold \d and in fold \d"):
        make(windows, RESERVED)


@pytest.mark.parametrize("by_option", [True, False])
def test_given_folds_may_have_reserved_patients(make, tmp_path, by_option):
    names = sorted(WINDOWS["patient"].unique())
    official = pd.DataFrame({"patient": names, "fold": [0] * 4 + [1, 2, 3, 4] * 2 + [1, 2, 3]})
    path = tmp_path / "official.tsv"
    write_table(path, official)
    settings = RESERVED | {"n_folds": 4, "folds": 3 if by_option else str(path)}
    made = make(WINDOWS, settings, given=str(path) if by_option else None)
    # The table decides who is reserved, independently of the fraction.
    assert made["fold"].tolist() == official["fold"].tolist()
    assert set(made["inner"][:4]) == {1, 2, 3} and set(made["inner"][4:]) == {0}
    write_table(path, official.assign(fold=official["fold"] + 1))
    with pytest.raises(InputError, match=r"folds \[1, 2, 3, 4, 5\] .*: expected 0 to K, .*; fold 0 is reserved for"):
        make(WINDOWS, settings, given=str(path))
    write_table(path, official)
    with pytest.raises(InputError, match="line 2: fold '0': expected a whole number from 1"):
        make(WINDOWS, {"folds": 3, "n_folds": 4}, given=str(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reserved": 0.13}, "tuning.reserved: 2 reserved patient(s) can't make 3 inner folds; reserve more, or use"),
        ({"reserved": 0.01}, "tuning.reserved: 0 reserved patient(s) can't make 3 inner folds; reserve more, or use"),
        ({"n_inner_folds": 7}, "tuning.reserved: 6 reserved patient(s) can't make 7 inner folds; reserve more, or use"),
        ({"folds": 10, "n_folds": 10}, "folds: 10 folds can't be made of 9 patients; use 9 or fewer"),
    ],
)
def test_too_few_patients_are_refused(make, tmp_path, change, message):
    with pytest.raises(InputError) as caught:
        make(WINDOWS, RESERVED | change)
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)
    assert not (tmp_path / "folds.tsv").exists()


@pytest.mark.parametrize("share", [0.2, 0.25, 0.3, 0.5])
@pytest.mark.parametrize("n_patients", [14, 15, 17])
def test_leave_one_out_makes_as_many_folds_as_planned(make, root, n_patients, share):
    """Halves (0.5 of 15 and 17, 0.25 of 14) are rounded in the same way by both."""
    dataset = {"kind": "synthetic", "n_focal": n_patients - 5, "n_generalized": 5, "n_both": 0, "n_none": 0}
    tuning = {"mode": "reserved", "reserved": share}
    changes = {"folds": "leave-one-patient-out", "dataset": dataset, "tuning": tuning}
    study = read_flow(root / "config/config.yaml", [], changes).study
    settings = stage_config(study, "folds", None).model_dump(mode="json")
    assert settings["n_folds"] == count_folds(study) < n_patients and settings["n_inner_folds"] == 3
    if n_reserved(n_patients, share) < 3:
        with pytest.raises(InputError, match="can't make 3 inner folds"):
            make(table([("bckg", "sz_foc")] * n_patients), settings)
        return
    made = make(table([("bckg", "sz_foc")] * n_patients), settings)
    assert made["fold"].max() == count_folds(study)
    assert (made["fold"] == 0).sum() + count_folds(study) == len(made) == n_patients
