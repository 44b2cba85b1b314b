"""Recordings that a user gives: files and BIDS data sets, without annotations."""

from pathlib import Path

import pytest

from eegwf.errors import InputError
from eegwf.prediction.inputs import find_inputs


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"0")
    return path


def test_a_data_set_needs_no_annotations_and_keeps_its_folders(tmp_path):
    second = touch(tmp_path / "sub-02/ses-01/eeg/sub-02_ses-01_task-sz_eeg.edf")
    first = touch(tmp_path / "sub-01/eeg/sub-01_task-sz_eeg.bdf")
    touch(tmp_path / "sub-01/eeg/sub-01_task-sz_channels.tsv")
    touch(tmp_path / "sourcedata/other.edf")
    found = find_inputs([tmp_path])
    assert [(item.name, item.path, item.subject, item.folder) for item in found] == [
        ("sub-01_task-sz", first, "sub-01", Path("sub-01/eeg")),
        ("sub-02_ses-01_task-sz", second, "sub-02", Path("sub-02/ses-01/eeg")),
    ]


def test_a_file_has_the_subject_of_its_name_if_there_is_one(tmp_path):
    files = [touch(tmp_path / name) for name in ("night.edf", "sub-07_run-1_eeg.edf")]
    found = find_inputs(files)
    assert [(item.name, item.subject, item.folder) for item in found] == [
        ("night", "", Path()),
        ("sub-07_run-1", "sub-07", Path()),
    ]
    assert len(find_inputs([files[0], files[0]])) == 1


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["absent.edf"], "absent.edf: no such file; expected a recording or the root of a BIDS data set"),
        (["notes.txt"], "notes.txt: not a recording; expected a file with one of the suffixes .edf"),
        (["empty"], "empty: no recordings; expected sub-"),
        (["a/night.edf", "b/night.edf"], "b/night.edf: the same name as"),
        (["a/night.edf", "a/night.bdf"], "a/night.bdf: the same name as"),
    ],
)
def test_what_can_not_be_predicted_is_refused(tmp_path, names, message):
    (tmp_path / "empty").mkdir()
    for name in ("notes.txt", "a/night.edf", "b/night.edf", "a/night.bdf"):
        touch(tmp_path / name)
    with pytest.raises(InputError) as error:
        find_inputs([tmp_path / name for name in names])
    assert message in str(error.value) and "\n" not in str(error.value)
