"""Summaries of CHB-MIT: real ones, and malformed ones."""

import re

import pytest

from eegwf.checks.study import check_study
from eegwf.dag.flow_reading import read_flow
from eegwf.data.annotations.chbmit import read_chbmit
from eegwf.data.annotations.reading import recording_events
from eegwf.data.bids import Recording
from eegwf.data.events import Event, EventRules
from eegwf.errors import InputError

BLOCK = """Data Sampling Rate: 256 Hz
*************************
Channel 1: FP1-F7

File Name: chb01_01.edf
File Start Time: 11:42:54
File End Time: 12:42:54
Number of Seizures in File: 0

File Name: chb01_02.edf
File Start Time: 26:02:00
File End Time: 3:02:00
Number of Seizures in File: 2
Seizure 1 Start Time: 20 seconds
Seizure 1 End Time: 30 seconds
Seizure 2 Start Time:  40 seconds
Seizure 2 End Time:  45.5 seconds
"""


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (
            "chb05",
            {"06": (417, 532), "13": (1086, 1196), "16": (2317, 2413), "17": (2451, 2571), "22": (2348, 2465)},
        ),
        ("chb08", {"02": (2670, 2841), "05": (2856, 3046), "11": (2988, 3122), "13": (2417, 2577), "21": (2083, 2347)}),
    ],
)
def test_real_summaries(data_root, patient, expected):
    """Seizures are written with and without their number."""
    folder = data_root / "mini_edf/chbmit" / patient
    found = {}
    files = sorted(folder.glob("*.edf"))
    for path in files:
        for row in read_chbmit(folder / f"{patient}-summary.txt", path):
            found[path.stem.split("_")[1]] = (row.onset, row.onset + row.duration)
            assert row.label == "sz"
    assert found == expected and len(files) == {"chb05": 39, "chb08": 20}[patient]


def test_links_to_the_original_files(root, data_root, tmp_path):
    """The recordings are cut to 2 s, so that only those without a seizure can be used."""
    for path in sorted((data_root / "mini_edf/chbmit").glob("chb*/*.edf")):
        patient, number = path.stem.split("_")
        link = tmp_path / f"sub-{patient[3:]}/eeg/sub-{patient[3:]}_task-szMonitoring_run-{number}_eeg.edf"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    dataset = {"kind": "bids", "root": str(tmp_path), "event_types": ["bckg", "sz"]}
    dataset["annotations"] = {"format": "chbmit", "file": "{folder}/*-summary.txt"}
    settings = {"dataset": dataset, "windows": {"length": 1, "step": 1}, "signals": {"montage": "banana18"}}
    # The samples of these files are not those of the recordings, whose copies of T8-P8 are equal.
    found = check_study(read_flow(root / "config/config.yaml", [], settings), samples=False)
    assert any("59 recordings, 49 of them fit for use, of 2 patients" in line for line in found.facts)
    beyond = [line for line in found.problems if "s, but the recording is 2 s long" in line]
    assert len(beyond) == 10 and "chb05-summary.txt, line 60: the event ends at 532 s" in beyond[0]


def write(folder, text, name="chb01_02.edf"):
    path = folder / "chb01-summary.txt"
    path.write_text(text, encoding="latin-1")
    return Recording("sub-01", "sub-01", folder / name, path, "chbmit")


def events_of(recording):
    return recording_events(recording, 60.0, EventRules(["bckg", "sz"]), [])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("Seizure 1", "Seizure").replace("Seizure 2", "seizure"),
        lambda text: text.replace(" seconds", " secs"),
        lambda text: text.replace("FP1-F7", "\xb5V"),
        lambda text: text.replace("File Name: chb01_02", "Channels changed:\nChannel 1: -\nFile Name: CHB01_02"),
    ],
)
def test_spellings_of_a_summary(tmp_path, change):
    assert events_of(write(tmp_path, change(BLOCK))) == [Event(20, 10, "sz"), Event(40, 5.5, "sz")]
    assert events_of(write(tmp_path, change(BLOCK), "chb01_01.edf")) == []


def test_a_recording_is_found_by_the_file_to_which_it_is_a_link(tmp_path):
    (tmp_path / "chb01_02.edf").touch()
    (tmp_path / "sub-01_run-02_eeg.edf").symlink_to("chb01_02.edf")
    assert len(events_of(write(tmp_path, BLOCK, "sub-01_run-02_eeg.edf"))) == 2


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("_02.edf", "_03.edf", "expected chb01_02.edf once, found chb01_01.edf, chb01_03.edf; correct the summary"),
        ("_01.edf", "_02.edf", r"lists it 2 times \(lines 5, 10\)"),
        ("File Name", "Name", "found no file name"),
        ("File: 2", "File: two", "line 13: found 'Number of Seizures in File: two', expected one whole number"),
        ("Number of Seizures in File: 2\n", "", "line 10: no 'Number of Seizures in File' below this file name"),
        ("File: 2", "File: 3", "line 10: the number of seizures in the file is 3, but 4 start and end times"),
        ("File: 2", "File: 0", "line 10: the number of seizures in the file is 0, but 4 start"),
        ("Seizure 1 End Time: 30 seconds\n", "", "line 15: found .*, expected the end of a seizure"),
        ("Seizure 1 Start Time: 20 seconds\n", "", "line 14: found .*, expected the start of a seizure"),
        ("Seizure 1 End Time: 30", "Seizure 1 Endtime 30", "line 15: found 'Seizure 1 Endtime 30 seconds'"),
        (": 30 seconds", ": 30 minutes", "line 15: end is '30 minutes', not a number"),
        (": 30 seconds", ":", "line 15: end is '', not a number"),
        (": 30 seconds", ": 3 seconds", "line 15: the end, 3 s, is before the start, 20 s"),
        ("45.5", "455", "line 17: the event ends at 455 s, but the recording is 60 s long"),
    ],
)
def test_malformed_summaries_are_refused(tmp_path, before, after, message):
    recording = write(tmp_path, BLOCK.replace(before, after))
    with pytest.raises(InputError, match=message) as error:
        events_of(recording)
    assert str(error.value).startswith(str(tmp_path / "chb01-summary.txt")) and "\n" not in str(error.value)


def test_a_fault_in_the_list_of_another_recording_does_not_matter(tmp_path):
    text = re.sub("File: 0", "File: none", BLOCK)
    assert len(events_of(write(tmp_path, text))) == 2
    with pytest.raises(InputError, match="line 8: found 'Number of Seizures in File: none'"):
        events_of(write(tmp_path, text, "chb01_01.edf"))
