"""The check and the run find the same faults of a data set, and all of them at once."""

import numpy as np
import pytest

from eegwf.checks.study import check_study
from eegwf.dag.stage_config import stage_config
from eegwf.data.dataset import write_dataset_windows
from eegwf.data.reading_settings import ReadingSettings
from eegwf.data.splits import load_window_set, split
from eegwf.errors import InputError
from eegwf.jobs import folds as folds_job
from eegwf.storage.files import read_table
from tests.helpers.bids_folder import ELECTRODES, EVENTS, write_recording


def run(flow, tmp_path):
    """Read the data set as the job does; return its table of recordings."""
    study = flow.study
    reading = ReadingSettings(flow.root, study.dataset, study.signals, study.windows, study.patients)
    write_dataset_windows(reading, tmp_path / "out", tmp_path / "state")
    return read_table(tmp_path / "out/recordings.tsv", text=("excluded",)).set_index("patient")


@pytest.fixture
def broken(bids):
    """A data set with a fault of each kind in six recordings, and four recordings without one."""
    for number in range(11, 15):
        write_recording(bids, f"sub-{number}", [(0, 10, "sz")])
    files = {name: bids / name / "eeg" / f"{name}_task-sz" for name in EVENTS}
    path = files["sub-01"].with_name("sub-01_task-sz_eeg.edf")
    path.write_bytes(path.read_bytes()[:5000])
    write_recording(bids, "sub-02", [], names=["ECG", "Resp"])
    write_recording(bids, "sub-03", [(0, 5, "sneeze")])
    files["sub-04"].with_name("sub-04_task-sz_events.tsv").unlink()
    path = files["sub-05"].with_name("sub-05_task-sz_eeg.edf")
    path.unlink()
    path.symlink_to("nowhere.edf")
    write_recording(bids, "sub-06", [(15, 90, "sz")])
    return bids


FAULTS = {
    "sub-01": "cut off",
    "sub-02": "no EEG channel",
    "sub-03": "unknown event type 'sneeze'",
    "sub-04": "events",
    "sub-05": "link",
    "sub-06": "ends at 105 s",
}


@pytest.mark.parametrize("changes", [{}, {"missing": "exclude"}, {"montage": "as recorded"}, {"sfreq": "as recorded"}])
def test_all_faults_are_listed_at_once_or_excluded_by_check_and_run(flow_of, broken, tmp_path, changes):
    stopped = flow_of(signals=changes)
    with pytest.raises(InputError) as error:
        run(stopped, tmp_path)
    lines = str(error.value).split("\n       ")
    problems = check_study(stopped).problems
    excluding = changes.get("missing") == "exclude"
    if excluding:
        assert lines == problems[:1] and "no derivation is common to all recordings" in lines[0]
    else:
        assert lines == problems and len(lines) == len(FAULTS)
        assert all(FAULTS[name] in line for name, line in zip(sorted(FAULTS), lines, strict=True))
    flow = flow_of(signals={**changes, "on_bad_recording": "exclude"})
    table = run(flow, tmp_path)
    excluded = table["excluded"][table["excluded"] != ""]
    assert sorted(excluded.index) == sorted(FAULTS)
    findings = check_study(flow)
    assert not findings.problems
    warnings = [line.removeprefix("will be excluded: ") for line in findings.warnings if "excluded" in line]
    assert warnings == excluded.tolist()


@pytest.mark.parametrize("odd", ["first", "last"])
@pytest.mark.parametrize("on_bad", ["stop", "exclude"])
def test_the_odd_recording_is_the_fault_and_not_the_others(flow_of, bids, tmp_path, odd, on_bad):
    patient = "sub-01" if odd == "first" else "sub-06"
    write_recording(bids, patient, [], names=[*ELECTRODES[:-1], "AF3"])
    flow = flow_of(signals={"montage": "as recorded", "on_bad_recording": on_bad})
    if on_bad == "stop":
        with pytest.raises(InputError, match=rf"^\S*{patient}\S*: channels differ from [^\n]*$") as error:
            run(flow, tmp_path)
        assert check_study(flow).problems[:1] == [str(error.value)]
    else:
        table = run(flow, tmp_path)
        assert table.index[table["excluded"] != ""].tolist() == [patient]
        assert any(patient in line and "will be excluded" in line for line in check_study(flow).warnings)


def test_the_odd_rate_is_excluded(flow_of, bids, tmp_path):
    write_recording(bids, "sub-01", [], sfreq=100)
    flow = flow_of(signals={"sfreq": "as recorded", "on_bad_recording": "exclude"})
    table = run(flow, tmp_path)
    assert table.index[table["excluded"] != ""].tolist() == ["sub-01"]
    assert "100 Hz, but most recordings have 64 Hz" in table["excluded"]["sub-01"]
    with pytest.raises(InputError, match="'as recorded', but the rates differ") as error:
        run(flow_of(signals={"sfreq": "as recorded"}), tmp_path)
    assert check_study(flow_of(signals={"sfreq": "as recorded"})).problems == [str(error.value)]


def test_a_recording_shorter_than_a_window_is_excluded(flow_of, bids, tmp_path):
    flow = flow_of(signals={"on_bad_recording": "exclude"}, windows={"length": 21, "step": 21})
    with pytest.raises(InputError, match="all 6 recording"):
        run(flow, tmp_path)
    assert any("no recording can be used" in line for line in check_study(flow).problems)


@pytest.mark.parametrize("notch", [[31.9], [1.0], [20, 20.5], [20, 21], [-3]])
def test_filters_that_fit_no_recording_are_one_problem(flow_of, tmp_path, notch):
    for on_bad in ("stop", "exclude"):
        try:
            flow = flow_of(signals={"notch": notch, "on_bad_recording": on_bad})
        except InputError:
            assert notch == [-3]
            continue
        with pytest.raises(InputError, match=r"^[^\n]*notch[^\n]*$") as error:
            run(flow, tmp_path)
        assert check_study(flow).problems[0] == str(error.value)


