"""`eegwf check` of events: the counts and corrections are those of the windows job."""

import pytest

from eegwf.checks.study import check_study
from eegwf.data.dataset import write_dataset_windows
from eegwf.data.reading_settings import ReadingSettings
from eegwf.errors import InputError
from eegwf.storage.files import read_table
from tests.helpers.bids_folder import write_recording


@pytest.fixture
def run_of(bids, tmp_path):
    """The table of recordings that the windows job of a study writes."""

    def run(flow):
        study = flow.study
        reading = ReadingSettings(bids, study.dataset, study.signals, study.windows, study.patients)
        write_dataset_windows(reading, tmp_path / "out", tmp_path / "state")
        text = ("recording", "patient", "path", "excluded", "notes")
        return read_table(tmp_path / "out/recordings.tsv", text=text).set_index("patient")

    return run


def lines(findings, kind, start):
    return [line for line in getattr(findings, kind) if line.startswith(start)]


def test_seizures_of_every_window_are_a_fact_without_warning(flow_of):
    findings = check_study(flow_of())
    assert lines(findings, "facts", "seizures:") == ["seizures: 6 annotated, 0 of them in no window"]
    assert not findings.warnings


def test_seizures_that_no_window_carries_are_counted_before_the_run(flow_of, bids, run_of):
    write_recording(bids, "sub-01", [(5, 0.5, "sz_foc"), (7.5, 1.5, "sz_foc"), (12, 4, "sz_foc")])
    write_recording(bids, "sub-04", [(2.5, 1, "sz_gen")])
    flow = flow_of(windows={"length": 4, "step": 4})
    findings = check_study(flow)
    listing = "(sub-01_task-sz: 2, sub-04_task-sz: 1)"
    assert lines(findings, "facts", "seizures:") == [f"seizures: 8 annotated, 3 of them in no window {listing}"]
    (warning,) = lines(findings, "warnings", "seizures:")
    assert f"no window has the label of 3 of 8 annotated seizures {listing}; decrease windows.length" in warning
    recordings = run_of(flow)
    assert recordings["n_seizures"].sum() == 8
    assert recordings["n_unlabeled"].loc[["sub-01", "sub-02", "sub-04"]].tolist() == [2, 0, 1]
    labeled = check_study(flow_of(windows={"length": 4, "step": 4, "min_event_overlap": 0.5}))
    assert lines(labeled, "facts", "seizures:") == ["seizures: 8 annotated, 0 of them in no window"]
    assert not lines(labeled, "warnings", "seizures:")


def test_a_class_whose_seizures_are_all_too_short_is_a_problem(flow_of, bids):
    for number in range(1, 7):
        write_recording(bids, f"sub-{number:02d}", [(4, 1.5, "sz_foc"), (12, 1.9, "sz_gen")])
    settings = {"windows": {"length": 4, "step": 4}, "matrix": {"classes": ["3class"]}}
    findings = check_study(flow_of(**settings))
    assert lines(findings, "facts", "seizures:")[0].startswith("seizures: 12 annotated, 12 of them in no window (")
    problems = lines(findings, "problems", "class set 3class: no window of")
    assert len(problems) == 2
    assert all("; none of its 6 annotated seizures labels a window; remove" in line for line in problems)
    assert all("set windows.min_event_overlap" in line for line in problems)
    settings["windows"]["min_event_overlap"] = 1.0
    assert not check_study(flow_of(**settings)).problems


def test_neighbors_that_overlap_by_rounding_are_a_fact_and_a_note(flow_of, bids, run_of):
    """Onset and duration rounded to two decimals each, as exporters write them."""
    write_recording(bids, "sub-01", [("0.00", "5.01", "bckg"), ("5.00", "5.01", "sz"), ("10.00", "10.00", "bckg")])
    flow = flow_of()
    findings = check_study(flow)
    assert not findings.problems and not findings.warnings
    (fact,) = lines(findings, "facts", "events: 2 corrections in 1 recording,")
    assert "the first: sub-01_task-sz: events in lines 2 and 3 overlapped by 0.01 s, 'bckg' shortened" in fact
    recordings = run_of(flow)
    assert recordings["excluded"].tolist() == [""] * 6
    assert recordings["notes"]["sub-01"].count("'bckg' shortened") == 2 and recordings["n_events"]["sub-01"] == 3


def test_larger_overlaps_stop_check_and_run_unless_the_tolerance_is_larger(flow_of, bids, run_of):
    write_recording(bids, "sub-01", [(0, 5.2, "bckg"), (5, 5, "sz")])
    (problem,) = check_study(flow_of()).problems
    with pytest.raises(InputError) as error:
        run_of(flow_of())
    assert str(error.value) == problem and "'sz' from 5 s overlaps 'bckg' until 5.2 s (line 2)" in problem
    tolerant = {"kind": "bids", "root": str(bids), "event_tolerance": 0.2}
    assert not check_study(flow_of(dataset=tolerant)).problems


@pytest.mark.parametrize("length", [0, "n/a", ""])
def test_seizures_of_no_length_stop_check_and_run_unless_configured(flow_of, bids, run_of, length):
    write_recording(bids, "sub-01", [(5, length, "sz_foc"), (11, length, "sz_foc")])
    (problem,) = check_study(flow_of()).problems
    assert "events.tsv, lines 2, 3, column duration: 2 events of 'sz_foc' without a length" in problem
    with pytest.raises(InputError) as error:
        run_of(flow_of())
    assert str(error.value) == problem

    flow = flow_of(dataset={"kind": "bids", "root": str(bids), "on_open_event": "unlabeled"})
    findings = check_study(flow)
    assert not findings.problems
    (warning,) = lines(findings, "warnings", "seizures:")
    assert warning.startswith("seizures: 2 of 7 have no length (sub-01_task-sz: 2)")
    recordings = run_of(flow)
    assert "2 events of 'sz_foc' of no length" in recordings["notes"]["sub-01"]
    assert recordings.loc["sub-01", ["n_events", "n_seizures", "n_unlabeled", "n_open"]].tolist() == [2, 2, 2, 2]

    ignoring = flow_of(dataset={"kind": "bids", "root": str(bids), "on_open_event": "ignore"})
    findings = check_study(ignoring)
    assert not findings.problems and not findings.warnings
    assert any("2 events of 'sz_foc' of no length dropped (lines 2, 3)" in line for line in findings.facts)


def test_background_is_not_where_seizures_of_no_length_are_marked(flow_of, bids, tmp_path, run_of):
    write_recording(bids, "sub-01", [(5, 0, "sz_foc"), (11, 0, "sz_foc")])
    run_of(flow_of(dataset={"kind": "bids", "root": str(bids), "on_open_event": "unlabeled"}))
    windows = read_table(tmp_path / "out/windows.tsv", text=("recording", "patient", "label"))
    labels = windows.loc[windows["patient"] == "sub-01", "label"].tolist()
    assert labels == ["bckg", "bckg", *[""] * 8]
