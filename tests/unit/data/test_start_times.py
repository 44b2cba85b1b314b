"""Recordings of two patients with the same start and length: found by check and run, without false pairs."""

import shutil

import pandas as pd
import pytest

from eegwf.checks.recordings import survey
from eegwf.data.bids import Recording
from eegwf.data.dataset import write_dataset_windows
from eegwf.data.inspection import InspectedRecording
from eegwf.data.signals.header import header
from eegwf.data.start_times import compare_starts
from eegwf.errors import InputError
from tests.helpers.headers import noise, write_brainvision, write_edf
from tests.helpers.short_recordings import CONFIG, reading_settings

START = "13.05.1907.20.05"


def inspected(path, patient=None):
    patient = patient or path.stem.split("_")[0]
    return InspectedRecording(Recording(path.stem, patient, path, path), head=header(path))


@pytest.fixture
def begun(tmp_path):
    """Write recordings `patient: (start, seconds)`; the result of their comparison."""

    def compare(starts, patients=(), suffix="edf"):
        items = []
        for number, (patient, (start, seconds)) in enumerate(starts.items()):
            path = tmp_path / f"{patient}.{suffix}"
            if suffix == "vhdr":
                write_brainvision(path, noise(seconds=seconds), markers=(f"Mk1=New Segment,,1,1,0,{start}",))
            else:
                write_edf(path, noise(seconds=seconds, seed=number), main={168: start.encode()})
            items.append(inspected(path))
        return compare_starts(items, dict(patients))

    return compare


@pytest.mark.parametrize("suffix", ["edf", "bdf"])
def test_two_patients_with_the_same_start_and_length(begun, suffix):
    starts = {"sub-01": (START, 4), "sub-02": (START, 4), "sub-03": ("13.05.1907.20.06", 4)}
    found = begun(starts, suffix=suffix)
    assert found.notes == {
        "sub-01": "same start and length as sub-02 of another patient",
        "sub-02": "same start and length as sub-01 of another patient",
    }
    (line,) = found.warnings
    assert line.startswith("sub-01 and sub-02: the same start and length") and "`sub-02: sub-01`" in line
    assert not any(text in line for text in ("13.05", "2019", "07.20", "07:20"))


@pytest.mark.parametrize(
    "starts",
    [
        {"sub-01": (START, 4), "sub-02": (START, 6)},
        {"sub-01": (START, 4), "sub-02": (START, 4), "sub-03": (START, 4)},
        {"sub-01": (START, 4), "sub-02": (START, 4), "sub-03": (START, 9)},
        *(
            {"sub-01": (start, 4), "sub-02": (start, 4)}
            for start in ("01.01.8507.20.05", "01.01.0007.20.05", "13.05.1900.00.00", "13.05.1908.00.00",
                          "31.02.1907.20.05", "X         X     ", "00.00.0000.00.00", "13.05.yy07.20.05")
        ),
    ],
)  # fmt: skip
def test_starts_that_are_no_evidence(begun, starts):
    found = begun(starts)
    assert not found.notes and not found.warnings


def test_ids_of_one_person_are_not_compared(begun):
    starts = {"sub-01": (START, 4), "sub-02": (START, 4)}
    assert not begun(starts, {"sub-02": "sub-01"}).notes
    # Three ids are two patients.
    found = begun(starts | {"sub-03": (START, 4)}, {"sub-02": "sub-01"})
    assert "are sub-01 and sub-03 one person?" in found.warnings[0] and "and 1 more pairs" in found.warnings[0]


def test_brainvision(begun):
    starts = {f"sub-0{number}": ("20190513072005123456", 4) for number in (1, 2)}
    assert begun(starts, suffix="vhdr").warnings
    starts["sub-02"] = ("20190513072006000000", 4)
    assert not begun(starts, suffix="vhdr").warnings
    for date in ("", "00000000000000000000", "20190101072005000000", "2019051307"):
        assert not begun(dict.fromkeys(starts, (date, 4)), suffix="vhdr").warnings


def test_an_edf_file_and_a_brainvision_file_of_one_recording(tmp_path):
    marker = "Mk1=New Segment,,1,1,0,20190513072005900000"
    paths = [
        write_edf(tmp_path / "sub-01.edf", noise(seconds=4), main={168: START.encode()}),
        write_brainvision(tmp_path / "sub-02.vhdr", noise(seconds=4)[:, :-30], markers=(marker,)),
    ]
    assert compare_starts([inspected(path) for path in paths], {}).warnings


def test_check_and_run_tell_the_same(tmp_path, caplog):
    for number, patient in enumerate(["sub-01", "sub-02", "sub-03"]):
        folder = tmp_path / "bids" / patient / "eeg"
        folder.mkdir(parents=True)
        main = {168: START.encode()} if number != 1 else {}
        write_edf(folder / f"{patient}_task-sz_eeg.edf", noise(seed=number), main=main)
        (folder / f"{patient}_task-sz_events.tsv").write_text("onset\tduration\teventType\n4\t4\tsz\n")
    lines, notes = {}, {}
    for mapping in ({}, {"sub-03": "sub-01"}):
        reading = reading_settings(CONFIG | {"patients": mapping}, tmp_path / "bids")
        lines[len(mapping)] = survey(reading).warnings
        caplog.clear()
        for _ in range(2):  # the second time from the state folder
            write_dataset_windows(reading, tmp_path / "out", tmp_path / "state", 1, "code")
            table = pd.read_csv(tmp_path / "out/recordings.tsv", sep="\t", keep_default_na=False)
            notes[len(mapping)] = ["same start and length" in text for text in table["notes"]]
        assert [f"warning: {line}" in caplog.messages for line in lines[0]] == [not mapping]
        written = b"".join(path.read_bytes() for path in (tmp_path / "out").glob("*.tsv"))
        assert not any(text in written for text in (b"2019", b"13.05", b"07.20", b"07:20"))
    assert len(lines[0]) == 1 and not lines[1]
    assert notes == {0: [True, False, True], 1: [False] * 3}


def test_no_false_pairs_in_real_data_sets(data_root, tmp_path):
    """Excerpts of CHB-MIT and Siena of 2 s each, and of Helsinki of 30 s, all with the start 01.01.85 00.00.00."""
    helsinki = sorted((data_root / "helsinki").rglob("*_eeg.edf"))
    mini = sorted((data_root / "mini_edf").rglob("*.edf"))
    items = [inspected(path, path.parts[-3]) for path in helsinki]
    for path in mini:
        try:
            items.append(inspected(path, path.parent.name))
        except InputError:  # real files have faults
            continue
    assert len(items) > 100 and not compare_starts(items, {}).notes
    copies = [shutil.copy(path, tmp_path / f"sub-{path.stem}_eeg.edf") for path in mini[:1]]
    assert len(compare_starts([*items, *map(inspected, copies)], {}).notes) == 2
