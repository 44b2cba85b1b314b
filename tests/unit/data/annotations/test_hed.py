"""Annotations as HED-SCORE tags in tables and sidecars."""

import json

import pytest

from eegwf.config.data import Annotations, Bids
from eegwf.data.annotations.reading import recording_events
from eegwf.data.bids import data_files, discover
from eegwf.data.events import Event, EventRules
from eegwf.errors import InputError

HED = Annotations(format="hed")
FOCAL = "Focal-onset-epileptic-seizure"
LONG = f"Event/Sensory-event, (sc:Episode/Epileptic-seizure/{FOCAL}/Aware-focal-onset-epileptic-seizure, Left)"


def write(root, rows, header="onset\tduration\ttrial_type\tHED", **sidecars):
    folder = root / "sub-01/eeg"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sub-01_task-sz_eeg.edf").touch()
    (folder / "sub-01_task-sz_events.tsv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    for place, content in sidecars.items():
        text = content if isinstance(content, str) else json.dumps(content)
        {"beside": folder / "sub-01_task-sz_events.json", "above": root / "task-sz_events.json"}[place].write_text(text)
    return root


def read(root, notes=None, event_map=None):
    (recording,) = discover(root, HED).usable
    settings = {"kind": "bids", "root": "x", "event_types": ["bckg", "sz"], "annotations": HED}
    rules = EventRules.of(Bids(**settings, event_map=event_map or {}))
    return recording_events(recording, 60.0, rules, [] if notes is None else notes)


@pytest.mark.parametrize(
    ("tags", "label"),
    [
        ("Epileptic-seizure", "sz"),
        (LONG, "sz_foc_a"),
        (LONG.upper(), "sz_foc_a"),
        (f"sc:{FOCAL}", "sz_foc"),
        (f"{FOCAL}, Epileptic-seizure", "sz_foc"),
        (f"(Epileptic-seizure, (Tonic-seizure, {FOCAL})), Motor-seizure", "sz_foc"),
        (f"Tonic-motor-seizure, {FOCAL}", "sz_foc"),
        ("Focal-to-bilateral-tonic-clonic-focal-onset-epileptic-seizure", "sz_foc_f2b"),
        ("Episode/Epileptic-seizure/Generalized-onset-epileptic-seizure/My-type", "sz_gen"),
        ("Absence-seizure, Generalized-onset-epileptic-seizure", "sz_gen_nm"),
    ],
)
def test_the_most_specific_tag_is_the_event_type(tmp_path, tags, label):
    assert read(write(tmp_path, [f"5\t10\tx\t{tags}"])) == [Event(5, 10, label)]


def test_other_rows_are_noted_and_their_cells_not_read(tmp_path):
    rows = ["1\tn/a\tblink\tEye-blink-artifact", "n/a\tn/a\tx\tn/a", "2\t0\tspike\tEpileptiform-interictal-activity"]
    rows += ["3\t4\tpnes\tSeizure-PNES", f"5\t10\tx\t{FOCAL}", "7\t1\tsleep\tSeizure-semiology/Postictal-sleep"]
    notes = []
    assert read(write(tmp_path, rows), notes) == [Event(5, 10, "sz_foc")]
    assert notes == ["5 rows not read, which have no HED tag with an event type"]


def test_tags_in_sidecars(tmp_path):
    """The sidecar beside the recording has priority over that above; other columns and texts are no tags of values."""
    rows = ["1\t2\ta", "5\t10\tb", "20\t5\tc"]
    above = {"trial_type": {"HED": {"a": "Epileptic-seizure"}}, "onset": {"Description": "s"}, "duration": {"HED": "#"}}
    root = write(tmp_path, rows, "onset\tduration\ttrial_type", above=above)
    assert read(root) == [Event(1, 2, "sz")]
    write(tmp_path, rows, "onset\tduration\ttrial_type", beside={"trial_type": {"HED": {"b": FOCAL, "c": "Blink"}}})
    (tmp_path / "task-rest_events.json").write_text("not read")
    assert read(root) == [Event(5, 10, "sz_foc")]
    names = [path.name for path in data_files(root, HED)]
    assert names.count("task-sz_events.json") == names.count("sub-01_task-sz_events.json") == 1
    assert "task-rest_events.json" not in names


def test_event_map_of_tags(tmp_path):
    root = write(tmp_path, [f"5\t10\tx\t{FOCAL}", "20\t5\tx\tMy-Tag", "30\t5\tx\tSubtle-seizure"])
    events = read(root, event_map={"my-tag": "sz_gen", "Subtle-Seizure": None})
    assert events == [Event(5, 10, "sz_foc"), Event(20, 5, "sz_gen")]


GENERALIZED = "Generalized-onset-epileptic-seizure"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"5\t10\tx\t{FOCAL}, {GENERALIZED}", "line 2, column HED: the tags .* have the event types 'sz_foc' and"),
        ("5\t10\tx\tNew-kind-of-seizure", "line 2, column HED: the tag 'new-kind-of-seizure' has no event type"),
        ("5\t10\tx\tStatus-epilepticus", "line 2, column HED: the tag 'status-epilepticus' has no event type"),
        (f"5\tn/a\tx\t({FOCAL}, Onset)", "line 2, column duration: 1 event of 'sz_foc' without a length"),
        (f"-5\t10\tx\t{FOCAL}", "line 2: onset is -5 s"),
        (f"5\tlong\tx\t{FOCAL}", "line 2: duration is 'long', not a number"),
        (f"55\t10\tx\t{FOCAL}", "line 2: the event ends at 65 s"),
        ("5\t10", "line 2: 2 cells, but the header has 4"),
    ],
)
def test_malformed_rows_are_refused(tmp_path, row, message):
    root = write(tmp_path, [row])
    with pytest.raises(InputError, match=message) as error:
        read(root)
    assert "sub-01_task-sz_events.tsv, line 2" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("sidecar", "message"),
    [
        ('{"trial_type":\n {"HED": ]}', r"events\.json, line 2: not valid JSON"),
        ("[1]", r"events\.json, line 1: expected a mapping of columns"),
        (
            {"trial_type": {"HED": {"a": 3}}},
            r"events\.json: HED of the value 'a' of 'trial_type' is 3, expected a text",
        ),
        ({"other": {"HED": {"a": FOCAL}}}, r"events\.tsv, line 1: no column HED, and no column whose values have HED"),
        ({}, r"in a sidecar \(sub-01_task-sz_events\.json\); add the tags"),
    ],
)
def test_malformed_sidecars_are_refused(tmp_path, sidecar, message):
    root = write(tmp_path, ["5\t10\ta"], "onset\tduration\ttrial_type", beside=sidecar)
    with pytest.raises(InputError, match=message) as error:
        read(root)
    assert "\n" not in str(error.value)
