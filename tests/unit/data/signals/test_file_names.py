"""Names of recordings, and the files that belong to one."""

from pathlib import Path

import pytest

from eegwf.data.bids import data_files, discover
from eegwf.data.signals.channel_table import channel_table_path
from eegwf.data.signals.file_names import (
    is_recording,
    recording_files,
    recording_name,
    recording_stem,
    recording_suffix,
)
from eegwf.data.signals.header import header
from eegwf.errors import InputError
from tests.helpers.mne_files import quantized, write_nihon


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize(
    ("name", "stem", "suffix", "recording"),
    [
        ("sub-01_eeg.edf", "sub-01_eeg", ".edf", "sub-01"),
        ("sub-01_eeg.EDF.GZ", "sub-01_eeg", ".edf.gz", "sub-01"),
        ("sub-01_run-1.5_eeg.bdf.gz", "sub-01_run-1.5_eeg", ".bdf.gz", "sub-01_run-1.5"),
        ("sub-01_split-01_eeg.fif", "sub-01_split-01_eeg", ".fif", "sub-01"),
        ("sub-01_split-1_eeg.fif.gz", "sub-01_split-1_eeg", ".fif.gz", "sub-01"),
        ("sub-01_split-10_eeg.fif", "sub-01_split-10_eeg", ".fif", "sub-01_split-10"),
        ("sub-01_split-01_eeg.edf", "sub-01_split-01_eeg", ".edf", "sub-01_split-01"),
        ("a", "a", "", "a"),
    ],
)
def test_names_have_a_stem_and_a_suffix(name, stem, suffix, recording):
    path = Path("x") / name
    assert (recording_stem(path), recording_suffix(path), recording_name(path)) == (stem, suffix, recording)
    assert channel_table_path(path) == Path("x") / f"{recording}_channels.tsv"


def test_later_parts_of_fif_files_belong_to_the_first(tmp_path):
    folder = "sub-01/eeg/sub-01_task-sz"
    parts = [f"{folder}_split-0{number}_eeg.fif" for number in (1, 2, 3)]
    touch(tmp_path, *parts, f"{folder}_events.tsv", f"{folder}_other_split-02_eeg.fif")
    found = discover(tmp_path)
    names = {recording.recording for recording in found.recordings}
    assert names == {"sub-01_task-sz", "sub-01_task-sz_other_split-02"}
    assert [recording.recording for recording in found.usable] == ["sub-01_task-sz"] and not found.ignored
    assert recording_files(tmp_path / parts[0]) == [tmp_path / part for part in parts]
    touch(tmp_path, "a_eeg.fif", "a_eeg-1.fif", "a_eeg-x.fif", "b_eeg-1.fif")
    assert recording_files(tmp_path / "a_eeg.fif") == [tmp_path / "a_eeg-1.fif", tmp_path / "a_eeg.fif"]


def test_other_formats_of_an_edf_file_are_not_read(tmp_path):
    folder = "sub-01/eeg/sub-01_task-sz"
    touch(tmp_path, *(f"{folder}_eeg{suffix}" for suffix in (".edf", ".set", ".fdt", ".edf.gz", ".fif")))
    touch(tmp_path, f"{folder}_events.tsv")
    found = discover(tmp_path)
    assert [recording.path.suffix for recording in found.usable] == [".edf"] and not found.ignored
    (tmp_path / f"{folder}_eeg.edf").unlink()
    assert list(discover(tmp_path).faults) == ["sub-01_task-sz"]


def test_eeg_files_are_recordings_if_nihon_kohden_wrote_them(tmp_path):
    folder = tmp_path / "sub-01/eeg"
    folder.mkdir(parents=True)
    path = write_nihon(folder / "sub-01_task-sz_eeg.EEG", quantized())
    touch(tmp_path, "sub-01/eeg/sub-01_task-sz_events.tsv")
    assert is_recording(path) and [item.path for item in discover(tmp_path).usable] == [path]
    (folder / "sub-01_task-sz_eeg.21E").touch()
    assert set(data_files(tmp_path)) == {*folder.iterdir()}
    path.write_bytes(b"\1\2" * 5000)
    assert not is_recording(path)
    with pytest.raises(InputError, match=r"not a recording of Nihon Kohden .* its \.vhdr is missing"):
        header(path)
    write_nihon(path, quantized())
    (folder / "sub-01_task-sz_eeg.vhdr").touch()
    assert not is_recording(path)


def test_a_recording_of_eeglab_depends_on_data_files_of_other_names(tmp_path):
    touch(tmp_path, "a_eeg.set", "x.fdt", "y.fdt", "b_eeg.set", "b_eeg.fdt")
    assert recording_files(tmp_path / "b_eeg.set") == [tmp_path / "b_eeg.fdt", tmp_path / "b_eeg.set"]
    assert [path.name for path in recording_files(tmp_path / "a_eeg.set")] == [
        "a_eeg.set",
        "b_eeg.fdt",
        "x.fdt",
        "y.fdt",
    ]
