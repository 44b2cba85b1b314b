"""Annotations of the TUH EEG Seizure Corpus: `.csv_bi`, `.csv` and `.tse`."""

import random
from itertools import pairwise

import pytest
import yaml

from eegwf.config.data import Annotations, Bids
from eegwf.data.annotations.event_maps import TUSZ
from eegwf.data.annotations.reading import recording_events
from eegwf.data.bids import Recording
from eegwf.data.events import Event, EventRules
from eegwf.errors import InputError

HEAD = "# version = csv_v1.0.0\n# bname = aaaaaaac_s001_t000\n# duration = 60.00 secs\n#\n"
COLUMNS = "channel,start_time,stop_time,label,confidence\n"
TSE = "version = tse_v1.0.0\n\n"


def rules_of(name="tusz", **settings):
    dataset = {"kind": "bids", "root": "x", "event_types": ["bckg", "sz"], "annotations": Annotations(format=name)}
    return EventRules.of(Bids.model_validate({**dataset, **settings}))


def read(folder, text, name="tusz", duration=60.0, notes=None, **settings):
    path = folder / f"sub-01_eeg.{name}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    recording = Recording("sub-01", "sub-01", folder / "sub-01_eeg.edf", path, name)
    return recording_events(recording, duration, rules_of(name, **settings), [] if notes is None else notes)


def test_a_row_per_event(tmp_path):
    assert read(tmp_path, HEAD + COLUMNS + "TERM,14.0059,24.0119,seiz,1.0000\n") == [Event(14.0059, 10.006, "sz")]
    assert read(tmp_path, HEAD + COLUMNS + "TERM,0.0000,60.0000,bckg,1.0000\n") == [Event(0, 60, "bckg")]
    assert read(tmp_path, HEAD + COLUMNS) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("seiz", "SEIZ"),
        lambda text: text.replace("label,confidence", "label").replace(",1.0000", ""),
        lambda text: text.replace(",", " , ").replace("#\n", "\n"),
        lambda text: text.replace("#\n", "#,,,,\n"),
        lambda text: text.encode("utf-16"),
    ],
)
def test_other_spellings_of_a_table(tmp_path, change):
    text = change(HEAD + COLUMNS + "TERM,10.0000,20.0000,seiz,1.0000\n")
    assert read(tmp_path, text) == [Event(10, 10, "sz")]


def test_a_row_per_channel_is_united(tmp_path):
    """As background and a seizure of the same time in different channels; ends of channels differ."""
    rows = [
        "FP1-F7,0.0000,10.0000,bckg,1.0",
        "FP1-F7,10.0000,30.0000,fnsz,1.0",
        "FP1-F7,30.0000,60.0000,bckg,1.0",
        "F7-T3,0.0000,12.0000,bckg,1.0",
        "F7-T3,12.0000,35.5000,fnsz,1.0",
        "F7-T3,35.5000,60.0000,bckg,1.0",
        "T3-T5,0.0000,60.0000,bckg,1.0",
    ]
    expected = [Event(0, 10, "bckg"), Event(10, 25.5, "sz_foc"), Event(35.5, 24.5, "bckg")]
    for order in (rows, rows[::-1]):
        assert read(tmp_path, HEAD + COLUMNS + "\n".join(order)) == expected


def test_seizures_of_two_types_in_different_channels(tmp_path):
    rows = ["FP1-F7,0,60,bckg,1.0", "FP1-F7,10,30,fnsz,1.0", "F7-T3,20,40,gnsz,1.0"]
    text = HEAD + COLUMNS + "\n".join(rows)
    with pytest.raises(InputError, match=r"line 8: 'sz_gen' from 20 s overlaps 'sz_foc' until 30 s \(line 7\)"):
        read(tmp_path, text)
    united = read(tmp_path, text, event_map={"fnsz": "sz", "GNSZ": "sz"})
    assert united == [Event(0, 10, "bckg"), Event(10, 30, "sz"), Event(40, 20, "bckg")]
    ignored = read(tmp_path, text, event_map={"gnsz": None})
    assert ignored == [Event(0, 10, "bckg"), Event(10, 20, "sz_foc"), Event(30, 30, "bckg")]


