"""Detected events of one recording as SzCORE expects them: `eegwf predict --events`."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from eegwf.cli import main
from eegwf.prediction.szcore import EVENT_TYPES, known_type
from eegwf.storage.files import read_json, write_json
from tests.helpers.szcore import COLUMNS, check_events, write_common_average

START = "2020-01-01 08:00:00"


def predict(*arguments):
    """Predict as a user does."""
    main(["predict", *map(str, arguments)])


def error_of(capsys, *arguments) -> str:
    """The one line with which a prediction ends."""
    with pytest.raises(SystemExit) as stopped:
        predict(*arguments)
    assert isinstance(stopped.value.code, str) and stopped.value.code.startswith("error: ")
    assert "\n" not in stopped.value.code
    return stopped.value.code


@pytest.fixture(scope="session")
def common_average(other_recording, tmp_path_factory) -> Path:
    """The recording as SzCORE has it."""
    return write_common_average(other_recording, tmp_path_factory.mktemp("szcore") / "sub-01/eeg/a_eeg.edf")


def test_the_table_has_the_rules_of_szcore_and_its_detections_are_seizures(model_bundle, other_recording, tmp_path):
    truth = pd.read_csv(other_recording.with_name("sub-01_task-sz_events.tsv"), sep="\t")
    output = tmp_path / "sub-01/deep/out.tsv"
    predict(other_recording, "--run", model_bundle, "--events", output)
    found = check_events(output, 120.0, START)
    assert set(found["eventType"]) == {"sz"}
    for onset, duration in zip(found["onset"], found["duration"], strict=True):
        assert ((truth["onset"] < onset + duration) & (truth["onset"] + truth["duration"] > onset)).any()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [output]


def test_the_events_are_those_of_the_ordinary_prediction(final_run, model_bundle, common_average, tmp_path):
    """Also from the unpacked bundle; the bytes are equal."""
    with zipfile.ZipFile(model_bundle) as archive:
        archive.extractall(tmp_path / "unpacked")
    predict(common_average, "--run", final_run, "--output", tmp_path / "whole")
    expected = (tmp_path / "whole/a_events.tsv").read_bytes()
    for number, source in enumerate((final_run, model_bundle, tmp_path / "unpacked")):
        predict(common_average, "--run", source, "--events", tmp_path / f"{number}.tsv")
        assert (tmp_path / f"{number}.tsv").read_bytes() == expected


def test_common_average_and_reference_result_in_the_same_events(
    model_bundle, other_recording, common_average, tmp_path
):
    """The derivations of a bipolar montage do not depend on the reference; the values are rounded by 0.01 uV."""
    tables = []
    for number, recording in enumerate((other_recording, common_average)):
        predict(recording, "--run", model_bundle, "--events", tmp_path / f"{number}.tsv")
        tables.append(check_events(tmp_path / f"{number}.tsv", 120.0, START))
    columns = ["onset", "duration", "eventType"]
    assert len(tables[0]) and tables[0][columns].equals(tables[1][columns])
    difference = tables[0]["confidence"].astype(float) - tables[1]["confidence"].astype(float)
    assert difference.abs().max() < 0.01


def test_a_recording_without_a_detection_has_one_row_of_background(final_run, common_average, tmp_path):
    """The threshold is set so that nothing exceeds it."""
    folder = tmp_path / "bandpower"
    for path in (final_run / "final").rglob("*"):
        if path.is_file():
            (folder / path.relative_to(final_run)).parent.mkdir(parents=True, exist_ok=True)
            (folder / path.relative_to(final_run)).write_bytes(path.read_bytes())
    description = read_json(folder / "final/models.json")
    description["operating_point"]["threshold"] = 1.0
    write_json(folder / "final/models.json", description)
    predict(common_average, "--run", folder, "--events", tmp_path / "out.tsv")
    assert check_events(tmp_path / "out.tsv", 120.0, START)["eventType"].tolist() == ["bckg"]
    description["operating_point"] = None
    write_json(folder / "final/models.json", description)
    with pytest.raises(SystemExit, match="no operating point"):
        predict(common_average, "--run", folder, "--events", tmp_path / "none.tsv")
    assert not (tmp_path / "none.tsv").exists()


def test_a_recording_shorter_than_a_window_has_an_empty_table(model_bundle, other_recording, tmp_path, caplog):
    """The recording with which SzCORE checks an image is 2 s long; the check reads the header of the table only."""
    short = write_common_average(other_recording, tmp_path / "short.edf", seconds=2)
    predict(short, "--run", model_bundle, "--events", tmp_path / "out.tsv")
    assert (tmp_path / "out.tsv").read_text() == "\t".join(COLUMNS) + "\n"
    assert "short.edf: 2 s, shorter than a window of the study, 4 s; the table of events is empty" in caplog.text


def test_what_cannot_be_predicted_is_one_line_and_no_table(
    final_run, model_bundle, other_recording, common_average, tmp_path, capsys
):
    arguments = ("--run", model_bundle, "--events", tmp_path / "out.tsv")
    lacking = write_common_average(other_recording, tmp_path / "lacking.edf", without="T3-Avg")
    assert "lacking.edf" in (message := error_of(capsys, lacking, *arguments)) and "T7" in message
    theirs = final_run.parent / "data/bids/sub-02/eeg/sub-02_task-sz_eeg.edf"
    assert "were trained" in error_of(capsys, theirs, *arguments)
    assert "no such file" in error_of(capsys, tmp_path / "absent.edf", *arguments)
    assert "--events: one file for 2 recordings" in error_of(capsys, lacking, common_average, *arguments)
    (tmp_path / "out.tsv").mkdir()
    assert "out.tsv" in error_of(capsys, common_average, *arguments)
    assert not [path for path in tmp_path.rglob("*.tsv") if path.is_file()]


def test_a_folder_or_a_file_is_needed_and_not_both(capsys):
    for arguments in ((), ("--events", "a.tsv", "--output", "b")):
        with pytest.raises(SystemExit) as stopped:
            predict("a.edf", "--run", "b", *arguments)
        assert stopped.value.code == 2 and "--output" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("sz", "sz"),
        ("sz_gen_m_tonicClonic", "sz_gen_m_tonicClonic"),
        ("sz_foc_ua", "sz_foc"),  # only its subtypes are listed
        ("sz_foc_ua_m", "sz_foc_ua_m"),
        ("sz_gen_m_other_kind", "sz_gen_m"),
        ("sz_own", "sz"),
    ],
)
def test_event_types_that_szcore_does_not_list_are_generalized(given, written):
    """Its evaluation ends with an error at a type that is not in its list of 71 with the background."""
    assert known_type(given) == written and len(EVENT_TYPES) == 70


def test_no_figure_library_is_imported():
    """It would search for fonts, and write to the home folder, at every start of the image."""
    code = "import eegwf.prediction.events_file, sys; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.stdout.split() == ["True", "False"]
