"""Real CHB-MIT and Siena files, of their original length: the tables of events equal the files of annotations.

The annotations are read here by regular expressions of their own, independent of those of the library.
"""

import csv
import re
from datetime import datetime, timedelta

import numpy as np
import pytest

from eegwf.config.data import Bids, Signals
from eegwf.config.windows import Windows
from eegwf.convert.conversion import convert
from eegwf.convert.corpora import CORPORA
from eegwf.data.inspection import inspect_dataset
from eegwf.data.reading_settings import ReadingSettings
from tests.helpers.long_headers import copy_tree, lengthen

COLUMNS = ["onset", "duration", "eventType", "confidence", "channels", "dateTime", "recordingDuration"]
SIENA_TYPES = {"IAS": "sz_foc_ia", "WIAS": "sz_foc_a", "FBTC": "sz_foc_f2b"}


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def seizures_of(path):
    """Onset, end and type of the seizures in a table of events."""
    rows = [row for row in rows_of(path) if row["eventType"] != "bckg"]
    return [(float(row["onset"]), float(row["onset"]) + float(row["duration"]), row["eventType"]) for row in rows]


def inspected(dataset, root):
    windows, signals = Windows(length=20, step=20, guard=0), Signals(notch=[], sfreq=128, montage="banana18")
    return inspect_dataset(ReadingSettings(root, dataset, signals, windows, {})).items


def chbmit_annotations(source):
    """Seizures of each recording according to the summaries."""
    found = {}
    for path in sorted(source.glob("chb*/*summary.txt")):
        for block in path.read_text(encoding="latin-1").split("File Name:")[1:]:
            times = [int(text) for text in re.findall(r"(?:Start|End) Time:\s+(\d+) sec", block)]
            found[block.split()[0]] = list(zip(times[::2], times[1::2], strict=True))
            assert len(times) == 2 * int(re.search(r"Seizures in File:\s*(\d+)", block)[1])
    return found


def siena_annotations(source):
    """Seizures of each recording according to the lists: dates are added, one day later after midnight."""
    found = {}
    for path in sorted(source.glob("PN*/Seizures-list-*.txt")):
        for block in re.split(r"Seizure n", path.read_text(encoding="latin-1"))[1:]:
            name = re.search(r"(PN\d\d-\S+\.edf)", block)[1]
            clocks = re.findall(r"(\d\d)\.(\d\d)\.(\d\d)", block.replace("19.29.29", "18.29.29"))
            begin, stop, start, end = (datetime(2000, 1, 1, *map(int, clock)) for clock in clocks)
            stop, start, end = (time if time >= begin else time + timedelta(days=1) for time in (stop, start, end))
            span = [(start - begin).total_seconds(), (end - begin).total_seconds()]
            found.setdefault(name, (int((stop - begin).total_seconds()), []))[1].append(tuple(span))
    return found


@pytest.fixture
def chb(data_root, tmp_path):
    source = copy_tree(data_root / "mini_edf/chbmit", tmp_path / "source")
    for name, seizures in chbmit_annotations(source).items():
        if seizures:
            lengthen(source / name[:5] / name, 3600)
    return source


@pytest.fixture
def siena(data_root, tmp_path):
    source = copy_tree(data_root / "mini_edf/siena", tmp_path / "source")
    for name, (seconds, _) in siena_annotations(source).items():
        lengthen(source / name[:4] / name, seconds + 20)
    return source


def test_chbmit(chb, tmp_path):
    outcomes, lines = convert(CORPORA["chbmit"], chb, tmp_path / "bids", link=True)
    expected = chbmit_annotations(chb)
    assert not [outcome for outcome in outcomes if outcome.fault]
    assert {outcome.source for outcome in outcomes} == {f"{name[:5]}/{name}" for name in expected}
    assert sum(map(len, expected.values())) == 10
    for outcome in outcomes:
        name = outcome.source.split("/")[1]
        table = tmp_path / "bids" / outcome.recording.replace("_eeg.edf", "_events.tsv")
        assert seizures_of(table) == [(start, end, "sz") for start, end in expected[name]]
        rows = rows_of(table)
        assert list(rows[0]) == COLUMNS
        seconds = 3600 if expected[name] else 2
        assert {row["recordingDuration"] for row in rows} == {str(seconds)}
        if not expected[name]:
            assert [(row["onset"], row["duration"], row["eventType"]) for row in rows] == [("0", "2", "bckg")]
    assert any(line.split() == ["seizures", "10", "198"] for line in lines)
    counts = rows_of(tmp_path / "bids/code/counts.tsv")
    assert [(row["quantity"], row["converted"], row["published"]) for row in counts[:2]] == [
        ("patients", "2", "24"),
        ("recordings", "59", "664"),
    ]
    people = {row["participant_id"]: row for row in rows_of(tmp_path / "bids/participants.tsv")}
    assert people["sub-05"] == {
        "participant_id": "sub-05",
        "source_id": "chb05",
        "age": "7",
        "sex": "f",
        "person": "sub-05",
    }
    assert people["sub-08"]["age"] == "3.5" and people["sub-08"]["sex"] == "m"


