"""Event tables: accepted forms, refused tables, and the events that are read."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.data.event_tables import read_events
from eegwf.data.events import Event, EventRules, classify, matches
from eegwf.errors import InputError

TYPES = ["bckg", "sz", "impd"]
RULES = EventRules(TYPES)


def write(folder, rows, header="onset\tduration\teventType"):
    path = folder / "sub-01_events.tsv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_szcore_table_is_read(data_root):
    path = data_root / "helsinki/sub-38/eeg/sub-38_task-sz_events.tsv"
    assert read_events(path, 30.0, EventRules(TYPES, ["disputed"])) == [Event(5.0, 25.0, "sz")]
    with pytest.raises(InputError, match=r"line 2: unknown event type 'disputed'"):
        read_events(path, 30.0, RULES)


def test_bids_table_with_byte_order_mark_is_read_and_sorted(tmp_path):
    path = write(tmp_path, ["20\t5\tsz_foc\tx", "", "2.5\t1e1\tbckg\ty"], "\ufeffonset\tduration\ttrial_type\tnote")
    assert read_events(path, 30.0, RULES) == [Event(2.5, 10.0, "bckg"), Event(20.0, 5.0, "sz_foc")]


def test_events_are_merged_clipped_and_dropped(tmp_path):
    path = write(tmp_path, ["0\t5\tsz", "5\t5\tsz", "8\t4\tsz", "20\t0\timpd", "12\t3\tbckg", "25\t5.9\tsz"])
    assert read_events(path, 30.0, RULES) == [Event(0, 12, "sz"), Event(12, 3, "bckg"), Event(25, 5, "sz")]


def test_table_with_only_a_header_has_no_events(tmp_path):
    assert read_events(write(tmp_path, []), 30.0, RULES) == []


def test_rounding_error_is_not_an_overlap(tmp_path):
    path = write(tmp_path, ["0.1\t0.2\tbckg", "0.3\t1\tsz"])  # 0.1 + 0.2 > 0.3 in floating point
    assert [event.label for event in read_events(path, 30.0, RULES)] == ["bckg", "sz"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["0\t31\tsz"], "line 2: the event ends at 31 s, but the recording is 30 s long"),
        (["1\t1\tsz", "400\t5\tsz"], "line 3: the event ends at 405 s"),
        (["-1\t2\tsz"], "line 2: onset is -1 s"),
        (["1\t-2\tsz"], "line 2: duration is -2 s"),
        (["1\t?\tsz"], "line 2: duration is '\\?', not a number"),
        (["n/a\t1\tsz"], "line 2: onset is 'n/a', not a number"),
        (["one\t2\tsz"], "line 2: onset is 'one'"),
        (["nan\t2\tsz"], "line 2: onset is 'nan'"),
        (["1\tinf\tsz"], "line 2: duration is 'inf'"),
        (["1\t5\tsz", "4\t5\tbckg"], r"line 3: 'bckg' from 4 s overlaps 'sz' until 6 s \(line 2\)"),
        (["1\t5\tseiz"], "line 2: unknown event type 'seiz'; known are bckg, sz, impd"),
        (["1\t5\tszx"], "unknown event type 'szx'"),
        (["1\t5"], "line 2: 2 cells, but the header has 3"),
    ],
)
def test_invalid_rows_are_refused(tmp_path, rows, message):
    path = write(tmp_path, rows)
    with pytest.raises(InputError, match=message) as error:
        read_events(path, 30.0, RULES)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_files_that_are_not_event_tables_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_events(tmp_path / "none.tsv", 30.0, RULES)
    with pytest.raises(InputError, match="no column duration and no eventType"):
        read_events(write(tmp_path, ["1"], "onset\tlabel"), 30.0, RULES)
    with pytest.raises(InputError, match=r"line 1: no column onset .*found start, stop, label\. Add it"):
        read_events(write(tmp_path, ["1,2,sz"], "start,stop,label"), 30.0, RULES)
    (tmp_path / "bytes.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_events(tmp_path / "bytes.tsv", 30.0, RULES)


def test_cells_of_ignored_rows_are_not_checked(tmp_path):
    path = write(tmp_path, ["n/a\tn/a\tdisputed_a", "1\t5\tsz", "2\t900\tdisputed"])
    assert read_events(path, 30.0, EventRules(TYPES, ["disputed"])) == [Event(1, 5, "sz")]


def test_event_types_are_hierarchical():
    assert matches("sz", "sz") and matches("sz", "sz_foc_ia") and matches("sz_foc", "sz_foc_ia")
    assert not matches("sz", "szx") and not matches("sz_foc", "sz") and not matches("sz_fo", "sz_foc")
    classes = {"background": ["bckg"], "seizure": ["sz"], "generalized": ["sz_gen"]}
    assert classify("sz_gen_tonic", classes) == "generalized"
    assert classify("sz_foc_ia", classes) == classify("sz", classes) == "seizure"
    assert classify("impd", classes) is None


@pytest.mark.parametrize("length", ["0", "n/a", "", "0.0", "NaN", "0,0"])
def test_a_seizure_of_no_length_is_an_error_unless_configured(tmp_path, length):
    """The rows with commas make it clear that `0,0` is a number with a decimal comma."""
    path = write(tmp_path, [f"8\t{length}\tsz_foc", "15\t5\tbckg", f"20\t{length}\tsz_foc"])
    with pytest.raises(
        InputError, match=r"lines 2, 4, column duration: 2 events of 'sz_foc' without a length .*"
    ) as error:
        read_events(path, 30.0, RULES)
    assert "dataset.on_open_event" in str(error.value) and str(path) in str(error.value)
    for on_open, expected in (
        ("unlabeled", [Event(8, 0, "sz_foc"), Event(15, 5, "bckg"), Event(20, 0, "sz_foc")]),
        ("ignore", [Event(15, 5, "bckg")]),
    ):
        notes = []
        assert read_events(path, 30.0, EventRules(TYPES, on_open=on_open), notes) == expected
        assert any("2 events of 'sz_foc' of no length" in note and "lines 2, 4" in note for note in notes), notes


def test_an_event_of_no_length_that_is_no_seizure_is_dropped_with_a_note(tmp_path):
    path = write(tmp_path, ["3\t0\timpd", "5\tn/a\tbckg", "8\t5\tsz"])
    notes = []
    assert read_events(path, 30.0, RULES, notes) == [Event(8, 5, "sz")]
    assert notes == [
        "1 event of 'impd' of no length dropped (line 2)",
        "1 event of 'bckg' of no length dropped (line 3)",
    ]


def test_an_event_of_no_length_within_an_event_of_its_type_is_part_of_it(tmp_path):
    path = write(tmp_path, ["8\t5\tsz_foc_ia", "10\t0\tsz_foc", "8\t0\tsz_foc_ia"])
    notes = []
    assert read_events(path, 30.0, RULES, notes) == [Event(8, 5, "sz_foc_ia")]
    assert len(notes) == 2 and "line 3 dropped: it is part of that in line 2" in notes[0]
    other = write(tmp_path, ["8\t5\tsz_foc_ia", "10\t0\tsz_gen"])
    with pytest.raises(InputError, match="line 3, column duration: 1 event of 'sz_gen' without a length"):
        read_events(other, 30.0, RULES)


def test_a_data_set_with_other_names_of_seizures_has_rules_for_them(tmp_path):
    path = write(tmp_path, ["8\t0\tictal"])
    with pytest.raises(InputError, match="1 event of 'ictal' without a length"):
        read_events(path, 30.0, EventRules(["bckg", "ictal"]))
    # Beside `sz`, another type is not a seizure.
    assert read_events(path, 30.0, EventRules(["bckg", "sz", "ictal"])) == []


def test_a_seizure_after_the_recording_is_noted(tmp_path):
    path = write(tmp_path, ["30\t0.5\tsz"])
    notes = []
    assert read_events(path, 30.0, RULES, notes) == []
    assert notes == ["event in line 2 dropped: it begins at the recording's end"]


def test_rounding_to_two_decimals_is_resolved_with_a_note(tmp_path):
    path = write(tmp_path, ["0.00\t10.01\tbckg", "10.01\t10.00\tsz", "20.00\t20.00\tbckg"])
    notes = []
    events = read_events(path, 40.0, RULES, notes)
    assert [(event.label, round(event.onset, 9), round(event.end, 9)) for event in events] == [
        ("bckg", 0, 10.01),
        ("sz", 10.01, 20.01),
        ("bckg", 20.01, 40),
    ]
    assert notes == ["events in lines 3 and 4 overlapped by 0.01 s, 'bckg' shortened"]
    with pytest.raises(InputError, match=r"line 4: 'bckg' from 20 s overlaps 'sz' until 20.01 s \(line 3\)"):
        read_events(path, 40.0, EventRules(TYPES, tolerance=0.005))


seconds = st.integers(0, 400).map(lambda value: value / 8)


@given(st.lists(st.tuples(seconds, seconds, st.sampled_from(["sz", "bckg"])), max_size=12))
def test_covered_time_is_kept_and_reading_is_idempotent(tmp_path_factory, drawn):
    """Times are eighths of a second, so that sums are exact; covered time is counted on that grid."""
    covered = {}
    for onset, duration, label in drawn:
        for tick in range(int(onset * 8), int((onset + duration) * 8)):
            covered.setdefault(tick, set()).add(label)
    folder = tmp_path_factory.mktemp("events")
    path = write(folder, [f"{onset}\t{duration}\t{label}" for onset, duration, label in drawn])
    if any(len(labels) > 1 for labels in covered.values()):
        with pytest.raises(InputError, match="overlaps"):
            read_events(path, 200.0, EventRules(TYPES, on_open="ignore"))
        return
    events = read_events(path, 200.0, EventRules(TYPES, on_open="ignore"))
    labels_read = {}
    for event in events:
        for tick in range(int(event.onset * 8), int(event.end * 8)):
            assert tick not in labels_read
            labels_read[tick] = {event.label}
    assert labels_read == covered
    assert events == sorted(events, key=lambda event: event.onset)
    assert all(a.end < b.onset or (a.end == b.onset and a.label != b.label) for a, b in pairwise(events))
    rewritten = write(folder, [f"{event.onset}\t{event.duration}\t{event.label}" for event in events])
    assert read_events(rewritten, 200.0, EventRules(TYPES, on_open="ignore")) == events
