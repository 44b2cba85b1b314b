"""Data sets whose headers are unusual: the check and the run use the same recordings, with notes."""

import os

import numpy as np
import pandas as pd
import pytest

from eegwf.checks.recordings import survey
from eegwf.data.dataset import write_dataset_windows
from eegwf.errors import InputError
from tests.helpers.headers import NAMES, PHYSICAL, noise, write_brainvision, write_edf
from tests.helpers.short_recordings import CONFIG, reading_settings

EXCLUDING = {
    "montage": "tcp20",
    "missing": "exclude",
    "on_bad_recording": "exclude",
    "sfreq": "as recorded",
    "l_freq": None,
}


def place(root, patient, suffix="edf"):
    folder = root / patient / "eeg"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{patient}_task-sz_events.tsv").write_text("onset\tduration\teventType\n4\t4\tsz\n")
    return folder / f"{patient}_task-sz_eeg.{suffix}"


def both(tmp_path, **signals):
    """Result of the check, and the tables and windows that the run writes."""
    reading = reading_settings(CONFIG | {"signals": CONFIG["signals"] | signals}, tmp_path / "bids")
    surveyed = survey(reading)
    write_dataset_windows(reading, tmp_path / "out", tmp_path / "state", 1, "code")
    table = pd.read_csv(tmp_path / "out/recordings.tsv", sep="\t", keep_default_na=False).set_index("patient")
    windows = np.load(tmp_path / "out/windows.npy")
    assert sum(surveyed.windows.values()) == len(windows)
    assert sorted(surveyed.faults) == sorted(filter(None, table["excluded"]))
    return surveyed, table, windows


def test_unusual_headers_are_read_with_notes(tmp_path):
    root, data = tmp_path / "bids", noise()
    write_edf(place(root, "sub-01"), data, n_records=-1)
    write_edf(place(root, "sub-02"), data, [name.encode().ljust(16, b"\0") for name in NAMES], b"uV\0\0\0\0\0\0")
    write_edf(place(root, "sub-03"), data, length="0.999999")
    write_brainvision(place(root, "sub-04", "vhdr"), data, "\u03bcV", marker_key="none.vmrk")
    place(root, "sub-04", "vmrk").unlink()
    _, table, windows = both(tmp_path, sfreq="as recorded", l_freq=None)
    assert list(table["notes"]) == [
        "number of data records not in the header (-1): 10 counted in the file",
        "",
        "sampling rate 128.000128 Hz in the header, read as 128 Hz",
        "its marker file none.vmrk is not beside it, so pauses in the recording are not known",
    ]
    patients = np.split(windows.astype(float), 4)
    assert all(np.allclose(patient, patients[0], atol=0.1) for patient in patients)
    assert 25 < patients[0].std() < 35


def test_recordings_without_eeg_are_excluded_by_check_and_run(tmp_path):
    root = tmp_path / "bids"
    for number in range(1, 5):
        labels = ["ECG", "Resp", "SpO2"] if number in (1, 3) else NAMES
        write_edf(place(root, f"sub-0{number}"), noise(seed=number), labels)
    surveyed, table, _ = both(tmp_path, **EXCLUDING)
    assert surveyed.derivations == ["Fp1-F7", "F7-T7"]
    assert ["no EEG channel among ECG, Resp, SpO2" in reason for reason in table["excluded"]] == [True, False] * 2


def test_unused_channels_with_an_invalid_range_do_not_exclude_a_recording(tmp_path):
    root, names = tmp_path / "bids", ["Fp1", "F9", "F7"]
    write_edf(place(root, "sub-01"), noise(), names, fields={(PHYSICAL[0], 1): "n/a"})
    write_edf(place(root, "sub-02"), noise(), names)
    write_edf(place(root, "sub-03"), noise(), names, fields={(PHYSICAL[0], 2): 200})
    surveyed, table, _ = both(tmp_path, **EXCLUDING)
    assert surveyed.patients == {"sub-01", "sub-02"}
    assert "physical range of 'F7' is from 200 to 200" in table["excluded"]["sub-03"]
    with pytest.raises(InputError, match="physical range of 'F7'"):
        both(tmp_path, **(EXCLUDING | {"on_bad_recording": "stop"}))


def test_a_data_file_of_another_name_is_read_again_when_it_changes(tmp_path):
    """The stamp of an unfinished run covers the files that the header names."""
    path = write_brainvision(place(tmp_path / "bids", "sub-01", "vhdr"), noise(), data_name="recorder.eeg")
    _, _, before = both(tmp_path, sfreq="as recorded", l_freq=None)
    (tmp_path / "state").mkdir(exist_ok=True)
    (path.parent / "recorder.eeg").write_bytes(noise(seed=1).T.astype("<f4").tobytes())
    os.utime(path.parent / "recorder.eeg", ns=(1, 1))
    _, _, after = both(tmp_path, sfreq="as recorded", l_freq=None)
    assert not np.array_equal(before, after)
