"""Discovery of recordings."""

import re
import unicodedata
from pathlib import Path

import pytest

from eegwf.data.bids import data_files, discover, find_recordings
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


def data_set(root, *patients):
    for patient in patients:
        touch(root, *(f"{patient}/eeg/{patient}_task-sz_{end}" for end in ("eeg.edf", "events.tsv")))
    return root


def dangling(root, name):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to("../../.git/annex/objects/aa/file")


def faulty(root):
    """A data set with one recording of each fault, and two without."""
    data_set(root, *(f"sub-{number:02d}" for number in range(1, 7)))
    dangling(root, "sub-02/eeg/sub-02_task-sz_eeg.edf")
    dangling(root, "sub-03/eeg/sub-03_task-sz_events.tsv")
    (root / "sub-04/eeg/sub-04_task-sz_events.tsv").unlink()
    touch(root, "sub-05/eeg/sub-05_task-sz_eeg.bdf")
    touch(root, "sub-06/eeg/sub-66_task-sz_eeg.edf", "sub-06/eeg/sub-66_task-sz_events.tsv")
    (root / "sub-07/eeg/sub-07_task-sz_eeg.edf").mkdir(parents=True)
    duplicate = r"duplicate recording sub-05_task-sz, also in .*/sub-05_task-sz_eeg\.edf; remove"
    return {
        "sub-02_task-sz": r"sub-02_task-sz_eeg\.edf: link to a missing file",
        "sub-03_task-sz": r"sub-03_task-sz_events\.tsv: link to a missing file",
        "sub-04_task-sz": r"sub-04_task-sz_eeg\.edf: no sub-04_task-sz_events\.tsv beside it; create it",
        "sub-05_task-sz": rf"sub-05_task-sz_eeg\.bdf: {duplicate}",
        "sub-66_task-sz": r"sub-66_task-sz_eeg\.edf: named sub-66 in the folder of sub-06; rename or move it",
        "sub-07_task-sz": r"sub-07_task-sz_eeg\.edf: a folder, expected a file",
    }


def test_all_faults_of_recordings_are_listed(tmp_path):
    expected = faulty(tmp_path)
    found = discover(tmp_path)
    assert list(found.faults) == list(expected)
    for name, message in expected.items():
        assert re.match(f"{re.escape(str(tmp_path))}/sub-../eeg/{message}", found.faults[name])
        assert "\n" not in found.faults[name]
    assert [recording.recording for recording in found.usable] == ["sub-01_task-sz", "sub-06_task-sz"]
    names = [recording.recording for recording in found.recordings]
    assert len(names) == len(set(names)) == 8
    assert found.ignored == ()
    with pytest.raises(InputError) as caught:
        find_recordings(tmp_path)
    assert [line.strip() for line in str(caught.value).splitlines()] == list(found.faults.values())


def test_neither_of_two_recordings_of_one_name_is_used(tmp_path):
    """Also if one lies in the folder of another patient: it is unknown whose it is."""
    data_set(tmp_path, "sub-01", "sub-02", "sub-03")
    touch(tmp_path, "sub-01/eeg/sub-02_task-sz_eeg.edf", "sub-03/eeg/sub-03_task-sz_eeg.EDF")
    found = discover(tmp_path)
    assert list(found.faults) == ["sub-02_task-sz", "sub-03_task-sz"]
    assert [recording.patient for recording in found.usable] == ["sub-01"]


