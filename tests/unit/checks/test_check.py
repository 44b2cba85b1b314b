"""`eegwf check`: facts, warnings and problems of valid and invalid studies."""

from pathlib import Path

import numpy as np
import pytest

from eegwf.checks.study import check_study
from eegwf.dag.flow_reading import read_flow
from eegwf.dag.stage_config import stage_config
from eegwf.data.dataset import write_dataset_windows
from eegwf.data.folds import make_folds
from eegwf.data.reading_settings import ReadingSettings
from eegwf.data.splits import load_window_set
from eegwf.errors import InputError
from eegwf.jobs import folds as folds_job
from eegwf.storage.files import read_table
from tests.helpers.bids_folder import ELECTRODES, EVENTS, write_recording


def test_valid_data_set_has_facts_only(flow_of, bids, tmp_path):
    findings = check_study(flow_of())
    assert not findings.problems and not findings.warnings
    facts = "\n".join(findings.facts)
    assert f"{bids}: 6 recordings, 6 of them fit for use, of 6 patients, 2.0 min" in facts
    assert "20 derivations (tcp20), recorded at 64 Hz (6 recordings)" in facts
    assert "sz_foc 12 s (2 patients), sz_foc_ia 5 s (1 patients)" in facts
    assert "sz_gen 15 s (2 patients)" in facts
    assert "without event 78 s, labeled as bckg" in facts
    assert not (tmp_path / "results").exists()


def test_windows_and_folds_equal_those_of_the_study(flow_of, bids, tmp_path):
    """The windows counted from headers and events are those that are cut from the signals."""
    flow = flow_of(windows={"length": 3, "step": 2, "guard": 1, "borderline": "drop"}, matrix={"classes": ["3class"]})
    study = flow.study
    reading = ReadingSettings(bids, study.dataset, study.signals, study.windows, study.patients)
    write_dataset_windows(reading, tmp_path / "out", tmp_path / "state")
    windows = read_table(tmp_path / "out/windows.tsv", text=("recording", "patient", "label"))
    folds = make_folds(windows, 3, study.seed)
    findings = check_study(flow)
    facts = "\n".join(findings.facts)
    assert f"windows: {len(windows)} of 3 s, one every 2 s, 0 of them borderline" in facts
    for name, prefix in (("background", "bckg"), ("focal", "sz_foc"), ("generalized", "sz_gen")):
        rows = windows[windows["label"].str.startswith(prefix)]
        assert f"{name} {len(rows)} windows of {rows['patient'].nunique()} patients" in facts
        present = set(folds.set_index("patient")["fold"][rows["patient"].unique()])
        missing = sorted({1, 2, 3} - present)
        warnings = [line for line in findings.warnings if f"no window of {name!r}" in line]
        assert bool(warnings) == bool(missing)
        assert not missing or f"{', '.join(map(str, missing))} (" in warnings[0]


def test_each_bad_recording_is_one_problem(flow_of, bids):
    paths = {name: bids / name / "eeg" / f"{name}_task-sz_eeg.edf" for name in EVENTS}
    paths["sub-01"].write_bytes(paths["sub-01"].read_bytes()[:5000])
    write_recording(bids, "sub-02", [], names=[name for name in ELECTRODES if name != "Cz"])
    write_recording(bids, "sub-03", [], odd_rate=32)
    write_recording(bids, "sub-04", [(0, 5, "seizure")])
    write_recording(bids, "sub-05", [(15, 90, "sz")])
    write_recording(bids, "sub-06", [], unit="kg")
    for number in range(11, 15):
        write_recording(bids, f"sub-{number}", [(0, 10, "sz")])
    faults = {
        "sub-01": "cut off",
        "sub-02": "missing for montage tcp20: C3-Cz, Cz-C4",
        "sub-03": "different sampling rates",
        "sub-04": "unknown event type 'seizure'",
        "sub-05": "ends at 105 s, but the recording is 20 s long",
        "sub-06": "not a unit of voltage",
    }
    findings = check_study(flow_of())
    for name, fault in faults.items():
        lines = [line for line in findings.problems if name in line.split(":")[0]]
        assert len(lines) == 1 and fault in lines[0] and "\n" not in lines[0]
    assert len(findings.problems) == len(faults)
    assert any("10 recordings, 4 of them fit for use, of 4 patients" in line for line in findings.facts)

    excluded = check_study(flow_of(signals={"on_bad_recording": "exclude"}))
    assert not excluded.problems
    assert sum(line.startswith("will be excluded: ") for line in excluded.warnings) == len(faults)
    interpolated = check_study(flow_of(signals={"missing": "interpolate"}))
    assert len(interpolated.problems) == len(faults) - 1
    fewer_derivations = check_study(flow_of(signals={"missing": "exclude"}))
    assert any("18 derivations" in line for line in fewer_derivations.facts)


