"""Discovery of recordings."""

import pytest

from eegwf.data.bids import find_recordings
from eegwf.errors import InputError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_finds_all_recordings_of_a_real_data_set(data_root):
    recordings = find_recordings(data_root / "helsinki")
    assert len(recordings) == len(list((data_root / "helsinki").glob("sub-*")))
    assert recordings[0].recording == "sub-01_task-sz" and recordings[0].patient == "sub-01"
    assert recordings == sorted(recordings, key=lambda recording: recording.patient)
    assert all(recording.path.is_file() and recording.events_path.is_file() for recording in recordings)


def test_sessions_runs_and_suffixes_are_recognized(tmp_path):
    names = [
        "sub-02/eeg/sub-02_task-sz_eeg.bdf",
        "sub-01/ses-02/eeg/sub-01_ses-02_task-sz_run-01_eeg.edf",
        "sub-01/ses-01/eeg/sub-01_ses-01_task-sz_run-02_eeg.vhdr",
        "sub-01/ses-01/eeg/sub-01_ses-01_task-sz_run-01_eeg.edf",
    ]
    touch(tmp_path, *names, *[name.rsplit("_eeg", 1)[0] + "_events.tsv" for name in names])
    touch(tmp_path, "sub-02/eeg/sub-02_task-sz_eeg.json", "derivatives/sub-09/eeg/sub-09_task-sz_eeg.edf")
    touch(tmp_path, "sub-01/ses-01/eeg/sub-01_ses-01_task-sz_run-02_eeg.eeg", "sub-02/eeg/._sub-02_task-sz_eeg.edf")
    assert [recording.recording for recording in find_recordings(tmp_path)] == [
        "sub-01_ses-01_task-sz_run-01",
        "sub-01_ses-01_task-sz_run-02",
        "sub-01_ses-02_task-sz_run-01",
        "sub-02_task-sz",
    ]


def test_missing_folder_recordings_and_events_and_duplicates_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"nowhere: no such folder; dataset\.root"):
        find_recordings(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no recordings; expected sub-\*/eeg/.*\.edf, \.bdf, \.vhdr"):
        find_recordings(tmp_path)
    touch(tmp_path, "sub-01/eeg/sub-01_task-sz_eeg.edf")
    with pytest.raises(InputError, match=r"no sub-01_task-sz_events\.tsv beside it"):
        find_recordings(tmp_path)
    touch(tmp_path, "sub-01/eeg/sub-01_task-sz_events.tsv", "sub-01/eeg/sub-01_task-sz_eeg.vhdr")
    with pytest.raises(InputError, match="duplicate recording sub-01_task-sz"):
        find_recordings(tmp_path)


def test_a_recording_in_the_folder_of_another_patient_is_refused(tmp_path):
    """Otherwise one patient could be in two folds."""
    touch(tmp_path, "sub-01/eeg/sub-02_task-sz_eeg.edf", "sub-01/eeg/sub-02_task-sz_events.tsv")
    with pytest.raises(InputError, match="named sub-02 in the folder of sub-01"):
        find_recordings(tmp_path)


def test_a_link_to_a_missing_file_is_refused(tmp_path):
    touch(tmp_path, "sub-01/eeg/sub-01_task-sz_events.tsv")
    (tmp_path / "sub-01/eeg/sub-01_task-sz_eeg.edf").symlink_to(tmp_path / "annex/object")
    with pytest.raises(InputError, match="link to a missing file"):
        find_recordings(tmp_path)
