"""`eegwf check`: facts, warnings and problems of valid and invalid studies."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from edfio import Edf, EdfSignal

from eegwf.checks import bids as checks_bids
from eegwf.checks import inputs
from eegwf.checks import synthetic as checks_synthetic
from eegwf.checks.study import check_study
from eegwf.cli import main, parse_settings
from eegwf.dag.flow import read_flow
from eegwf.data.dataset import ReadingSettings, write_dataset_windows
from eegwf.data.folds import make_folds
from eegwf.data.signals.montage import ELECTRODES19
from eegwf.errors import InputError
from eegwf.plan.sizes import estimate_sizes
from eegwf.storage.files import read_table

ELECTRODES = ELECTRODES19.split()
SECONDS = 20
EVENTS = {  # onset, duration, label of each patient
    "sub-01": [(5, 5, "sz_foc_ia")],
    "sub-02": [(0, 4, "sz_foc"), (10, 5, "sz_gen")],
    "sub-03": [(10, 10, "sz_gen_m")],
    "sub-04": [(2, 8, "sz_foc")],
    "sub-05": [],
    "sub-06": [(0, 10, "sz_gen")],
}
SMALL = {"windows": {"length": 2, "step": 2}, "folds": 3, "matrix": {"classes": ["2class"]}}


def write_recording(root: Path, patient: str, events, sfreq=64, names=ELECTRODES, unit="uV", odd_rate=None) -> Path:
    base = root / patient / "eeg" / f"{patient}_task-sz"
    base.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(int(patient[4:]))
    rates = [sfreq] * len(names)
    rates[-1] = odd_rate or sfreq
    signals = [
        EdfSignal(
            rng.normal(0, 30, rate * SECONDS).clip(-150, 150),
            rate,
            label=f"EEG {name}-REF",
            physical_dimension=unit,
            physical_range=(-200, 200),
        )
        for name, rate in zip(names, rates, strict=True)
    ]
    Edf(signals).write(f"{base}_eeg.edf")
    rows = ["onset\tduration\teventType", *("\t".join(map(str, event)) for event in events)]
    Path(f"{base}_events.tsv").write_text("\n".join(rows) + "\n")
    return Path(f"{base}_eeg.edf")


@pytest.fixture
def bids(tmp_path) -> Path:
    for patient, events in EVENTS.items():
        write_recording(tmp_path / "bids", patient, events)
    return tmp_path / "bids"


@pytest.fixture
def flow_of(root, bids, tmp_path):
    """Read a study of the small data set, at 64 Hz so that spectrograms up to 32 Hz are possible."""

    def read(**settings):
        grid = {"f_max": 32, "n_freqs": 8, "n_frames": 8}
        base = {
            "dataset": {"kind": "bids", "root": str(bids)},
            "signals": {"sfreq": 64, "l_freq": None},
            "spectrograms": {name: grid for name in ("mel", "stft", "cwt")},
            "results": str(tmp_path / "results"),
            **SMALL,
        }
        for key, value in settings.items():
            replaced = key in ("dataset", "folds", "patients") or not isinstance(base.get(key), dict)
            base[key] = value if replaced else {**base[key], **value}
        return read_flow(root / "config/config.yaml", [], base)

    return read


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


def check_with_sizes(flow, monkeypatch):
    """Check a study; returns the findings, and the final and peak bytes on the disk of `check_disk`."""
    reported = []

    def check_disk(flow, sizes, findings):
        reported.append(sizes.disk(inputs.grids_of(flow)))
        inputs.check_disk(flow, sizes, findings)

    for module in (checks_bids, checks_synthetic):
        monkeypatch.setattr(module, "check_disk", check_disk)
    findings = check_study(flow)
    assert len(reported) == 1
    return findings, reported[0]


def assert_disk_size_of_plan(flow, findings, reported):
    """Compare the reported size with the estimate of `eegwf plan`, exactly and as printed."""
    final, peak = estimate_sizes(flow.study).disk(inputs.grids_of(flow))
    assert reported == (final, peak) and 0 < final <= peak
    line = next(line for line in findings.facts if line.startswith("disk: "))
    assert line.startswith(f"disk: {final / 1e9:.2g} GB for windows and ")
    assert f"at most {peak / 1e9:.2g} GB" in line


def test_disk_size_of_synthetic_study_equals_the_plan(root, tmp_path, monkeypatch):
    flow = read_flow(root / "config/config.yaml", [], {"results": str(tmp_path)})
    findings, reported = check_with_sizes(flow, monkeypatch)
    assert_disk_size_of_plan(flow, findings, reported)
    # 28 recordings of 48 windows of 5 s, 20 derivations at 256 Hz, 2 bytes per value, without the spectrograms.
    n_windows = 28 * 48
    values = 20 * (1280 + sum(grid.n_freqs * grid.n_frames for grid in inputs.grids_of(flow).values()))
    assert reported[0] == 2 * n_windows * values


@pytest.mark.parametrize(
    ("signals", "n_chans", "sfreq"),
    [({"missing": "exclude"}, 18, 64), ({"sfreq": "as recorded"}, 20, 80)],
    ids=["missing: exclude", "sfreq: as recorded"],
)
def test_disk_size_of_bids_study_equals_the_plan(flow_of, bids, monkeypatch, signals, n_chans, sfreq):
    for patient, events in EVENTS.items():
        write_recording(bids, patient, events, sfreq=80)
    if "missing" in signals:
        write_recording(bids, "sub-02", [], sfreq=80, names=[name for name in ELECTRODES if name != "Cz"])
    flow = flow_of(signals=signals)
    findings, reported = check_with_sizes(flow, monkeypatch)
    assert not findings.problems
    assert_disk_size_of_plan(flow, findings, reported)
    # 6 recordings of 10 windows of 2 s.
    values = n_chans * (2 * sfreq + sum(grid.n_freqs * grid.n_frames for grid in inputs.grids_of(flow).values()))
    assert reported[0] == 2 * 60 * values


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
        ({"classes": {"2class": {"a": ["bckg"], "b": ["impd"]}}}, "no window of 'b' (event types impd)"),
        ({"dataset": {"kind": "bids", "root": "/nothing"}}, "/nothing: no such folder"),
        ({"signals": {"notch": [31.9]}}, "don't fit a recording of 64 Hz"),
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
    warning = "mel.f_max: 32 Hz, but recordings of 50 Hz contain nothing above 25 Hz"
    assert any(warning in line for line in findings.warnings)
    recorded = check_study(flow_of(signals={"sfreq": "as recorded"}))
    assert any("'as recorded', but the rates differ" in line for line in recorded.problems)


def test_unknown_patient_id_is_a_warning(flow_of):
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
    assert any("is longer than a recording" in line for line in check(windows={"length": 241}).problems)


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

    def check():
        settings = {"dataset": dataset, "matrix": {"classes": ["2class"]}}
        return check_study(read_flow(root / "config/config.yaml", [], settings))

    findings = check()
    assert not findings.problems and not findings.warnings
    facts = "\n".join(findings.facts)
    assert "18 of 18 files of 3 folds" in facts and "(channels, frequencies, times) (2, 8, 6)" in facts
    assert "background 6 windows of 6 patients, seizure 6 windows of 6 patients" in facts

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


def test_command_prints_findings_and_exit_code(bids, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "my data.yaml"
    config.write_text(
        """
        dataset: {kind: bids, root: x}
        signals: {sfreq: 64, l_freq: null}
        spectrograms: {mel: {f_max: 32, n_freqs: 8}}
        windows: {length: 2, step: 2}
        matrix: {classes: [2class]}
        """
    )
    main(["check", "--configfile", str(config), "--config", f"data_root={bids}", "folds=3"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"data set: {bids}: 6 recordings")
    assert lines[-1] == f"ready: snakemake --configfile '{config}' --config data_root={bids} folds=3"
    with pytest.raises(SystemExit) as caught:
        main(["check", "--configfile", str(config), "--config", f"data_root={bids}", "folds=9"])
    assert caught.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("problem: folds: 9 folds") and lines[-1] == "1 problem"
    config.write_text("widnows: {}\nfolds: x\nseed: -1\n")
    with pytest.raises(SystemExit) as caught:
        main(["check", "--configfile", str(config)])
    output = capsys.readouterr().out
    assert caught.value.code == 1 and output.splitlines()[-1] == "2 problems"
    assert "did you mean 'windows'?" in output and "seed" in output


def test_settings_are_parsed_as_by_snakemake():
    assert parse_settings(["aa=1", "bb=0.5", "cc=True", "dd=[x, y]", "ee=text", "ff={g: h}"]) == {
        "aa": 1,
        "bb": 0.5,
        "cc": True,
        "dd": ["x", "y"],
        "ee": "text",
        "ff": {"g": "h"},
    }
    for invalid in ("a", "1=2", "a.b=1"):
        with pytest.raises(InputError, match="expected KEY=VALUE"):
            parse_settings([invalid])


@pytest.mark.slow
def test_check_does_not_import_torch_or_optuna():
    """The check takes seconds, also on a login node that only submits jobs."""
    code = (
        "import sys; from eegwf.cli import main; sys.argv = ['eegwf', 'check']; main(); "
        "assert 'torch' not in sys.modules and 'optuna' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "ready: snakemake"
    for arguments in (["--help"], ["check", "--help"]):
        run = subprocess.run([sys.executable, "-m", "eegwf.cli", *arguments], capture_output=True, text=True)
        assert run.returncode == 0 and "Example: eegwf check --configfile" in run.stdout


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