def test_no_usable_recording_is_a_problem(flow_of, bids):
    findings = check_study(flow_of(signals={"montage": "tcp22", "on_bad_recording": "exclude"}))
    assert findings.problems == [f"{bids}: no recording can be used; see the warnings"]
    assert len(findings.warnings) == len(EVENTS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 9}, "9 folds can't be made of 6 patients"),
        ({"folds": 3, "patients": {f"sub-0{n}": "sub-01" for n in range(2, 7)}}, "1 patient(s) with windows"),
        ({"windows": {"length": 21, "step": 1}}, "no recording contains a usable window of 21 s"),
        ({"spectrograms": {"mel": {"f_max": 40}}}, "f_max 40 Hz is above half of the sampling rate 64 Hz"),
        ({"spectrograms": {"mel": {"f_max": 32, "window": 3}}}, "Hann window of 3 s is longer than the 2 s"),
        ({"spectrograms": {"mel": {"f_max": 32, "window": 1}}}, "is shorter than one period of f_min: 0.5 Hz"),
        ({"spectrograms": {"mel": {"f_max": 32, "f_min": 30}}}, "would be empty; choose n_freqs: "),
        (
            {"matrix": {"spectrograms": ["cwt"]}, "spectrograms": {"cwt": {"f_max": 32}}},
            "needs 2.7 s, a window has 2 s; choose f_min: 1.36 or higher",
        ),
        (
            {"matrix": {"spectrograms": ["acf"]}, "spectrograms": {"acf": {"window": 2}}},
            "spectrograms.acf: a frame of 2 s is shorter than 1.5 periods of f_min: 0.5 Hz; choose f_min: 0.75 or",
        ),
        (
            {"matrix": {"spectrograms": ["concat"]}, "spectrograms": {"mel": {"n_freqs": 4}, "concat": ["acf", "mel"]}},
            "concat stacks acf and mel, which need equal n_freqs and n_frames; found acf 32 x 32, mel 4 x",
        ),
        ({"classes": {"2class": {"a": ["bckg"], "b": ["impd"]}}}, "no window of 'b' (event types impd)"),
        ({"dataset": {"kind": "bids", "root": "/nothing"}}, "/nothing: no such folder"),
        ({"signals": {"notch": [31.9]}}, "signals.notch 31.9 Hz does not fit a recording of 64 Hz"),
        (
            {"signals": {"notch": [20, 20.5]}},
            "don't fit a recording of 64 Hz (Stop bands are not sufficiently separated",
        ),
        (
            {
                "matrix": {"spectrograms": ["concat"]},
                "spectrograms": {"mel": {"f_max": 32, "n_freqs": 4}, "stft": {"f_max": 32}, "cwt": {"f_max": 32}},
            },
            "concat stacks mel, cwt and stft, which need equal n_freqs and n_frames; found mel 4 x",
        ),
    ],
)
def test_setting_that_would_fail_is_a_problem(flow_of, settings, message):
    problems = check_study(flow_of(**settings)).problems
    assert any(message in line for line in problems), problems


