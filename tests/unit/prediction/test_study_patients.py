"""Choice of the models: by the id of the patient, and by the samples, whatever the name of the recording."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eegwf.config.paths import RunPaths
from eegwf.data.overlap import window_fingerprints
from eegwf.errors import InputError
from eegwf.prediction import study_patients
from eegwf.prediction.source import Source
from eegwf.prediction.study_patients import StudyPatients
from eegwf.storage.files import write_array, write_json, write_table

WINDOWS = np.random.default_rng(0).normal(0, 30, (12, 2, 64)).astype(np.float16)


@pytest.fixture
def run(tmp_path, monkeypatch) -> RunPaths:
    """Run of a study with three windows of each of four patients, the last of whom is reserved for tuning."""
    monkeypatch.setattr(study_patients, "_same_persons", lambda run: {"sub-05": "sub-01"})
    run = RunPaths(tmp_path / "results" / "vit_mel_3class")
    patients = [f"sub-0{number}" for number in (1, 2, 3, 4)]
    windows = pd.DataFrame({"window": range(12), "patient": np.repeat(patients, 3), "recording": "r", "label": "bckg"})
    data = tmp_path / "results" / "data"
    write_table(data / "windows.tsv", windows)
    write_array(data / "windows.npy", WINDOWS)
    write_json(data / "windows.json", {"n_times": 64})
    write_table(data / "folds.tsv", pd.DataFrame({"patient": patients, "fold": [1, 2, 3, 0]}))
    write_array(run.final.fingerprints, np.sort(window_fingerprints(WINDOWS, np.arange(12))))
    return run


def of_run(run: RunPaths) -> StudyPatients:
    return StudyPatients(Source(run.final, run))


@pytest.mark.parametrize(
    ("subject", "fold"), [("sub-02", 2), ("SUB-02", 2), ("sub-05", 1), ("Sub-05", 1), ("sub-2", None), ("", None)]
)
def test_a_patient_of_the_study_has_the_models_of_the_test_fold(run, subject, fold):
    assert of_run(run).choose(subject).fold == fold


def test_patients_who_differ_in_case_only_are_two(run, tmp_path):
    folds = pd.DataFrame({"patient": ["sub-a", "sub-A"], "fold": [1, 2]})
    write_table(tmp_path / "results" / "data" / "folds.tsv", folds)
    assert [of_run(run).choose(name).fold for name in ("sub-a", "sub-A")] == [1, 2]


def test_a_patient_whom_the_user_names_must_be_in_the_study(run):
    assert of_run(run).choose("sub-02", named=True).fold == 2
    with pytest.raises(InputError, match=r"--patient sub-2: the study has no such patient; give an id of .*folds.tsv"):
        of_run(run).choose("sub-2", named=True)
    assert StudyPatients(Source(run.final, None)).choose("sub-2", named=True).fold is None


def test_samples_of_another_patient_than_the_named_one_are_found(run):
    """A recording of sub-03 under the name of sub-01 isn't predicted by models that were trained on sub-03."""
    patients = of_run(run)
    choice = patients.choose("sub-01")
    assert not patients.have_seen(WINDOWS[:3], choice) and not patients.have_seen(WINDOWS[:3] + 1, choice)
    assert patients.have_seen(WINDOWS[6:9], choice) and patients.have_seen(WINDOWS[1:4], choice)
    found = patients.choose_by_samples(WINDOWS[6:9])
    assert (found.fold, found.patient) == (3, "sub-03") and not patients.have_seen(WINDOWS[6:9], found)
    assert patients.have_seen(WINDOWS[:1], patients.choose("")) and not patients.have_seen(
        WINDOWS[:1] + 1, patients.choose("")
    )


def test_reserved_patients_are_refused_by_name_and_by_samples(run):
    for choose in (lambda: of_run(run).choose("sub-04"), lambda: of_run(run).choose_by_samples(WINDOWS[9:10])):
        with pytest.raises(InputError, match="was reserved for tuning"):
            choose()


def test_windows_that_the_study_no_longer_has_are_refused_in_one_line(run, tmp_path):
    patients = of_run(run)
    write_array(tmp_path / "results" / "data" / "windows.npy", WINDOWS + 1)
    with pytest.raises(InputError, match=r"not among the windows of the study.*the windows have changed since then"):
        patients.choose_by_samples(WINDOWS[:3])


def test_without_the_windows_of_the_study_the_name_decides(run, tmp_path):
    (tmp_path / "results" / "data" / "windows.npy").unlink()
    patients = of_run(run)
    assert not patients.have_seen(WINDOWS[:3], patients.choose("sub-01"))
    with pytest.raises(InputError, match=r"windows.npy is missing.*name the patient by --patient"):
        patients.choose_by_samples(WINDOWS[:3])


@pytest.mark.parametrize("array", [np.zeros((2, 2), np.uint64), np.zeros(3), np.array([2, 1], np.uint64)])
def test_damaged_fingerprints_are_refused(run, array):
    write_array(run.final.fingerprints, array)
    with pytest.raises(InputError, match=r"fingerprints.npy: not a sorted array of fingerprints"):
        of_run(run)


def test_a_run_without_the_tables_of_its_study_is_refused(run):
    Path(run.folder.parent / "data" / "folds.tsv").unlink()
    with pytest.raises(InputError, match=r"folds.tsv: no such file.*copy the folder of all results, or use a bundle"):
        of_run(run)