def test_times_are_united_as_on_a_grid(tmp_path):
    """Channels are drawn at random; what is read covers, second by second, what any channel has."""
    draw = random.Random(3)
    for _ in range(60):
        seconds = ["bckg"] * 60
        rows = []
        for channel in range(4):
            edges = [0, *sorted(draw.sample(range(1, 60), 4)), 60]
            for number, (start, stop) in enumerate(pairwise(edges)):
                label = "fnsz" if number % 2 else "bckg"
                rows.append(f"C{channel},{start},{stop},{label},1.0")
                if label == "fnsz":
                    seconds[start:stop] = ["sz_foc"] * (stop - start)
        draw.shuffle(rows)
        events = read(tmp_path, HEAD + COLUMNS + "\n".join(rows))
        found = [event.label for event in events for _ in range(round(event.duration))]
        assert found == seconds and sum(event.duration for event in events) == 60


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: no table; expected the header channel,start_time,stop_time,label,confidence"),
        (HEAD, "line 1: no table"),
        ("TERM,1,2,seiz,1.0\n", "line 1: no column channel and no start_time .*; found term, 1, 2, seiz, 1.0"),
        (HEAD + "channel;start_time;stop_time;label\n", "line 5: no column channel"),
        (HEAD + COLUMNS + "TERM,1,2\n", "line 6: 3 cells, but the header has 5"),
        (HEAD + COLUMNS + "TERM,1,5,2,5,seiz,1\n", "line 6: 7 cells, but the header has 5"),
        (HEAD + COLUMNS + "TERM,1,x,seiz,1\n", "line 6: end is 'x', not a number"),
        (HEAD + COLUMNS + "TERM,nan,5,seiz,1\n", "line 6: start is 'nan', not a number"),
        (HEAD + COLUMNS + "TERM,-1,5,seiz,1\n", "line 6: start is -1 s; it can't be negative"),
        (HEAD + COLUMNS + "TERM,8,5,seiz,1\n", "line 6: the end, 5 s, is before the start, 8 s"),
        (HEAD + COLUMNS + "TERM,1,5,,1\n", "line 6: no label"),
        (HEAD + COLUMNS + "TERM,1,5,xxsz,1\n", "line 6: unknown event type 'xxsz'; known are bckg, sz.*event_map"),
        (HEAD + COLUMNS + "TERM,1,75,seiz,1\n", "line 6: the event ends at 75 s, but the recording is 60 s long"),
        (HEAD + COLUMNS + "TERM,5,5,seiz,1\n", "line 6, column duration: 1 event of 'sz' without a length"),
        (HEAD.encode() + b"\0\0", "line 5: not a text"),
    ],
)
def test_malformed_tables_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path / "sub-01_eeg.tusz")) and "\n" not in str(error.value)


def test_tse(tmp_path):
    text = TSE + "0.0000 10.2775 bckg 1.0000\n10.2775 35.7750 fnsz 1.0000\n35.7750 60.0000 bckg 1.0000\n"
    expected = [("bckg", 0, 10.2775), ("sz_foc", 10.2775, 35.775), ("bckg", 35.775, 60)]
    for changed in (text, text.replace("n = t", "n=t"), text.replace(" 1.0000", ""), "# a\n" + text.upper()):
        events = read(tmp_path, changed, "tse")
        assert [(event.label, event.onset, event.end) for event in events] == expected
    assert read(tmp_path, TSE, "tse") == []


def test_tse_overlaps_by_rounding_are_resolved(tmp_path):
    notes = []
    events = read(tmp_path, TSE + "0 10.01 bckg 1\n10 20.01 seiz 1\n20 60 bckg 1\n", "tse", notes=notes)
    assert [(event.label, event.onset, event.end) for event in events] == [
        ("bckg", 0, 10),
        ("sz", 10, 20.01),
        ("bckg", 20.01, 60),
    ]
    assert len(notes) == 2 and all("'bckg' shortened" in note for note in notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: an empty file, expected 'version = tse_v1.0.0'"),
        ("0 10 bckg 1\n", "line 1: found '0 10 bckg 1', expected 'version = tse_v1.0.0'"),
        ("version = csv_v1.0.0\n", "line 1: found 'version = csv_v1.0.0'"),
        (TSE + "0 10\n", "line 3: 2 cells, expected start, end, label and probability"),
        (TSE + "0,5 10 bckg 1\n", "line 3: start is '0,5', not a number"),
        (TSE + "10 0 bckg 1\n", "line 3: the end, 0 s, is before the start, 10 s"),
        (TSE + "0 1 eyem 1\n", "line 3: unknown event type 'eyem'"),
    ],
)
def test_malformed_tse_files_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as error:
        read(tmp_path, text, "tse")
    assert str(error.value).startswith(str(tmp_path / "sub-01_eeg.tse")) and "\n" not in str(error.value)


def test_the_configuration_of_the_corpus_lists_the_map(root):
    dataset = yaml.safe_load((root / "config/datasets/tusz.yaml").read_text())["dataset"]
    assert dataset["event_map"] == TUSZ and dataset["annotations"]["format"] == "tusz"
    rules = rules_of()
    assert all(rules.event_type(label, "") == kind for label, kind in TUSZ.items())