def test_class_of_one_patient_is_a_problem(flow_of, bids):
    """With this patient in the test fold, the training set lacks the class."""
    write_recording(bids, "sub-01", [(0, 10, "impd")])
    classes = {"2class": {"rest": ["bckg", "sz"], "rare": ["impd"]}}
    findings = check_study(flow_of(classes=classes))
    assert any("no window of 'rare' in test folds" in line for line in findings.warnings)
    assert any("have no window of class 'rare'" in line for line in findings.problems)
    outside_matrix = check_study(
        flow_of(classes={**classes, "3class": {"a": ["sz"], "b": ["bckg"]}}, matrix={"classes": ["3class"]})
    )
    assert not outside_matrix.problems


def test_empty_class_outside_matrix_is_no_problem(flow_of):
    findings = check_study(flow_of(classes={"4class": {"a": ["bckg"], "b": ["nothing"]}}))
    assert not findings.problems
    assert any(
        "class set 4class: a " in line and "b none" in line and "it can't be used" in line for line in findings.facts
    )


def test_different_sampling_rates_are_reported(flow_of, bids):
    write_recording(bids, "sub-01", [(0, 10, "sz")], sfreq=50)
    findings = check_study(flow_of())
    assert any("50 Hz (1 recordings), 64 Hz (5 recordings), resampled to 64 Hz" in line for line in findings.facts)
    warning = (
        "mel.f_max: 32 Hz, but recordings of 50 Hz are resampled to 64 Hz, which changes frequencies above 21.5 Hz"
    )
    assert any(warning in line and "choose f_max: 21.5 or lower" in line for line in findings.warnings)
    recorded = check_study(flow_of(signals={"sfreq": "as recorded"}))
    assert any("'as recorded', but the rates differ" in line for line in recorded.problems)


def test_recordings_with_faulty_files_are_listed(flow_of, bids):
    """As the run does: all are problems, or all are excluded."""
    events = bids / "sub-01/eeg/sub-01_task-sz_events.tsv"
    events.unlink()
    edf = bids / "sub-02/eeg/sub-02_task-sz_eeg.edf"
    edf.unlink()
    edf.symlink_to("missing")
    (bids / "sub-03/eeg/sub-03_task-sz_eeg.bdf").touch()
    (bids / "sub-04/eeg/sub-04_task-sz_eeg.edf").rename(bids / "sub-04/eeg/sub-05_task-x_eeg.edf")
    faults = ("no sub-01_task-sz_events.tsv", "link to a missing file", "duplicate recording", "named sub-05 in the")
    for number in range(11, 15):
        write_recording(bids, f"sub-{number}", [(0, 10, "sz")])
    findings = check_study(flow_of())
    assert len(findings.problems) == 4
    assert all(fault in line for fault, line in zip(faults, findings.problems, strict=True))
    excluded = check_study(flow_of(signals={"on_bad_recording": "exclude"}))
    assert not excluded.problems
    assert [line for line in excluded.warnings if line.startswith("will be excluded")] == [
        f"will be excluded: {line}" for line in findings.problems
    ]
    assert any("10 recordings, 6 of them fit for use, of 6 patients" in line for line in excluded.facts)


def test_folders_that_are_not_read_are_a_warning(flow_of, bids):
    for name in ("sub-11/eeg/sub-11_task-sz_eeg.nwb", "sub-12/EEG/sub-12_eeg.edf", "Sub-13/eeg/Sub-13_eeg.edf"):
        (bids / name).parent.mkdir(parents=True)
        (bids / name).touch()
    warnings = check_study(flow_of()).warnings
    assert sorted(line.split(":")[0] for line in warnings) == ["Sub-13", "sub-11", "sub-12"]


def test_an_absent_patient_id_is_a_fact_and_a_misspelled_one_a_warning(flow_of):
    findings = check_study(flow_of(patients={"sub-21": "sub-01"}))
    assert "patients: sub-21: not in the data set; no effect" in findings.facts and not findings.warnings
    findings = check_study(flow_of(patients={"sub-0l": "sub-02"}))
    assert any(line.startswith("patients.sub-0l: no such patient") for line in findings.warnings)