def fails(flow, tmp_path):
    """Message of the first job that a study's data fail, of those that need no training; empty if there is none."""
    files = [tmp_path / "out" / name for name in ("windows.tsv", "windows.npy", "folds.tsv", "leakage.json")]
    try:
        run(flow, tmp_path)
        folds_job.run(stage_config(flow.study, "folds", None), *files)
        reserved = flow.study.tuning.mode == "reserved"
        for name in flow.study.matrix.classes:
            classes = flow.study.classes[name]
            window_set = load_window_set(files[0], files[2], classes)
            n_inner = flow.study.tuning.inner_folds
            for fold in flow.folds:
                for inner in range(1, 1 if reserved else n_inner + 1):
                    split(window_set, fold, inner)
                split(window_set, fold)
            if reserved:
                for inner in range(1, n_inner + 1):
                    split(load_window_set(files[0], files[2], classes, reserved=True), 0, inner)
    except InputError as error:
        return str(error)
    return ""


def random_settings(rng, folder):
    """Random settings of the sections that decide whether a data set can be used."""

    def one(*choices):
        return choices[rng.integers(len(choices))]

    table = folder / "folds.tsv"
    n_folds = int(one(3, 4, 5))
    rows = [f"sub-{number:02d}\t{one(*range(1, n_folds + 1))}" for number in range(1, 9)]
    table.write_text("\n".join(["patient\tfold", *rows[: int(one(8, 8, 7))]]) + "\n")
    patients = one({}, {}, {"sub-21": "sub-01"}, {"sub-02": "sub-01"}, {"sub-02": "sub-01", "sub-03": "sub-01"})
    return {
        "folds": one(3, 3, 3, 3, 4, 6, "leave-one-patient-out", str(table)),
        "patients": patients,
        "signals": {
            "montage": one("tcp20", "average", "as recorded"),
            "missing": one("error", "error", "exclude", "interpolate"),
            "sfreq": one(64, 64, 64, 60, "as recorded"),
            "h_freq": one(None, None, 20, 31),
            "notch": one(*[[]] * 12, [25], [20, 20.5], [31]),
            "flat": one("keep", "interpolate"),
            "on_bad_recording": one("stop", "exclude", "exclude"),
            "on_implausible_amplitude": one("note", "error"),
        },
        "windows": {
            "length": one(*[2, 4] * 6, 19, 25),
            "step": one(1, 2, 4),
            "borderline": one("keep", "drop"),
            "guard": one(0, 2),
            "min_event_overlap": one(None, None, 0.5),
        },
        "tuning": {"inner_folds": one(1, 1, 2), "mode": one(*["per_fold"] * 5, "reserved"), "reserved": 0.5},
        "spectrograms": {name: {"f_max": 12, "n_freqs": 4, "n_frames": 4} for name in ("mel", "stft", "cwt")},
        "matrix": {"classes": one(["2class"], ["2class"], ["3class"]), "spectrograms": ["raw"], "models": ["eegnet"]},
    }


def random_recordings(rng, folder):
    """Write eight recordings, some of them with a fault of the header, events or samples."""
    for number in range(1, 9):
        patient = f"sub-{number:02d}"
        events = [(0, 4, "bckg"), (4, 5, "sz_foc"), (12, 5, "sz_gen")][: 1 + rng.integers(4)]
        kind = rng.choice(["rate", "channels", "event", "short", "cut", "unit", "volts", "tiny", *[""] * 45])
        changes = {
            "rate": {"sfreq": 100},
            "channels": {"names": [*ELECTRODES[:-1], "AF3"]},
            "unit": {"unit": "kg"},
            "volts": {"unit": "V"},
            "tiny": {"unit": "nV"},
        }
        events = [(0, 4, "sneeze")] if kind == "event" else [(2, 0.5, "sz")] if kind == "short" else events
        path = write_recording(folder, patient, events, **changes.get(kind, {}))
        if kind == "cut":
            path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_check_and_run_agree_on_random_configurations(flow_of, bids, tmp_path, seed):
    """Ten random configurations of ten random data sets in each of twenty rounds, so 200 in all."""
    rng, n_failed = np.random.default_rng(seed), 0
    for _ in range(10):
        random_recordings(rng, bids)
        settings = random_settings(rng, tmp_path)
        try:
            flow = flow_of(**settings)
        except InputError:
            continue  # the configuration alone is refused, by both
        problems, message = check_study(flow).problems, fails(flow, tmp_path)
        assert bool(problems) == bool(message), (settings, problems, message)
        n_failed += bool(message)
    assert n_failed


def test_samples_are_read_if_there_are_few_or_on_request(flow_of, bids, tmp_path, monkeypatch):
    write_recording(bids, "sub-02", [], unit="V")
    write_recording(bids, "sub-03", [], unit="nV")
    flow = flow_of()
    findings = check_study(flow)
    assert "sub-02" in findings.problems[0] and "beyond 65504" in findings.problems[0]
    assert any("sub-03" in line and "check the unit" in line for line in findings.warnings)
    monkeypatch.setattr("eegwf.checks.recordings.MAX_SAMPLE_BYTES", 1000)
    findings = check_study(flow)
    assert not [line for line in findings.problems if "sub-02" in line]
    assert any(line.startswith("samples: ") and "--samples" in line for line in findings.facts)
    assert any("beyond 65504" in line for line in check_study(flow, samples=True).problems)
    monkeypatch.undo()
    assert not [line for line in check_study(flow, samples=False).problems if "sub-02" in line]