UNREAD = {
    "sub-05/eeg/sub-05_task-sz_eeg.nwb": r"sub-05: no recording is read: found eeg/\*_eeg\.nwb; expected \*_eeg\.edf",
    "sub-06/EEG/sub-06_task-sz_eeg.edf": r"sub-06: no recording is read: found EEG/\*_eeg\.edf; .* in sub-\*/eeg/",
    "sub-07/ieeg/sub-07_task-sz_ieeg.edf": r"sub-07: no recording is read: found ieeg/\*_ieeg\.edf;",
    "Sub-08/eeg/Sub-08_task-sz_eeg.edf": r"Sub-08: not read; folders of patients are named sub-<label>",
    "sub_09/eeg/sub_09_task-sz_eeg.edf": r"sub_09: not read; folders of patients are named sub-<label>",
    "sub-10/eeg/sub-10_task-sz_eeg.nwb.gz": r"sub-10: no recording is read: found eeg/\*_eeg\.nwb\.gz;",
    "sub-11/ses-1/eeg/sub-11_rec.edf": r"sub-11: no recording is read: found ses-\*/eeg/\*_rec\.edf;",
    "sub-12/sub-12_task-sz_eeg.edf": r"sub-12: no recording is read: found \*_eeg\.edf;",
    "sub-13/Ses-1/eeg/sub-13_ses-1_eeg.edf": r"sub-13: no recording is read: found Ses-\*/eeg/\*_eeg\.edf;",
    "sub-14/eeg/sub-14_task-sz_eeg.json": r"sub-14: no recording is read: found no file of a recording;",
    "sub-15/eeg/sub-15_task-sz_eeg.mff/info": r"sub-15: no recording is read: found eeg/\*_eeg\.mff;",
    # Patients with a recording.
    "sub-01/eeg/sub-01_task-rest_eeg.nwb": r"sub-01: recordings that are not read: found eeg/\*_eeg\.nwb;",
    "sub-01/ses-02/EEG/sub-01_ses-02_eeg.edf": r"sub-01: recordings that are not read: found ses-\*/EEG/\*_eeg\.edf;",
    "sub-01/eeg/sub-01_task-rest_EEG.edf": r"sub-01: recordings that are not read: found eeg/\*_EEG\.edf;",
}


@pytest.mark.parametrize(("name", "line"), UNREAD.items())
def test_unread_patients_and_recordings_are_described(tmp_path, name, line):
    data_set(tmp_path, "sub-01", "sub-02")
    touch(tmp_path, name)
    found = discover(tmp_path)
    assert [recording.patient for recording in found.usable] == ["sub-01", "sub-02"]
    assert len(found.ignored) == 1 and re.match(line, found.ignored[0]) and not found.faults
    assert "\n" not in found.ignored[0]


@pytest.mark.parametrize(
    "name",
    [
        "sub-01/ieeg/sub-01_task-sz_ieeg.edf",
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/ses-01/ecg/sub-01_ses-01_ecg.edf",
        # The same recording in another format, and parts of recordings.
        "sub-01/eeg/sub-01_task-sz_eeg.set",
        "sub-01/eeg/sub-01_task-sz_eeg.fdt",
        "sub-01/eeg/sub-01_task-sz_eeg.edf.gz",
        "sub-01/eeg/sub-01_task-sz_eeg.eeg",
        "sub-01/eeg/sub-01_task-sz_electrodes.tsv",
        "sub-01/eeg/.sub-01_task-rest_eeg.set",
        "subjects/a.edf",
        "sub-09.zip",
        "sourcedata/sub-09/eeg/sub-09_task-sz_eeg.set",
        "derivatives/clean/sub-09/eeg/sub-09_task-sz_eeg.set",
    ],
)
def test_other_files_of_a_data_set_are_not_described(tmp_path, name):
    data_set(tmp_path, "sub-01", "sub-02")
    touch(tmp_path, name)
    assert discover(tmp_path).ignored == ()


def test_a_session_that_cannot_be_listed_is_described(tmp_path, monkeypatch):
    data_set(tmp_path, "sub-01", "sub-02")
    touch(tmp_path, "sub-01/ses-02/eeg/sub-01_ses-02_eeg.edf")
    listed = Path.iterdir

    def iterdir(folder):
        if folder.name == "ses-02":
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    found = discover(tmp_path)
    assert len(found.usable) == 2 and len(found.ignored) == 1
    assert "sub-01: recordings that are not read: found ses-*/a folder that can't be listed (Perm" in found.ignored[0]


def test_patients_with_the_same_finding_share_a_line(tmp_path):
    data_set(tmp_path, "sub-01")
    touch(tmp_path, *(f"sub-{n}/anat/sub-{n}_T1w.nii.gz" for n in range(10, 40)))
    dangling(tmp_path, "sub-40")
    first, second = discover(tmp_path).ignored
    assert first.startswith("sub-10, sub-11, sub-12, sub-13 and 26 more: no recording is read: found anat/*.nii.gz")
    assert second.startswith("sub-40: link to a missing folder; fetch the data set's files")