def test_synthetic_data_set(root, tmp_path):
    def check(**settings):
        return check_study(read_flow(root / "config/config.yaml", [], {"results": str(tmp_path), **settings}))

    findings = check()
    assert not findings.problems and not findings.warnings
    assert any("28 patients (11 with focal seizures," in line for line in findings.facts)
    assert any("class set 3class: background 28 patients, focal 13 patients" in line for line in findings.facts)
    few = {"kind": "synthetic", "n_focal": 1, "n_generalized": 1, "n_both": 0, "n_none": 2}
    findings = check(dataset=few)
    assert any("5 folds can't be made of 4 patients" in line for line in findings.problems)
    assert any("1 patients have 'focal', but there are 5 folds" in line for line in findings.warnings)
    findings = check(dataset={**few, "n_generalized": 0, "n_none": 9})
    assert any("no window of 'generalized'" in line for line in findings.problems)
    assert any("seizures do not fit" in line for line in check(dataset={**few, "seizures": 999}).problems)
    assert any("is longer than a recording" in line for line in check(windows={"length": 721}).problems)


def fold_arrays(folder: Path, name: str, rng, patients=("a b", "c d", "e f")) -> dict[str, str]:
    for fold, names in enumerate(patients, start=1):
        np.save(folder / f"{name}_{fold}.npy", rng.normal(size=(4, 8, 6, 2)).astype("f4"))
        np.save(folder / f"{name}_labels_{fold}.npy", np.array([0, 1, 0, 1]))
        np.save(folder / f"{name}_patients_{fold}.npy", np.repeat(names.split(), 2))
    kinds = {"data": "", "labels": "labels_", "patients": "patients_"}
    return {kind: f"{folder}/{name}_{part}{{fold}}.npy" for kind, part in kinds.items()}


