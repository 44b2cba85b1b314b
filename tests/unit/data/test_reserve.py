"""Reserved patients: as many as asked for, of every kind, in no outer fold, and judged by the gate like a fold."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eegwf.config.tuning import n_reserved
from eegwf.dag.flow import read_flow
from eegwf.dag.stage_config import count_folds, slice_of
from eegwf.data.reserve import inner_parts, reserve
from eegwf.errors import InputError
from eegwf.jobs.folds import write_folds
from eegwf.storage.files import read_table, write_array, write_table

KINDS = [("",), ("bckg",), ("bckg", "sz_foc"), ("", "bckg", "sz_gen"), ("sz_foc", "sz_gen")]


def table(kinds, per_label=2) -> pd.DataFrame:
    """Windows of patients that have these labels, each in a recording of its own."""
    rows = [
        (f"sub-{number:02d}", label)
        for number, labels in enumerate(kinds)
        for label in labels
        for _ in range(per_label)
    ]
    windows = pd.DataFrame(rows, columns=["patient", "label"])
    windows["onset"] = windows.groupby("patient").cumcount() * 2.0
    return windows.assign(window=range(len(rows)), recording=windows["patient"] + "_eeg", duration=2.0)


@settings(max_examples=80)
@given(
    st.lists(st.sampled_from(KINDS), min_size=3, max_size=40),
    st.floats(0.01, 0.5),
    st.integers(0, 2**31 - 1),
    st.randoms(use_true_random=False),
)
def test_the_share_is_that_of_the_patients_and_of_every_kind(kinds, share, seed, random):
    windows = table(kinds)
    found = reserve(windows, share, seed)
    wanted = n_reserved(len(kinds), share)
    assert len(found) == len(set(found)) == wanted and set(found) <= set(windows["patient"])
    kind_of = {f"sub-{number:02d}": tuple(sorted(set(labels) - {""})) for number, labels in enumerate(kinds)}
    chosen = Counter(kind_of[patient] for patient in found)
    for kind, size in Counter(kind_of.values()).items():
        # Whole patients: at most one more or fewer than the share.
        assert abs(chosen[kind] - wanted * size / len(kinds)) < 1, (kind, chosen)
    order = list(range(len(windows)))
    random.shuffle(order)
    assert reserve(windows.iloc[order], share, seed) == found


def test_the_seed_chooses_among_patients_that_are_alike():
    windows = table([("bckg", "sz_foc")] * 30)
    found = [reserve(windows, 0.3, seed) for seed in (1, 1, 2, 3)]
    assert found[0] == found[1] and len({tuple(patients) for patients in found}) == 3
    often = Counter(patient for seed in range(300) for patient in reserve(windows, 0.3, seed))
    assert len(often) == 30 and 60 < min(often.values()) <= max(often.values()) < 120  # 90 of 300 by expectation


def test_more_windows_make_no_patient_likelier():
    few, many = table([("bckg", "sz_foc")] * 12), table([("bckg", "sz_foc")] * 12, per_label=9)
    assert reserve(few, 0.4, 5) == reserve(many, 0.4, 5)


def test_parts_hold_each_reserved_patient_once():
    windows = table([("bckg", "sz_foc"), ("bckg", "sz_gen")] * 10)
    reserved = reserve(windows, 0.4, 3)
    parts = inner_parts(windows, reserved, 3, 3)
    assert sorted(parts) == reserved and sorted(Counter(parts.values())) == [1, 2, 3]
    assert parts == inner_parts(windows, reserved, 3, 3)
    assert len({tuple(inner_parts(windows, reserved, 3, seed).items()) for seed in range(5)}) > 1
    with pytest.raises(InputError, match=r"tuning\.reserved: 8 reserved patient\(s\) can't make 9 inner folds"):
        inner_parts(windows, reserved, 9, 3)


@pytest.fixture
def gate(tmp_path):
    """Write the folds of windows with samples of noise; `copies` are pairs of patients that share a window."""

    def run(windows, config, given=None, copies=()):
        samples = np.random.default_rng(0).normal(0, 30, (len(windows), 2, 8)).astype(np.float16)
        for one, other in copies:
            rows = [windows.index[windows["patient"] == patient][0] for patient in (one, other)]
            samples[rows[1]] = samples[rows[0]]
        write_table(tmp_path / "windows.tsv", windows)
        write_array(tmp_path / "windows.npy", samples)
        paths = [str(tmp_path / name) for name in ("windows.tsv", "windows.npy", "folds.tsv", "leakage.json")]
        write_folds({"seed": 1, **config}, paths[0], paths[1], given, paths[2], paths[3])
        return read_table(tmp_path / "folds.tsv", text=("patient",))

    return run


WINDOWS = table([("bckg", "sz_foc"), ("bckg", "sz_gen"), ("bckg",)] * 5)
RESERVED = {"folds": 3, "n_folds": 3, "reserved": 0.4, "inner": 3}


def test_the_table_of_folds(gate, tmp_path):
    made = gate(WINDOWS, RESERVED)
    assert list(made.columns) == ["patient", "fold", "inner", "bckg", "sz_foc", "sz_gen"]
    assert made["patient"].tolist() == sorted(WINDOWS["patient"].unique())
    reserved = made[made["fold"] == 0]
    assert reserved["patient"].tolist() == reserve(WINDOWS, 0.4, 1) and len(reserved) == 6
    assert set(reserved["inner"]) == {1, 2, 3}
    # Nobody of an outer fold is in an inner part, and the other way round.
    assert (made.loc[made["fold"] > 0, "inner"] == 0).all() and (reserved["inner"] > 0).all()
    assert set(made["fold"]) == {0, 1, 2, 3}
    assert made["bckg"].tolist() == [2] * 15 and made["sz_foc"].tolist() == [2, 0, 0] * 5
    first = [(tmp_path / name).read_bytes() for name in ("folds.tsv", "leakage.json")]
    gate(WINDOWS, RESERVED)
    assert [(tmp_path / name).read_bytes() for name in ("folds.tsv", "leakage.json")] == first
    assert json.loads(first[1])["passed"]


def test_without_reserved_patients_the_table_is_as_before(gate):
    made = gate(WINDOWS, {"folds": 3, "n_folds": 3})
    assert list(made.columns) == ["patient", "fold", "bckg", "sz_foc", "sz_gen"] and made["fold"].min() == 1


def test_reserved_patients_are_a_fold_of_their_own_to_the_gate(gate, tmp_path):
    made = gate(WINDOWS, RESERVED)
    reserved = made["patient"][made["fold"] == 0].tolist()
    other = made["patient"][made["fold"] == 2].tolist()[0]
    (tmp_path / "folds.tsv").unlink()
    with pytest.raises(InputError) as caught:
        gate(WINDOWS, RESERVED, copies=[(reserved[0], other)])
    assert "leak: the same samples stand in fold" in str(caught.value)
    assert "fold 0" in str(caught.value) and "fold 2" in str(caught.value)
    assert not (tmp_path / "folds.tsv").exists()
    gate(WINDOWS, RESERVED, copies=[(reserved[0], reserved[1])])
    checks = json.loads((tmp_path / "leakage.json").read_text())["checks"]
    assert [check["copies_within_a_fold"] for check in checks if "copies_within_a_fold" in check] == [1]


def test_time_shared_with_a_reserved_patient_is_a_leak(gate):
    made = gate(WINDOWS, RESERVED)
    pair = [made["patient"][made["fold"] == fold].tolist()[0] for fold in (0, 1)]
    windows = WINDOWS.copy()
    windows.loc[windows["patient"].isin(pair), "recording"] = "shared_eeg"
    with pytest.raises(InputError, match=r"leak: shared_eeg: time around 0 s lies in fold \d and in fold \d"):
        gate(windows, RESERVED)


@pytest.mark.parametrize("by_option", [True, False])
def test_given_folds_with_reserved_patients(gate, tmp_path, by_option):
    names = sorted(WINDOWS["patient"].unique())
    official = pd.DataFrame({"patient": names, "fold": [0] * 4 + [1, 2, 3, 4] * 2 + [1, 2, 3]})
    path = tmp_path / "official.tsv"
    write_table(path, official)
    config = RESERVED | {"n_folds": 4, "folds": 3 if by_option else str(path)}
    made = gate(WINDOWS, config, given=str(path) if by_option else None)
    # The table says who is reserved, whatever the share.
    assert made["fold"].tolist() == official["fold"].tolist()
    assert set(made["inner"][:4]) == {1, 2, 3} and set(made["inner"][4:]) == {0}
    write_table(path, official.assign(fold=official["fold"] + 1))
    with pytest.raises(InputError, match=r"folds \[1, 2, 3, 4, 5\] .*: expected 0 to K, .*; fold 0 is reserved for"):
        gate(WINDOWS, config, given=str(path))
    write_table(path, official)
    with pytest.raises(InputError, match="line 2: fold '0': expected a whole number from 1"):
        gate(WINDOWS, {"folds": 3, "n_folds": 4}, given=str(path))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reserved": 0.13}, "tuning.reserved: 2 reserved patient(s) can't make 3 inner folds; reserve more, or use"),
        ({"reserved": 0.01}, "tuning.reserved: 0 reserved patient(s) can't make 3 inner folds; reserve more, or use"),
        ({"inner": 7}, "tuning.reserved: 6 reserved patient(s) can't make 7 inner folds; reserve more, or use"),
        ({"folds": 10, "n_folds": 10}, "folds: 10 folds can't be made of 9 patients; use 9 or fewer"),
    ],
)
def test_too_few_patients(gate, tmp_path, change, said):
    with pytest.raises(InputError) as caught:
        gate(WINDOWS, RESERVED | change)
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)
    assert not (tmp_path / "folds.tsv").exists()


@pytest.mark.parametrize("share", [0.2, 0.25, 0.3, 0.5])
@pytest.mark.parametrize("n_patients", [14, 15, 17])
def test_leaving_one_out_counts_as_the_gate_does(gate, root, n_patients, share):
    """Halves are rounded alike, too: 0.5 of 15 and 17, 0.25 of 14."""
    dataset = {"kind": "synthetic", "n_focal": n_patients - 5, "n_generalized": 5, "n_both": 0, "n_none": 0}
    tuning = {"mode": "reserved", "reserved": share}
    settings = {"folds": "leave-one-patient-out", "dataset": dataset, "tuning": tuning}
    study = read_flow(root / "config/config.yaml", [], settings).study
    config = slice_of(study, "folds", None)
    assert config["n_folds"] == count_folds(study) < n_patients and config["inner"] == 3
    if n_reserved(n_patients, share) < 3:
        with pytest.raises(InputError, match="can't make 3 inner folds"):
            gate(table([("bckg", "sz_foc")] * n_patients), config)
        return
    made = gate(table([("bckg", "sz_foc")] * n_patients), config)
    assert made["fold"].max() == count_folds(study)
    assert (made["fold"] == 0).sum() + count_folds(study) == len(made) == n_patients
