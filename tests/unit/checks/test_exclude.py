"""Patients who are excluded by name: in no list, digest, fold or table; the messages name the line to write."""

import re

import pytest
import yaml

from eegwf.checks.study import check_study
from eegwf.dag.stage_config import data_digest, stage_config
from eegwf.errors import InputError
from eegwf.jobs import folds, windows
from eegwf.plan.sizes import estimate_sizes
from eegwf.storage.files import read_table
from tests.helpers.bids_folder import EVENTS, write_recording

LEAVE_ONE_OUT = {"folds": "leave-one-patient-out", "signals": {"on_bad_recording": "exclude"}}


@pytest.fixture
def run(tmp_path):
    """Cut the windows of a study and make its folds, as the jobs do; the table of the folds."""

    def run(flow):
        out = tmp_path / "out"
        windows.run(stage_config(flow.study, "windows", None), "code", flow.study.dataset.root, tmp_path / "state", out)
        files = [out / name for name in ("windows.tsv", "windows.npy", "folds.tsv", "leakage.json")]
        folds.run(stage_config(flow.study, "folds", None), *files, recordings=out / "recordings.tsv")
        return read_table(out / "folds.tsv", text=("patient",))

    return run


def cut_off(bids, patient):
    path = bids / patient / f"eeg/{patient}_task-sz_eeg.edf"
    path.write_bytes(path.read_bytes()[:5000])


def written_line(message):
    """The list that a message tells to write, as YAML reads it."""
    return yaml.safe_load(re.search(r"write `(exclude: \[.*?\])` under `dataset`", message)[1])


@pytest.mark.parametrize(
    ("lost", "patients", "folds"),
    [
        (["sub-02"], {}, 5),
        (["sub-02", "sub-05"], {}, 4),
        (["sub-02", "sub-05"], {"sub-05": "sub-02"}, 4),
        (["sub-01", "sub-06"], {"sub-05": "sub-01"}, 4),
    ],
)
def test_leave_one_patient_out_is_one_edit_from_running(flow_of, bids, run, caplog, lost, patients, folds):
    caplog.set_level("INFO")
    for patient in lost:
        cut_off(bids, patient)
    # Of one person, another recording remains.
    needed = [patient for patient in lost if not (patient == "sub-01" and patients)]
    flow = flow_of(**LEAVE_ONE_OUT, patients=patients)
    (problem,) = [line for line in check_study(flow).problems if line.startswith("folds:")]
    with pytest.raises(InputError) as error:
        run(flow)
    assert str(error.value) == problem and written_line(problem) == {"exclude": needed}
    (warning,) = [line for line in caplog.messages if "can be used; with" in line]
    assert written_line(warning) == {"exclude": needed}
    dataset = {"kind": "bids", "root": str(bids), **written_line(problem)}
    flow = flow_of(**LEAVE_ONE_OUT, patients=patients, dataset=dataset)
    findings = check_study(flow)
    assert not [line for line in findings.problems if line.startswith("folds:")]
    table = run(flow)
    assert flow.n_folds == table["fold"].max() == folds and not set(needed) & set(table["patient"])
    told = f"not read, as dataset.exclude: {', '.join(needed)}"
    assert told in findings.facts and told in caplog.messages


def test_a_patient_without_windows_but_with_a_header(flow_of, bids, run):
    """With `stop`, a recording shorter than a window is no fault."""
    write_recording(bids, "sub-03", [])
    flow = flow_of(folds="leave-one-patient-out", windows={"length": 15, "step": 15, "borderline": "drop", "guard": 9})
    (problem,) = [line for line in check_study(flow).problems if line.startswith("folds:")]
    with pytest.raises(InputError) as error:
        run(flow)
    assert str(error.value) == problem


def test_excluded_patients_are_nowhere(flow_of, bids, tmp_path, run):
    (bids / "sub-09").mkdir()  # without EEG
    dataset = {"kind": "bids", "root": str(bids), "exclude": ["sub-06", "sub-09"]}
    without = flow_of(dataset=dataset)
    everything, digest = flow_of(), data_digest(without.study.dataset)
    assert digest != data_digest(everything.study.dataset)
    assert any("sub-09" in line for line in check_study(everything).warnings)
    findings = check_study(without)
    assert not any("sub-09" in line for line in findings.warnings)
    assert any("5 recordings, 5 of them fit for use, of 5 patients" in line for line in findings.facts)
    assert estimate_sizes(without.study).n_windows == estimate_sizes(everything.study).n_windows * 5 // 6
    assert "sub-06" not in set(run(without)["patient"])
    assert "sub-06" not in (tmp_path / "out/recordings.tsv").read_text()
    # Changes of its files are no reason to read the others again.
    cut_off(bids, "sub-06")
    assert data_digest(without.study.dataset) == digest


def test_a_name_without_a_folder_is_a_warning_of_check_and_run(flow_of, bids, run, caplog):
    flow = flow_of(dataset={"kind": "bids", "root": str(bids), "exclude": ["sub-6"]})
    lines = [line for line in check_study(flow).warnings if "dataset.exclude: sub-6: no such folder" in line]
    run(flow)
    assert len(lines) == 1 and f"warning: {lines[0]}" in caplog.messages


def test_all_patients_excluded(flow_of, bids):
    flow = flow_of(dataset={"kind": "bids", "root": str(bids), "exclude": list(EVENTS)})
    assert any("besides those of the patients in dataset.exclude" in line for line in check_study(flow).problems)


@pytest.mark.parametrize("value", [["05"], ["Sub-05"], [5], "sub-05"])
def test_other_values_are_refused(flow_of, bids, value):
    with pytest.raises(InputError, match=r"dataset\.(bids\.)?exclude"):
        flow_of(dataset={"kind": "bids", "root": str(bids), "exclude": value})


def test_recordings_that_were_read_are_not_read_again(flow_of, bids, run, tmp_path, monkeypatch):
    """A run that was stopped continues after a patient is excluded."""
    monkeypatch.setattr("eegwf.data.dataset._assemble", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run(flow_of())
    monkeypatch.undo()
    monkeypatch.setattr("eegwf.data.dataset._read_part", None)
    table = run(flow_of(dataset={"kind": "bids", "root": str(bids), "exclude": ["sub-06"]}))
    assert len(table) == 5
