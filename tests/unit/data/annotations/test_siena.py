"""Lists of seizures of Siena: real ones, and malformed ones."""

import pytest

from eegwf.data.annotations.reading import recording_events
from eegwf.data.annotations.siena import read_siena
from eegwf.data.bids import Recording
from eegwf.data.events import Event, EventRules
from eegwf.errors import InputError

LIST = """PN99

Seizure n 1 (in sleep):
File name: PN99-1.edf
Registration start time: 23.50.00
Registration end time:  00:20:00
Seizure start time: 23.55.00
Seizure end time:23.56.10

Seizure n 2
File name: PN99-1.edf
Seizure start time: 0.01.00
Seizure end time: 00.02.30

Seizure n 3
File name: PN99-2.edf
Registration start time: 10.00.00
Registration end time: 11.00.00
Seizure start time: 10.30.00
Seizure end time: 10.31.00
"""


@pytest.mark.parametrize(
    ("name", "onset", "duration"),
    [
        ("PN00-1", 1143, 70),
        ("PN00-2", 1220, 54),
        ("PN00-4", 1006, 74),
        ("PN00-5", 904, 67),
        ("PN16-1", 7184, 123),
        ("PN16-2", 8574, 107),
    ],
)
def test_real_lists(data_root, name, onset, duration):
    folder = data_root / "mini_edf/siena" / name[:4]
    (row,) = read_siena(folder / f"Seizures-list-{name[:4]}.txt", folder / f"{name}.edf")
    assert (row.onset, row.duration, row.label) == (onset, duration, "sz")


def test_a_slip_in_a_real_list(data_root, tmp_path):
    """The seizure would last an hour and end after the recording."""
    folder = data_root / "mini_edf/siena/PN00"
    notes = []
    (row,) = read_siena(folder / "Seizures-list-PN00.txt", folder / "PN00-3.edf", notes)
    assert (row.onset, row.duration) == (765, 60)
    assert len(notes) == 1 and "line 58" in notes[0] and "'19.29.29' read as 18.29.29" in notes[0]
    other = tmp_path / "Seizures-list-PN98.txt"
    other.write_bytes((folder / "Seizures-list-PN00.txt").read_bytes())
    with pytest.raises(InputError, match=r"line 58: seizure end time is 19\.29\.29, not between .* end at 18\.57\.13"):
        read_siena(other, folder / "PN00-3.edf")


# Lines of the published lists with slips: name of the list, recording, lines, and its onset and duration.
SLIPS = [
    ("PN06", "PN06-2", ["File name: PNO6-2.edf"], "21.11.29", "00.41.49", "23.39.09", "23.40.18", 8860, 69),
    ("PN11", "PN11-1", ["File name: PN11-.edf"], "11.00.00", "12.00.00", "11.10.00", "11.11.00", 600, 60),
    ("PN10", "PN10-7.8.9", ["File name: PN10-7.8.9.edf"], "1 6.49.25", "18.00.00", "16.59.25", "17.00.00", 600, 35),
    ("PN10", "PN10-2", ["File name: PN10-2.edf"], "09.00.00", "12.00.00", "11.40.13", "11.41.04  opure 11.40.43", 9613,
     30),
    ("PN10", "PN10-3", ["File name: PN10-3.edf"], "13.33.18", "16.00.00",
     "15.43.53 (CLINICAL ONSET); 15.43.59 (ELECTRIC ONSET)", "15.45.02", 7841, 63),
    ("PN14", "PN14-3", ["File name: PN14-3.edf"], "16.17.45", "06.57.40", "21.10.05", "21.10.38", 6740, 33),
]  # fmt: skip


@pytest.mark.parametrize(("patient", "name", "file", "begin", "stop", "start", "end", "onset", "duration"), SLIPS)
def test_known_slips(tmp_path, patient, name, file, begin, stop, start, end, onset, duration):
    path = tmp_path / f"Seizures-list-{patient}.txt"
    lines = [*file, f"Registration start time:{begin}", f"Registration end time: {stop}"]
    path.write_text("\n".join([*lines, f"Seizure start time: {start}", f"Seizure end time: {end}"]))
    notes = []
    (row,) = read_siena(path, tmp_path / f"{name}.edf", notes)
    assert (row.onset, row.duration) == (onset, duration)
    assert len(notes) == 1 and "read as" in notes[0]


def test_the_form_of_pn01(tmp_path):
    """The times of both seizures, without the word, follow one name of the file and one registration."""
    path = tmp_path / "Seizures-list-PN01.txt"
    head = ["File name: PN01.edf", "Registration start time: 19.00.44", "Registration end time: 08.29.41", ""]
    times = ["Seizure n 1", "Start time: 21:51:02", "End time: 21:51:56", "", "Seizure n 2", "Start time: 07:53:17"]
    path.write_text("\n".join([*head, *times, "End time: 07:54:31"]))
    rows = read_siena(path, tmp_path / "PN01-1.edf")
    assert [(row.onset, row.duration) for row in rows] == [(10218, 54), (46353, 74)]


def read(folder, text, name="PN99-1.edf"):
    path = folder / "Seizures-list-PN99.txt"
    path.write_text(text, encoding="latin-1")
    recording = Recording("sub-99", "sub-99", folder / name, path, "siena")
    return recording_events(recording, 3600.0, EventRules(["bckg", "sz"]), [])


def test_times_after_midnight_and_registrations_that_are_not_repeated(tmp_path):
    assert read(tmp_path, LIST) == [Event(300, 70, "sz"), Event(660, 90, "sz")]
    assert read(tmp_path, LIST.replace("\n", "\r\n"), "PN99-2.edf") == [Event(1800, 60, "sz")]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("PN99-1", "PN99-", "expected the seizures of pn99-1.edf, found PN99-.edf, PN99-.edf, PN99-2.edf; correct"),
        ("23.55.00", "1 23.55.00", "line 7: seizure start time is '1 23.55.00', expected hours, minutes and seconds"),
        ("23.55.00", "23.75.00", "line 7: seizure start time is '23.75.00'"),
        ("23.56.10", "23.54.10", "line 8: seizure end time is 23.54.10, before its start at 23.55.00"),
        ("0.01.00", "12.01.00", "line 12: seizure start time is 12.01.00, not between the registration's start at"),
        ("Seizure end time:23.56.10\n", "", "line 7: a seizure without seizure end time"),
        ("Registration end time:  00:20:00\n", "", "line 6: a seizure without registration end time"),
        ("Seizure start time: 23.55.00\n", "", "line 7: a seizure end time without its start time"),
        ("time: 23.55.00", "time 23.55.00", "line 7: found 'Seizure start time 23.55.00', expected"),
    ],
)
def test_malformed_lists_are_refused(tmp_path, before, after, message):
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path, LIST.replace(before, after))
    assert str(error.value).startswith(str(tmp_path)) and "\n" not in str(error.value)