def test_a_data_set_without_any_recording_says_what_it_contains(tmp_path):
    touch(tmp_path, "sub-01/eeg/sub-01_task-sz_eeg.nwb")
    with pytest.raises(InputError, match=r"no recordings; expected .*; sub-01: no recording is read: found eeg/\*_eeg"):
        discover(tmp_path)


@pytest.mark.parametrize(
    ("link", "target", "line"),
    [
        # A session that is the patient's folder, a patient who is another one's folder, and the latter's name before.
        ("sub-01/ses-01", "..", ""),
        ("sub-01/ses-01", ".", "sub-01/ses-01/eeg: the same folder as sub-01/eeg by a link; its recordings are read"),
        ("sub-03", "sub-01", "sub-03/eeg: the same folder as sub-01/eeg by a link; its recordings are read once"),
        ("sub-00", "sub-01", "sub-00/eeg: the same folder as sub-01/eeg by a link; its recordings are read once"),
        ("sub-01/eeg/again", "..", ""),
        ("sub-01/again", "../..", ""),
        ("derivatives", ".", ""),
        ("sourcedata", "sourcedata", ""),
        ("sub-03", "sub-03", "sub-03: link to a missing folder"),
    ],
)
def test_links_in_circles_are_not_followed_twice(tmp_path, link, target, line):
    data_set(tmp_path, "sub-01", "sub-02")
    before = list(data_files(tmp_path))
    (tmp_path / link).symlink_to(target)
    found = discover(tmp_path)
    assert [recording.recording for recording in found.usable] == ["sub-01_task-sz", "sub-02_task-sz"]
    assert not found.faults
    assert [item[: len(line)] for item in found.ignored] == ([line] if line else [])
    assert list(data_files(tmp_path)) == before and len(before) == 4


def test_patients_that_are_links_are_read(tmp_path):
    """A selection of the patients of a larger data set."""
    data_set(tmp_path / "all", "sub-01", "sub-02", "sub-03")
    (tmp_path / "some").mkdir()
    for patient in ("sub-01", "sub-03"):
        (tmp_path / "some" / patient).symlink_to(f"../all/{patient}")
    found = discover(tmp_path / "some")
    assert [recording.patient for recording in found.usable] == ["sub-01", "sub-03"] and found.ignored == ()
    assert len(list(data_files(tmp_path / "some"))) == 4


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "sub-Jürgen") for form in ("NFC", "NFD"))


def test_both_spellings_of_an_accent_are_one_patient(tmp_path):
    names = [f"{COMPOSED}/eeg/{COMPOSED}_run-1", f"{DECOMPOSED}/eeg/{DECOMPOSED}_run-2"]
    touch(tmp_path, *(f"{name}_{end}" for name in names for end in ("eeg.edf", "events.tsv")))
    found = discover(tmp_path)
    assert not found.faults and not found.ignored
    assert [recording.recording for recording in found.usable] == [f"{COMPOSED}_run-1", f"{COMPOSED}_run-2"]
    assert {recording.patient for recording in found.usable} == {COMPOSED}
    assert all(recording.path.exists() for recording in found.usable)


def test_file_names_in_another_spelling_than_their_folder_or_events(tmp_path):
    touch(tmp_path, f"{DECOMPOSED}/eeg/{COMPOSED}_eeg.edf", f"{DECOMPOSED}/eeg/{DECOMPOSED}_events.tsv")
    (recording,) = find_recordings(tmp_path)
    assert recording.patient == COMPOSED and recording.events_path.exists()


def test_two_spellings_of_one_recording_are_duplicates(tmp_path):
    touch(
        tmp_path, *(f"{name}/eeg/{name}_{end}" for name in (COMPOSED, DECOMPOSED) for end in ("eeg.edf", "events.tsv"))
    )
    assert ["duplicate recording" in fault for fault in discover(tmp_path).faults.values()] == [True]
