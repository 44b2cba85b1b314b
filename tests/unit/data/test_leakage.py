"""Leakage checks: every kind of leak is found and described, and there are no false positives."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eegwf.config.stages.data import FoldsSettings
from eegwf.data.leakage import check_leakage
from eegwf.errors import InputError
from eegwf.jobs import folds as folds_job
from eegwf.storage.files import read_table, write_array, write_json, write_table

N_PATIENTS, N_WINDOWS = 6, 5


@pytest.fixture
def study():
    """Windows, folds and samples without a leak: 6 patients in 3 folds, 5 windows of 2 s each."""
    names = [f"sub-{number}" for number in range(1, N_PATIENTS + 1)]
    rows = [
        [f"{name}_task-sz", name, 2.0 * window, 2.0, "sz" if window == 0 else "bckg", 1.0]
        for name in names
        for window in range(N_WINDOWS)
    ]
    windows = pd.DataFrame(rows, columns=["recording", "patient", "onset", "duration", "label", "overlap"])
    windows.insert(0, "window", range(len(windows)))
    folds = pd.DataFrame({"patient": names, "fold": [1, 2, 3, 1, 2, 3]})
    samples = np.random.default_rng(0).normal(0, 30, (len(windows), 3, 16)).astype(np.float16)
    return windows, folds, samples


def by_name(result):
    return {check["check"]: check for check in result["checks"]}


def test_a_study_without_leaks_passes(study):
    result = check_leakage(*study)
    assert result["passed"] and all(check["leaks"] == 0 for check in result["checks"])
    assert by_name(result)["patient in two folds"]["examined"] == "6 patients"
    assert by_name(result)["same samples in two folds"]["examined"] == "30 windows by hash, 0 constant windows exempt"
    assert json.loads(json.dumps(result)) == result


def test_a_patient_in_two_folds_is_a_leak(study):
    windows, folds, samples = study
    folds.loc[len(folds)] = ["sub-2", 3]
    with pytest.raises(InputError, match=r"leak: patient sub-2 is in folds \[2, 3\]"):
        check_leakage(windows, folds, samples)


def test_a_patient_without_a_fold_is_refused(study):
    windows, folds, samples = study
    with pytest.raises(InputError, match="leak: patient sub-3 has windows and no fold"):
        check_leakage(windows, folds[folds["patient"] != "sub-3"], samples)


def test_the_same_samples_in_two_folds_are_a_leak(study):
    windows, folds, samples = study
    samples[7] = samples[23]  # sub-2 at 4 s and sub-5, both in fold 2: no leak
    assert by_name(check_leakage(windows, folds, samples))["same samples in two folds"]["copies_within_a_fold"] == 1
    samples[2] = samples[28]  # sub-1 (fold 1) at 4 s, sub-6 (fold 3) at 6 s
    with pytest.raises(InputError) as caught:
        check_leakage(windows, folds, samples)
    for words in ("fold 1 (sub-1_task-sz, 4 s)", "fold 3 (sub-6_task-sz, 6 s)", "are sub-1 and sub-6 one person?"):
        assert words in str(caught.value)


def test_copies_of_copies_are_found_in_any_order(study):
    """The first two of three copies are in one fold; the third is a leak."""
    windows, folds, samples = study
    samples[[0, 16, 29]] = samples[0]  # folds 1, 1 and 3
    with pytest.raises(InputError, match=r"same samples are in fold 1 .* fold 3"):
        check_leakage(windows, folds, samples)


def test_constant_windows_are_exempt(study):
    windows, folds, samples = study
    samples[[0, 6]] = 0.0
    samples[[12, 18]] = np.array([1.0, -2.0, 3.0])[:, None]  # constant, with another value in each channel
    check = by_name(check_leakage(windows, folds, samples))["same samples in two folds"]
    assert check["examined"] == "30 windows by hash, 4 constant windows exempt" and check["copies_within_a_fold"] == 0
    # A window with one channel that is not constant is checked.
    samples[[0, 6], 1, 3] = 1.0
    with pytest.raises(InputError, match="same samples"):
        check_leakage(windows, folds, samples)


def test_spectrograms_are_checked_like_signals(study):
    windows, folds, samples = study
    spectrograms = samples.reshape(len(samples), 3, 4, 4)
    assert check_leakage(windows, folds, spectrograms)["passed"]
    spectrograms[[0, 6]] = np.array([1.0, 2.0, 3.0])[:, None, None]
    assert check_leakage(windows, folds, spectrograms)["passed"]
    spectrograms[11] = spectrograms[3]
    with pytest.raises(InputError, match="same samples"):
        check_leakage(windows, folds, spectrograms)


def test_the_table_assigns_rows_of_the_array_to_windows(study):
    """The order of the rows of the table makes no difference."""
    windows, folds, samples = study
    samples[2] = samples[28]
    with pytest.raises(InputError, match=r"sub-6_task-sz, 6 s.*sub-1_task-sz, 4 s"):
        check_leakage(windows.iloc[::-1].reset_index(drop=True), folds, samples)


def test_overlapping_time_of_one_recording_in_two_folds_is_a_leak(study):
    windows, folds, samples = study
    # With given arrays, "patients" may be parts of one recording; windows of 2 s at 4 s and 5 s overlap.
    windows.loc[5, ["recording", "onset"]] = ["sub-1_task-sz", 5.0]
    with pytest.raises(InputError, match="leak: sub-1_task-sz: time around 5 s is in fold 1 and in fold 2"):
        check_leakage(windows, folds, samples)
    windows.loc[5, "onset"] = 10.0  # the end of the last window
    assert check_leakage(windows, folds, samples)["passed"]


@example([(0, 12, 1), (1, 1, 1), (5, 1, 2)])  # the first window ends after the second
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(1, 3)), min_size=1, max_size=12))
def test_overlap_is_found_if_and_only_if_two_windows_share_time(rows):
    table = pd.DataFrame(rows, columns=["onset", "duration", "fold"])
    windows = table[["onset", "duration"]].astype(float).assign(recording="r", window=range(len(table)))
    windows["patient"] = [f"p{fold}" for fold in table["fold"]]
    folds = pd.DataFrame({"patient": ["p1", "p2", "p3"], "fold": [1, 2, 3]})
    samples = np.random.default_rng(0).normal(size=(len(table), 1, 4))
    overlapping = any(
        a[2] != b[2] and min(a[0] + a[1], b[0] + b[1]) > max(a[0], b[0]) for i, a in enumerate(rows) for b in rows[:i]
    )
    if overlapping:
        with pytest.raises(InputError, match="leak: r: time around"):
            check_leakage(windows, folds, samples)
    else:
        assert check_leakage(windows, folds, samples)["passed"]


def test_twenty_thousand_windows_pass():
    rng = np.random.default_rng(0)
    patients = np.repeat([f"sub-{number:03d}" for number in range(200)], 100)
    windows = pd.DataFrame({"window": range(20_000), "recording": patients, "patient": patients})
    windows = windows.assign(onset=np.tile(np.arange(100) * 5.0, 200), duration=5.0, label="bckg")
    folds = pd.DataFrame({"patient": np.unique(patients), "fold": np.arange(200) % 5 + 1})
    samples = rng.integers(-900, 900, (20_000, 20, 64), dtype=np.int16).astype(np.float16)
    assert check_leakage(windows, folds, samples)["passed"]


@pytest.fixture
def run(study, tmp_path):
    """Write windows and samples; return a function that makes the folds."""
    windows, _, samples = study
    write_table(tmp_path / "windows.tsv", windows)
    write_array(tmp_path / "windows.npy", samples)
    write_json(tmp_path / "windows.json", {"sfreq": 8.0})

    def run(folds=3, given=None, n_folds=3):
        paths = [tmp_path / name for name in ("windows.tsv", "windows.npy", "folds.tsv", "leakage.json")]
        folds_job.run(FoldsSettings(folds=folds, n_folds=n_folds, seed=1), *paths, given=given)
        return read_table(tmp_path / "folds.tsv", text=("patient",))

    return run


def test_job_writes_folds_and_results_of_the_checks(run, study, tmp_path):
    made = run()
    assert list(made.columns) == ["patient", "fold", "bckg", "sz"]
    assert made["bckg"].tolist() == [4] * 6 and made["sz"].tolist() == [1] * 6
    assert made.groupby("fold").size().tolist() == [2, 2, 2]
    assert json.loads((tmp_path / "leakage.json").read_text())["passed"]
    first = [(tmp_path / name).read_bytes() for name in ("folds.tsv", "leakage.json")]
    run()
    assert [(tmp_path / name).read_bytes() for name in ("folds.tsv", "leakage.json")] == first


def test_another_number_of_folds_than_planned_is_refused(run, tmp_path):
    with pytest.raises(InputError, match="7 folds are planned, but the 6 patients with windows make 6"):
        run("leave-one-patient-out", n_folds=7)
    assert not (tmp_path / "folds.tsv").exists()


@pytest.mark.parametrize("by_option", [True, False])
def test_given_folds_are_checked_too(run, study, tmp_path, by_option):
    _, folds, samples = study
    path = tmp_path / "official.tsv"
    write_table(path, folds)
    made = run(3, str(path)) if by_option else run(str(path))
    assert made["fold"].tolist() == folds["fold"].tolist()
    samples[2] = samples[28]
    write_array(tmp_path / "windows.npy", samples)
    (tmp_path / "folds.tsv").unlink()
    with pytest.raises(InputError, match="leak: the same samples"):
        run(3, str(path)) if by_option else run(str(path))
    assert not (tmp_path / "folds.tsv").exists()


def test_a_leak_between_the_folds_made_is_an_error(run, study, tmp_path):
    made = run()
    others = made[made["fold"] != made["fold"][0]]["patient"].tolist()
    windows, _, samples = study
    rows = [int(windows.index[windows["patient"] == name][1]) for name in (made["patient"][0], others[0])]
    samples[rows[0]] = samples[rows[1]]
    write_array(tmp_path / "windows.npy", samples)
    with pytest.raises(InputError, match="leak: the same samples"):
        run()
