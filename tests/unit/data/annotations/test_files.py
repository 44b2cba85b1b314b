"""Place of the annotations: templates, faults, the digest of the data set, and that check and run agree."""

import os

import pytest
from pydantic import ValidationError

from eegwf.checks.study import check_study
from eegwf.config.data import Annotations, Bids
from eegwf.dag.flow_reading import read_flow
from eegwf.data.bids import data_files, discover
from eegwf.data.event_tables import read_events
from eegwf.data.events import Event, EventRules
from eegwf.errors import InputError
from tests.helpers.short_recordings import CONFIG, EVENTS, contents

COLUMNS = "channel,start_time,stop_time,label,confidence\n"
LABELS = {"sz_foc": "fnsz", "sz_gen": "gnsz", "bckg": "bckg"}
TUSZ = {"kind": "bids", "root": "unused", "annotations": {"format": "tusz"}}


@pytest.fixture
def corpus(bids):
    """The data set with `.csv_bi` files instead of tables of events."""
    for patient, rows in EVENTS.items():
        base = bids / patient / "eeg" / f"{patient}_task-sz"
        cells = [row.split("\t") for row in rows]
        lines = [f"TERM,{on}.0,{int(on) + int(length)}.0,{LABELS[label]},1.0\n" for on, length, label in cells]
        base.with_name(f"{base.name}_eeg.csv_bi").write_text(COLUMNS + "".join(lines))
        base.with_name(f"{base.name}_events.tsv").unlink()
    return bids


def test_annotations_give_the_files_that_tables_of_events_give(bids, run, request):
    tables = contents(run("tables"))
    request.getfixturevalue("corpus")
    with pytest.raises(InputError, match=r"no sub-01_task-sz_events\.tsv beside it"):
        run("none")
    assert contents(run("annotations", dataset=TUSZ)) == tables


def test_changed_annotations_are_read_again(corpus, run):
    bad = corpus / "sub-03/eeg/sub-03_task-sz_eeg.csv_bi"
    good = bad.read_text()
    bad.write_text(COLUMNS + "TERM,1.0,2.0,sneeze,1.0\n")
    with pytest.raises(InputError, match=r"sub-03_task-sz_eeg.csv_bi, line 2: unknown event type 'sneeze'"):
        run(dataset=TUSZ)
    bad.write_text(good)
    other = corpus / "sub-02/eeg/sub-02_task-sz_eeg.csv_bi"
    status = other.stat()
    other.write_text(other.read_text().replace("gnsz", "fnsz"))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    out = contents(run(dataset=TUSZ))
    assert b"sz_gen" not in out["windows.tsv"] and out == contents(run("complete", "other", dataset=TUSZ))


def test_check_reads_as_the_run_does(root, corpus, tmp_path):
    def found(**dataset):
        settings = {
            "dataset": {**TUSZ, "root": str(corpus), **dataset},
            "signals": CONFIG["signals"],
            "windows": CONFIG["windows"],
            "folds": 3,
            "results": str(tmp_path / "results"),
        }
        return check_study(read_flow(root / "config/config.yaml", [], settings))

    assert any("sz_foc 6 s" in line and "sz_gen 5 s" in line for line in found().facts), found().facts
    ignored = found(event_map={"gnsz": None})
    assert not any("sz_gen" in line for line in ignored.facts)
    (corpus / "sub-01/eeg/sub-01_task-sz_eeg.csv_bi").write_text(COLUMNS + "TERM,1.0,2.0,sneeze,1.0\n")
    (corpus / "sub-02/eeg/sub-02_task-sz_eeg.csv_bi").unlink()
    problems = "\n".join(found().problems)
    assert "sub-01_task-sz_eeg.csv_bi, line 2: unknown event type 'sneeze'" in problems
    assert "sub-02_task-sz_eeg.csv_bi, expected its annotations (dataset.annotations, format tusz)" in problems


def test_annotations_beside_the_file_to_which_a_recording_is_a_link(bids, tmp_path):
    original = tmp_path / "corpus" / "a_t000.edf"
    original.parent.mkdir()
    edf = bids / "sub-01/eeg/sub-01_task-sz_eeg.edf"
    edf.rename(original)
    edf.symlink_to(original)
    table = original.with_suffix(".csv")
    table.write_text(COLUMNS)
    for file in ("{target}.csv", "{folder}/a_*.csv", str(tmp_path / "corpus/*_t000.csv"), "../../../corpus/a_t000.csv"):
        found = discover(bids, Annotations(format="tusz", file=file))
        assert found.recordings[0].events_path.resolve() == table.resolve(), file
        assert "sub-01_task-sz" not in found.faults and not found.recordings[0].sidecars
    for file in ("{stem}.x", "{recording}_eeg.x", "{patient}_task-sz_eeg.x", "sub-01_*_eeg.?"):
        edf.with_suffix(".x").touch()
        assert discover(bids, Annotations(format="tusz", file=file)).recordings[0].events_path == edf.with_suffix(".x")