def test_siena(siena, tmp_path):
    outcomes, _ = convert(CORPORA["siena"], siena, tmp_path / "bids", link=True)
    expected = siena_annotations(siena)
    assert len(outcomes) == 7 and not [outcome for outcome in outcomes if outcome.fault]
    with open(siena / "subject_info.csv", encoding="utf-8") as file:
        info = {row[0].strip(): row for row in csv.reader(file) if row}
    for outcome in outcomes:
        name = outcome.source.split("/")[1]
        seconds, seizures = expected[name]
        table = tmp_path / "bids" / outcome.recording.replace("_eeg.edf", "_events.tsv")
        kind = SIENA_TYPES[info[name[:4]][3].strip()]
        assert seizures_of(table) == [(start, end, kind) for start, end in seizures]
        assert rows_of(table)[0]["recordingDuration"] == str(seconds + 20)
    # The start in the header is that in the list.
    begins = re.findall(r"Registration start time:\s*([\d.]+)", (siena / "PN16/Seizures-list-PN16.txt").read_text())
    tables = sorted(tmp_path.glob("bids/sub-PN16/eeg/*_events.tsv"))
    assert [rows_of(table)[0]["dateTime"][-8:].replace(":", ".") for table in tables] == begins
    (note,) = [note for outcome in outcomes for note in outcome.notes]
    assert "'19.29.29' read as 18.29.29" in note


def test_siena_past_midnight_and_several_seizures(data_root, tmp_path):
    source = copy_tree(data_root / "mini_edf/siena", tmp_path / "source")
    listed = source / "PN16/Seizures-list-PN16.txt"
    text = listed.read_text().replace("00.53.55", "22.53.55")
    extra = ["", "Seizure n 3", "File name: PN16-2.edf", "Seizure start time: 23.50.01", "Seizure end time: 00.01.02"]
    listed.write_text(text + "\n".join(extra) + "\n")
    lengthen(source / "PN16/PN16-2.edf", 20000)
    outcomes, _ = convert(CORPORA["siena"], source, tmp_path / "bids", link=True)
    (outcome,) = [outcome for outcome in outcomes if outcome.source == "PN16/PN16-2.edf"]
    table = tmp_path / "bids" / outcome.recording.replace("_eeg.edf", "_events.tsv")
    midnight = datetime(2000, 1, 2) - datetime(2000, 1, 1, 22, 53, 55)
    start = (datetime(2000, 1, 1, 23, 50, 1) - datetime(2000, 1, 1, 22, 53, 55)).total_seconds()
    assert seizures_of(table) == [
        (start, midnight.total_seconds() + 62, "sz_foc_ia"),
        (
            midnight.total_seconds() + 3 * 3600 + 16 * 60 + 49,
            midnight.total_seconds() + 3 * 3600 + 18 * 60 + 36,
            "sz_foc_ia",
        ),
    ]
    assert outcome.n_seizures == 2


@pytest.mark.parametrize("name", ["chbmit", "siena"])
def test_the_result_is_read_as_the_original(name, request, tmp_path):
    source = request.getfixturevalue({"chbmit": "chb"}.get(name, name))
    # Of the recordings without seizures, a minute is enough.
    for path in source.rglob("*.edf"):
        if path.stat().st_size < 1_000_000:
            lengthen(path, 60)
    outcomes, _ = convert(CORPORA[name], source, tmp_path / "bids", link=True)
    dataset = CORPORA[name].dataset
    before = {item.recording.path.relative_to(source).as_posix(): item for item in inspected(dataset, source)}
    after = inspected(Bids(kind="bids", root=".", event_types=["bckg", "sz"]), tmp_path / "bids")
    after = {item.recording.path.relative_to(tmp_path / "bids").as_posix(): item for item in after}
    assert len(after) == len(before) == len(outcomes)
    n_seizures = 0
    for outcome in outcomes:
        one, other = before[outcome.source], after[outcome.recording]
        assert not one.fault and not other.fault, (one.fault, other.fault)
        spans = [[(e.onset, e.duration) for e in item.events if e.label != "bckg"] for item in (one, other)]
        assert spans[0] == spans[1]
        n_seizures += len(spans[0])
        kinds = [np.char.replace(np.asarray(item.labels.label, str), "sz_foc_ia", "sz") for item in (one, other)]
        assert kinds[0].tolist() == kinds[1].tolist() and ("sz" in kinds[0]) == bool(spans[0])
        assert other.recording.patient == one.recording.patient
    assert n_seizures == {"chbmit": 10, "siena": 7}[name]
