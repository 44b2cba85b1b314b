"""`eegwf check`: what it finds in good and bad data, before anything runs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from edfio import Edf, EdfSignal

from eegwf.checks.study import check_study
from eegwf.cli import main, parse_settings
from eegwf.dag.flow import read_flow
from eegwf.data.dataset import Reading, write_dataset_windows
from eegwf.data.folds import make_folds
from eegwf.data.signals.montage import ELECTRODES19
from eegwf.errors import InputError
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
    """The study of the small data set, with 64 Hz so that spectrograms of 32 Hz fit."""

    def read(**settings):
        grid = {"f_max": 32, "n_freqs": 8, "n_times": 8}
        base = {
            "dataset": {"kind": "bids", "root": str(bids)},
            "signals": {"sfreq": 64, "l_freq": None},
            "spectrograms": {name: grid for name in ("mel", "stft", "cwt")},
            "results": str(tmp_path / "results"),
            **SMALL,
        }
        for key, value in settings.items():
            whole = key in ("dataset", "folds", "patients") or not isinstance(base.get(key), dict)
            base[key] = value if whole else {**base[key], **value}
        return read_flow(root / "config/config.yaml", [], base)

    return read


def test_good_data_set(flow_of, bids, tmp_path):
    found = check_study(flow_of())
    assert not found.problems and not found.warnings
    facts = "\n".join(found.facts)
    assert f"{bids}: 6 recordings, 6 of them fit for use, of 6 patients, 2.0 min" in facts
    assert "20 derivations (tcp20), recorded at 64 Hz (6 recordings)" in facts
    assert "sz_foc 12 s (2 patients), sz_foc_ia 5 s (1 patients)" in facts
    assert "sz_gen 15 s (2 patients)" in facts
    assert "without event 78 s, taken for bckg" in facts
    assert not (tmp_path / "results").exists()


def test_it_foresees_the_very_windows_and_folds(flow_of, bids, tmp_path):
    """What the check counts from headers is what reading the signals gives."""
    flow = flow_of(windows={"length": 3, "step": 2, "guard": 1, "borderline": "drop"}, matrix={"classes": ["3class"]})
    study = flow.study
    reading = Reading(bids, study.dataset, study.signals, study.windows, study.patients)
    write_dataset_windows(reading, tmp_path / "out", tmp_path / "state")
    windows = read_table(tmp_path / "out/windows.tsv", text=("recording", "patient", "label"))
    folds = make_folds(windows, 3, study.seed)
    found = check_study(flow)
    facts = "\n".join(found.facts)
    assert f"windows: {len(windows)} of 3 s, one every 2 s, 0 of them borderline" in facts
    for name, prefix in (("background", "bckg"), ("focal", "sz_foc"), ("generalized", "sz_gen")):
        rows = windows[windows["label"].str.startswith(prefix)]
        assert f"{name} {len(rows)} windows of {rows['patient'].nunique()} patients" in facts
        present = set(folds.set_index("patient")["fold"][rows["patient"].unique()])
        lacking = sorted({1, 2, 3} - present)
        said = [line for line in found.warnings if f"no window of {name!r}" in line]
        assert bool(said) == bool(lacking)
        assert not lacking or f"{', '.join(map(str, lacking))} (" in said[0]


def test_every_bad_recording_has_its_line(flow_of, bids):
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
        "sub-06": "no voltage",
    }
    found = check_study(flow_of())
    for name, fault in faults.items():
        lines = [line for line in found.problems if name in line.split(":")[0]]
        assert len(lines) == 1 and fault in lines[0] and "\n" not in lines[0]
    assert len(found.problems) == len(faults)
    assert any("10 recordings, 4 of them fit for use, of 4 patients" in line for line in found.facts)

    excluded = check_study(flow_of(signals={"on_bad_recording": "exclude"}))
    assert not excluded.problems
    assert sum(line.startswith("will be left out: ") for line in excluded.warnings) == len(faults)
    interpolated = check_study(flow_of(signals={"missing": "interpolate"}))
    assert len(interpolated.problems) == len(faults) - 1
    without = check_study(flow_of(signals={"missing": "exclude"}))
    assert any("18 derivations" in line for line in without.facts)


def test_nothing_usable(flow_of, bids):
    found = check_study(flow_of(signals={"montage": "tcp22", "on_bad_recording": "exclude"}))
    assert found.problems == [f"{bids}: no recording can be used; see the warnings"]
    assert len(found.warnings) == len(EVENTS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"folds": 9}, "9 folds can't be made of 6 patients"),
        ({"folds": 3, "patients": {f"sub-0{n}": "sub-01" for n in range(2, 7)}}, "1 patient(s) with windows"),
        ({"windows": {"length": 21, "step": 1}}, "no recording gives a window of 21 s"),
        ({"spectrograms": {"mel": {"f_max": 40}}}, "f_max 40 Hz is above half of the sampling rate 64 Hz"),
        ({"spectrograms": {"mel": {"f_max": 32, "window": 3}}}, "Hann window of 3 s is longer than the 2 s"),
        ({"spectrograms": {"mel": {"f_max": 32, "window": 1}}}, "does not hold one period of f_min: 0.5 Hz"),
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
            "concat stacks mel, cwt and stft, which need equal n_freqs and n_times; found mel 4 x",
        ),
    ],
)
def test_what_will_not_run(flow_of, settings, said):
    problems = check_study(flow_of(**settings)).problems
    assert any(said in line for line in problems), problems


def test_rare_class(flow_of, bids):
    """One patient has it: when they test, training has none of it; two may be too few for a validation fold."""
    write_recording(bids, "sub-01", [(0, 10, "impd")])
    classes = {"2class": {"rest": ["bckg", "sz"], "rare": ["impd"]}}
    found = check_study(flow_of(classes=classes))
    assert any("no window of 'rare' in test folds" in line for line in found.warnings)
    assert any("have no window of class 'rare'" in line for line in found.problems)
    elsewhere = check_study(
        flow_of(classes={**classes, "3class": {"a": ["sz"], "b": ["bckg"]}}, matrix={"classes": ["3class"]})
    )
    assert not elsewhere.problems


def test_class_set_nobody_asks_for(flow_of):
    found = check_study(flow_of(classes={"4class": {"a": ["bckg"], "b": ["nothing"]}}))
    assert not found.problems
    assert any(
        "class set 4class: a " in line and "b none" in line and "it can't be used" in line for line in found.facts
    )


def test_mixed_rates(flow_of, bids):
    write_recording(bids, "sub-01", [(0, 10, "sz")], sfreq=50)
    found = check_study(flow_of())
    assert any("50 Hz (1 recordings), 64 Hz (5 recordings), resampled to 64 Hz" in line for line in found.facts)
    assert any("mel.f_max: 32 Hz, but recordings of 50 Hz hold nothing above 25 Hz" in line for line in found.warnings)
    recorded = check_study(flow_of(signals={"sfreq": "as recorded"}))
    assert any("'as recorded', but the rates differ" in line for line in recorded.problems)


def test_slip_in_patients(flow_of):
    found = check_study(flow_of(patients={"sub-0l": "sub-02"}))
    assert any(line.startswith("patients.sub-0l: no such patient") for line in found.warnings)


def test_synthetic(root, tmp_path):
    def check(**settings):
        return check_study(read_flow(root / "config/config.yaml", [], {"results": str(tmp_path), **settings}))

    found = check()
    assert not found.problems and not found.warnings
    assert any("28 patients (11 with focal seizures," in line for line in found.facts)
    assert any("class set 3class: background 28 patients, focal 13 patients" in line for line in found.facts)
    few = {"kind": "synthetic", "n_focal": 1, "n_generalized": 1, "n_both": 0, "n_none": 2}
    found = check(dataset=few)
    assert any("5 folds can't be made of 4 patients" in line for line in found.problems)
    assert any("1 patients have 'focal', there are 5 folds" in line for line in found.warnings)
    found = check(dataset={**few, "n_generalized": 0, "n_none": 9})
    assert any("no window of 'generalized'" in line for line in found.problems)
    assert any("seizures do not fit" in line for line in check(dataset={**few, "seizures": 999}).problems)
    assert any("more than a recording has" in line for line in check(windows={"length": 241}).problems)


def fold_arrays(folder: Path, name: str, rng, patients=("a b", "c d", "e f")) -> dict[str, str]:
    for fold, two in enumerate(patients, start=1):
        np.save(folder / f"{name}_{fold}.npy", rng.normal(size=(4, 8, 6, 2)).astype("f4"))
        np.save(folder / f"{name}_labels_{fold}.npy", np.array([0, 1, 0, 1]))
        np.save(folder / f"{name}_patients_{fold}.npy", np.repeat(two.split(), 2))
    kinds = {"data": "", "labels": "labels_", "patients": "patients_"}
    return {kind: f"{folder}/{name}_{part}{{fold}}.npy" for kind, part in kinds.items()}


def test_fold_arrays(root, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {name: fold_arrays(tmp_path, name, rng) for name in ("mel", "stft")}
    dataset = {"kind": "fold_arrays", "arrays": arrays, "n_folds": 3, "label_names": {0: "bckg", 1: "sz"}}

    def check():
        settings = {"dataset": dataset, "matrix": {"classes": ["2class"]}}
        return check_study(read_flow(root / "config/config.yaml", [], settings))

    found = check()
    assert not found.problems and not found.warnings
    facts = "\n".join(found.facts)
    assert "18 of 18 files of 3 folds" in facts and "(channels, frequencies, times) (2, 8, 6)" in facts
    assert "background 6 windows of 6 patients, seizure 6 windows of 6 patients" in facts

    fold_arrays(tmp_path, "stft", rng, ("a b", "c d", "e g"))
    assert any("mel and stft disagree about patient 'f' in fold 3" in line for line in check().problems)
    for name in arrays:
        fold_arrays(tmp_path, name, rng, ("a b", "c a", "e f"))
    assert any("patient 'a' stands in folds 1 and 2" in line for line in check().problems)
    (tmp_path / "mel_labels_2.npy").unlink()
    (tmp_path / "stft_3.npy").unlink()
    assert [line.split(": ")[0] for line in check().problems] == [
        str(tmp_path / "mel_labels_2.npy"),
        str(tmp_path / "stft_3.npy"),
    ]


def test_command(bids, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "my data.yaml"
    mine.write_text(
        """
        dataset: {kind: bids, root: x}
        signals: {sfreq: 64, l_freq: null}
        spectrograms: {mel: {f_max: 32, n_freqs: 8}}
        windows: {length: 2, step: 2}
        matrix: {classes: [2class]}
        """
    )
    main(["check", "--configfile", str(mine), "--config", f"data_root={bids}", "folds=3"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"data set: {bids}: 6 recordings")
    assert lines[-1] == f"ready: snakemake --configfile '{mine}' --config data_root={bids} folds=3"
    with pytest.raises(SystemExit) as caught:
        main(["check", "--configfile", str(mine), "--config", f"data_root={bids}", "folds=9"])
    assert caught.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("problem: folds: 9 folds") and lines[-1] == "1 problem"
    mine.write_text("widnows: {}\nfolds: x\nseed: -1\n")
    with pytest.raises(SystemExit) as caught:
        main(["check", "--configfile", str(mine)])
    said = capsys.readouterr().out
    assert caught.value.code == 1 and said.splitlines()[-1] == "2 problems"
    assert "did you mean 'windows'?" in said and "seed" in said


def test_settings_are_read_as_snakemake_reads_them():
    assert parse_settings(["aa=1", "bb=0.5", "cc=True", "dd=[x, y]", "ee=text", "ff={g: h}"]) == {
        "aa": 1,
        "bb": 0.5,
        "cc": True,
        "dd": ["x", "y"],
        "ee": "text",
        "ff": {"g": "h"},
    }
    for wrong in ("a", "1=2", "a.b=1"):
        with pytest.raises(InputError, match="expected KEY=VALUE"):
            parse_settings([wrong])


def test_command_line_without_torch():
    """The check answers in seconds, and on a machine that only submits jobs."""
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


def test_a_network_that_timm_does_not_have_is_named_with_its_neighbours(root):
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
    assert "models.mine.timm: timm has no network 'convnext_ato'; near it are convnext_atto" in findings.problems[0]