def test_names_with_characters_of_patterns(tmp_path):
    folder = tmp_path / "a[1]*" / "sub-01" / "eeg"
    folder.mkdir(parents=True)
    (folder / "sub-01_eeg.edf").touch()
    (folder / "sub-01-summary.txt").touch()
    found = discover(tmp_path / "a[1]*", Annotations(format="chbmit"))
    assert found.recordings[0].events_path == folder / "sub-01-summary.txt" and not found.faults


def test_faults_of_annotations(bids):
    folder = bids / "sub-01/eeg"
    for name in ("a-summary.txt", "b-summary.txt"):
        (folder / name).touch()
    (bids / "sub-02/eeg/a-summary.txt").symlink_to("missing")
    (bids / "sub-03/eeg/a-summary.txt").mkdir()
    (bids / "sub-05/eeg").mkdir(parents=True)
    (bids / "sub-05/eeg/sub-05_eeg.edf").symlink_to("sub-05_eeg.edf")
    faults = list(discover(bids, Annotations(format="chbmit")).faults.values())
    expected = [
        "expected one file '*-summary.txt' of its annotations, found 2 (a-summary.txt, b-summary.txt)",
        "a-summary.txt: link to a missing file",
        "a-summary.txt: a folder, expected a file",
        "expected one file '*-summary.txt' of its annotations, found none; correct dataset.annotations.file",
        "sub-05_eeg.edf: link to a missing file",
    ]
    assert len(faults) == 5
    assert all(text in fault and "\n" not in fault for text, fault in zip(expected, faults, strict=True))


def test_the_digest_includes_annotations_outside_of_the_data_set(root, bids, tmp_path):
    summary = tmp_path / "all-summary.txt"
    summary.write_text("1")
    dataset = {"kind": "bids", "root": str(bids)}
    dataset["annotations"] = {"format": "chbmit", "file": str(summary)}
    flow = read_flow(root / "config/config.yaml", [], {"dataset": dataset})
    before = flow.data_digest(None)
    assert list(data_files(bids, flow.study.dataset.annotations)).count(summary) == 1
    summary.write_text("12")
    assert flow.data_digest(None) != before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": "xml"}, "Input should be 'events', 'tusz'"),
        ({"format": "tusz", "file": "{stm}.csv"}, "has the field {stm}; known are {stem}, {recording}"),
        ({"format": "tusz", "file": "{stem!r}.csv"}, "has the field {stem}"),
        ({"format": "tusz", "file": "{stem.csv"}, "has a brace without its partner"),
        ({"format": "tusz", "file": "{}.csv"}, "has the field {}"),
    ],
)
def test_invalid_settings(values, message):
    with pytest.raises(ValidationError) as error:
        Annotations.model_validate(values)
    assert message in str(error.value)


def write(folder, *labels):
    rows = [f"{10 * number}\t5\t{label}" for number, label in enumerate(labels)]
    path = folder / "sub-01_events.tsv"
    path.write_text("\n".join(["onset\tduration\teventType", *rows]) + "\n")
    return path


def rules(event_map, **settings):
    return EventRules.of(Bids(kind="bids", root="x", event_types=["bckg", "sz"], event_map=event_map, **settings))


def test_event_map(tmp_path):
    path = write(tmp_path, "Seizure", "IMPD", "SZ", "bckg")
    mapped = read_events(path, 60.0, rules({"seizure": "sz_foc", "impd": None, "sz": "sz", "BCKG": "bckg"}))
    assert mapped == [Event(0, 5, "sz_foc"), Event(20, 5, "sz"), Event(30, 5, "bckg")]
    # An entry is used once, for whole labels; types that a map gives can be ignored.
    chain = rules({"a": "sz", "sz": "sz_gen"}, ignored_events=["sz_foc"])
    assert [event.label for event in read_events(write(tmp_path, "a", "sz", "sz_foc_ia"), 60.0, chain)] == [
        "sz",
        "sz_gen",
    ]


@pytest.mark.parametrize(
    ("event_map", "label", "message"),
    [
        ({"a": "seizure"}, "A", r"line 2: unknown event type 'seizure' \(label 'A'\); known are bckg, sz\."),
        ({"a": "sz"}, "a_foc", "line 2: unknown event type 'a_foc'; .*dataset.event_map"),
        ({}, "SZ", "line 2: unknown event type 'SZ'"),
    ],
)
def test_labels_without_an_event_type_are_refused(tmp_path, event_map, label, message):
    with pytest.raises(InputError, match=message):
        read_events(write(tmp_path, label), 60.0, rules(event_map))


def test_one_label_twice_in_a_map():
    with pytest.raises(ValidationError, match="has both 'FNSZ' and 'fnsz', which are the same label"):
        rules({"FNSZ": "sz", "fnsz": "bckg"})


def test_tables_of_seizeit2(data_root):
    paths = sorted((data_root / "seizeit2_events").glob("sub-*/ses-*/eeg/*_events.tsv"))
    settings = {"kind": "bids", "root": "x"}
    total = 0
    for path in paths:
        kept = read_events(path, 1e6, EventRules.of(Bids(**settings)))
        ignored = read_events(path, 1e6, EventRules.of(Bids(**settings, event_map={"IMPD": None})))
        assert ignored == [event for event in kept if event.label != "impd"]
        total += sum(event.label.startswith("sz") for event in kept)
    assert len(paths) == 37 and total == 122