def test_given_arrays(root, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {name: fold_arrays(tmp_path, name, rng) for name in ("mel", "stft")}
    dataset = {"kind": "fold_arrays", "arrays": arrays, "n_folds": 3, "label_names": {0: "bckg", 1: "sz"}}

    def check(**changes):
        settings = {"dataset": dataset, "matrix": {"classes": ["2class"]}, **changes}
        return check_study(read_flow(root / "config/config.yaml", [], settings))

    findings = check()
    assert not findings.problems and not findings.warnings
    facts = "\n".join(findings.facts)
    assert "18 of 18 files of 3 folds" in facts and "(channels, frequencies, times) (2, 8, 6)" in facts
    assert "background 6 windows of 6 patients, seizure 6 windows of 6 patients" in facts

    assert "patients: x: not in the data set; no effect" in check(patients={"x": "a"}).facts

    fold_arrays(tmp_path, "stft", rng, ("a b", "c d", "e g"))
    assert any("mel and stft differ for patient 'f' in fold 3" in line for line in check().problems)
    for name in arrays:
        fold_arrays(tmp_path, name, rng, ("a b", "c a", "e f"))
    assert any("patient 'a' is in folds 1 and 2" in line for line in check().problems)
    (tmp_path / "mel_labels_2.npy").unlink()
    (tmp_path / "stft_3.npy").unlink()
    assert [line.split(": ")[0] for line in check().problems] == [
        str(tmp_path / "mel_labels_2.npy"),
        str(tmp_path / "stft_3.npy"),
    ]


def test_unknown_network_is_a_problem_with_similar_names(root):
    settings = {
        "models": {
            "mine": {"timm": "convnext_ato"},
            "other": {"timm": "resnet10t.c3_in1k"},
            "vit": {"search": {"architecture": {"choices": ["vit_tinny", "vit_tiny_patch16_224"]}}},
        },
        "matrix": {"models": ["mine", "other", "vit"]},
    }
    findings = check_study(read_flow(root / "config/config.yaml", [], settings))
    assert len(findings.problems) == 2
    assert "models.vit.architecture: timm has no network 'vit_tinny'" in findings.problems[1]
    assert "models.mine.timm: timm has no network 'convnext_ato'; similar names: convnext_atto" in findings.problems[0]


def fold_of_each(*folds):
    """Table of folds of the six patients."""
    rows = [f"sub-{number:02d}\t{fold}" for number, fold in enumerate(folds, start=1)]
    return "\n".join(["patient\tfold", *rows]) + "\n"


@pytest.mark.parametrize(
    ("settings", "table", "reason"),
    [
        ({"folds": "leave-one-patient-out"}, None, r"make 5; no window of sub-06: write `exclude: \[sub-06\]`"),
        ({"folds": 6}, None, "6 folds can't be made of 5 patients"),
        ({}, fold_of_each(1, 2, 3, 1, 2, 4), "4 folds are planned, but the 5 patients with windows make 3"),
        ({}, fold_of_each(1, 3, 4, 1, 3, 2), r"folds \[1, 3, 4\] of the patients with windows"),
        ({"tuning": {"mode": "reserved", "reserved": 0.4}}, None, "can't make 3 inner folds"),
        ({}, fold_of_each(1, 2, 3, 1, 2, 3), ""),
        ({"folds": 3}, None, ""),
    ],
    ids=["leave one out", "too many", "last fold", "middle fold", "reserved", "table", "three"],
)
def test_check_and_run_agree_on_folds_if_a_patient_has_no_window(flow_of, bids, tmp_path, settings, table, reason):
    path = bids / "sub-06/eeg/sub-06_task-sz_eeg.edf"
    path.write_bytes(path.read_bytes()[:5000])
    if table:
        (tmp_path / "folds.tsv").write_text(table)
        settings = {"folds": str(tmp_path / "folds.tsv")}
    flow = flow_of(**settings, signals={"on_bad_recording": "exclude"})
    reading = ReadingSettings(bids, flow.study.dataset, flow.study.signals, flow.study.windows, flow.study.patients)
    write_dataset_windows(reading, tmp_path / "out", tmp_path / "state")
    files = [tmp_path / "out" / name for name in ("windows.tsv", "windows.npy", "folds.tsv", "leakage.json")]
    found = [line for line in check_study(flow).problems if not line.startswith("class set")]
    if reason:
        with pytest.raises(InputError, match=reason) as error:
            folds_job.run(stage_config(flow.study, "folds", None), *files, recordings=tmp_path / "out/recordings.tsv")
        assert found == [str(error.value)]
    else:
        folds_job.run(stage_config(flow.study, "folds", None), *files)
        assert not found


@pytest.mark.parametrize("labels", [{"sub-01": "sz"}, {"sub-04": "sz"}, {"sub-05": "sz"}])
def test_check_finds_a_class_that_reserved_or_other_patients_lack(flow_of, bids, tmp_path, labels):
    """Only one patient has seizures, so either group lacks the class; the jobs behind say so too."""
    for patient in EVENTS:
        write_recording(bids, patient, [(4, 10, labels[patient])] if patient in labels else [])
    flow = flow_of(tuning={"mode": "reserved", "reserved": 0.5})
    reading = ReadingSettings(bids, flow.study.dataset, flow.study.signals, flow.study.windows, flow.study.patients)
    write_dataset_windows(reading, tmp_path / "out", tmp_path / "state")
    files = [tmp_path / "out" / name for name in ("windows.tsv", "windows.npy", "folds.tsv", "leakage.json")]
    folds_job.run(stage_config(flow.study, "folds", None), *files)
    faults = []
    for reserved in (True, False):
        try:
            load_window_set(files[0], files[2], flow.study.classes["2class"], reserved=reserved)
        except InputError:
            faults.append("reserved" if reserved else "outer")
    assert faults in (["reserved"], ["outer"])
    problems = [line for line in check_study(flow).problems if "no window of 'seizure' among the patients" in line]
    assert len(problems) == 1 and faults[0] in problems[0]
