"""Event tables: accepted forms, refused tables, and the events that are read."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.data.events import Event, classify, matches, read_events
from eegwf.errors import InputError

TYPES = ["bckg", "sz", "impd"]


def write(folder, rows, header="onset\tduration\teventType"):
    path = folder / "sub-01_events.tsv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_szcore_table_is_read(data_root):
    path = data_root / "helsinki/sub-38/eeg/sub-38_task-sz_events.tsv"
    assert read_events(path, 30.0, TYPES, ["disputed"]) == [Event(5.0, 25.0, "sz")]
    with pytest.raises(InputError, match=r"line 2: unknown event type 'disputed'"):
        read_events(path, 30.0, TYPES)


def test_bids_table_with_byte_order_mark_is_read_and_sorted(tmp_path):
    path = write(tmp_path, ["20\t5\tsz_foc\tx", "", "2.5\t1e1\tbckg\ty"], "\ufeffonset\tduration\ttrial_type\tnote")
    assert read_events(path, 30.0, TYPES) == [Event(2.5, 10.0, "bckg"), Event(20.0, 5.0, "sz_foc")]


def test_events_are_merged_clipped_and_dropped(tmp_path):
    path = write(tmp_path, ["0\t5\tsz", "5\t5\tsz", "8\t4\tsz", "20\t0\tsz", "12\t3\tbckg", "25\t5.9\tsz"])
    assert read_events(path, 30.0, TYPES) == [Event(0, 12, "sz"), Event(12, 3, "bckg"), Event(25, 5, "sz")]


def test_table_with_only_a_header_has_no_events(tmp_path):
    assert read_events(write(tmp_path, []), 30.0, TYPES) == []


def test_rounding_error_is_not_an_overlap(tmp_path):
    path = write(tmp_path, ["0.1\t0.2\tbckg", "0.3\t1\tsz"])  # 0.1 + 0.2 > 0.3 in floating point
    assert [event.label for event in read_events(path, 30.0, TYPES)] == ["bckg", "sz"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["0\t31\tsz"], "line 2: the event ends at 31 s, but the recording is 30 s long"),
        (["1\t1\tsz", "400\t5\tsz"], "line 3: the event ends at 405 s"),
        (["-1\t2\tsz"], "line 2: onset is -1 s"),
        (["1\t-2\tsz"], "line 2: duration is -2 s"),
        (["1\tn/a\tsz"], "line 2: duration is 'n/a', not a number"),
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
        read_events(path, 30.0, TYPES)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_files_that_are_not_event_tables_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_events(tmp_path / "none.tsv", 30.0, TYPES)
    with pytest.raises(InputError, match="no column duration and no eventType"):
        read_events(write(tmp_path, ["1"], "onset\tlabel"), 30.0, TYPES)
    with pytest.raises(InputError, match="no column onset"):
        read_events(write(tmp_path, ["1,2,sz"], "onset,duration,eventType"), 30.0, TYPES)
    (tmp_path / "bytes.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_events(tmp_path / "bytes.tsv", 30.0, TYPES)


def test_cells_of_ignored_rows_are_not_checked(tmp_path):
    path = write(tmp_path, ["n/a\tn/a\tdisputed_a", "1\t5\tsz", "2\t900\tdisputed"])
    assert read_events(path, 30.0, TYPES, ["disputed"]) == [Event(1, 5, "sz")]


def test_event_types_are_hierarchical():
    assert matches("sz", "sz") and matches("sz", "sz_foc_ia") and matches("sz_foc", "sz_foc_ia")
    assert not matches("sz", "szx") and not matches("sz_foc", "sz") and not matches("sz_fo", "sz_foc")
    classes = {"background": ["bckg"], "seizure": ["sz"], "generalized": ["sz_gen"]}
    assert classify("sz_gen_tonic", classes) == "generalized"
    assert classify("sz_foc_ia", classes) == classify("sz", classes) == "seizure"
    assert classify("impd", classes) is None


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
            read_events(path, 200.0, TYPES)
        return
    events = read_events(path, 200.0, TYPES)
    labels_read = {}
    for event in events:
        for tick in range(int(event.onset * 8), int(event.end * 8)):
            assert tick not in labels_read
            labels_read[tick] = {event.label}
    assert labels_read == covered
    assert events == sorted(events, key=lambda event: event.onset)
    assert all(a.end < b.onset or (a.end == b.onset and a.label != b.label) for a, b in pairwise(events))
    rewritten = write(folder, [f"{event.onset}\t{event.duration}\t{event.label}" for event in events])
    assert read_events(rewritten, 200.0, TYPES) == events
