"""The job on files of a study: which windows it reads, and when it has no scores."""

import numpy as np
import pandas as pd
import pytest

from eegwf.config.stages.evaluation import SplitByWindowSettings
from eegwf.jobs import split_by_window
from eegwf.storage.files import read_json, write_array, write_json
from tests.helpers.study import CLASSES, write_study


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path, n_patients=8)


def run(folder, array="mel.npy", name="found.json", **changes):
    """Run the job and read its file."""
    settings = {"seed": 3, "classes": CLASSES, "permute_labels": False, "confidence": 0.95, "timed": True} | changes
    files = folder / "windows.tsv", folder / "folds.tsv", [folder / array]
    split_by_window.run(SplitByWindowSettings(**settings), *files, folder / name)
    return read_json(folder / name)


def change_table(path, column, rows, value):
    table = pd.read_csv(path, sep="\t")
    table.loc[rows, column] = value
    table.to_csv(path, sep="\t", index=False)


def test_two_runs_write_the_same_bytes(study):
    found = run(study)
    run(study, name="again.json")
    assert (study / "found.json").read_bytes() == (study / "again.json").read_bytes()
    assert found["arrays"] == ["mel"] and found["n_folds"] == 3 and found["reason"] is None
    assert run(study, seed=4)["by_patient"] == found["by_patient"]
    assert run(study, seed=4)["by_window"] != found["by_window"]


def test_reserved_patients_and_borderline_windows_are_left_out(study):
    every = run(study)
    change_table(study / "folds.tsv", "fold", [0, 1], 0)  # reserved for tuning
    change_table(study / "windows.tsv", "label", list(range(100, 110)), "")  # of another patient, borderline
    array = np.load(study / "mel.npy")
    array[:48] = array[100:110] = np.nan
    write_array(study / "mel.npy", array)
    found = run(study)
    assert every["n_patients"] - found["n_patients"] == 2
    assert every["n_windows"] - found["n_windows"] == 48 + 10
    assert found["reason"] is None


def test_the_time_series_is_an_input(study):
    array = np.random.default_rng(0).normal(0, 30, (8 * 24, 3, 128)).astype(np.float16)
    write_array(study / "windows.npy", array)
    write_json(study / "windows.json", {"sfreq": 64, "n_times": 128, "ch_names": ["a", "b", "c"], "sha256": ""})
    found = run(study, "windows.npy")
    assert found["arrays"] == ["raw"] and 0 < found["by_window"]["auroc"]["value"] < 1


def test_times_of_given_arrays_are_unknown(study):
    assert run(study)["by_window"]["shared"]["adjacent"] > 0
    assert run(study, timed=False)["by_window"]["shared"] == {"patient": 1.0, "samples": None, "adjacent": None}


def test_without_a_band_or_a_class_there_is_a_reason_and_no_score(study):
    axes = read_json(study / "mel.json")
    write_json(study / "mel.json", axes | {"freqs": [100.0 + number for number in range(10)]})
    found = run(study)
    assert "no band contains a frequency" in found["reason"] and "by_patient" not in found
    write_json(study / "mel.json", axes)
    labels = pd.read_csv(study / "windows.tsv", sep="\t")
    generalized = labels.index[(labels["label"] == "sz_gen") & (labels["patient"] != "sub-02")]
    change_table(study / "windows.tsv", "label", generalized, "bckg")
    assert run(study)["reason"] == "all windows of class 'generalized' are in one fold"


def test_neighboring_windows_share_the_samples_of_their_context(study):
    array = np.random.default_rng(0).normal(0, 30, (8 * 24, 3, 128)).astype(np.float16)
    write_array(study / "windows.npy", array)
    axes = {"sfreq": 64, "n_times": 128, "ch_names": ["a", "b", "c"], "sha256": ""}
    write_json(study / "windows.json", axes)
    without = run(study, "windows.npy")["by_window"]["shared"]
    write_json(study / "windows.json", axes | {"context": 16})
    within = run(study, "windows.npy")["by_window"]["shared"]
    assert without["samples"] == 0 and within["samples"] == without["adjacent"] > 0.5
