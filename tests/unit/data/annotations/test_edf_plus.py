"""Annotations in EDF+ and BDF+ files."""

import numpy as np
import pytest
from edfio import Bdf, BdfSignal, Edf, EdfAnnotation, EdfSignal

from eegwf.config.data import Annotations, Bids
from eegwf.data.annotations.reading import recording_events
from eegwf.data.bids import Recording, data_files, discover
from eegwf.data.events import Event, EventRules
from eegwf.errors import InputError

EDF = Annotations(format="edf")
GIVEN = [
    EdfAnnotation(2.5, None, "Eyes open"),
    EdfAnnotation(4.25, 6.0, "Seizure"),
    EdfAnnotation(15.0, 2.0, "sz_foc"),
    EdfAnnotation(17.0, None, "Augen zu: \u00fc"),
]
ONLY_SEIZURES = {"seizure": "sz", "*": None}


def write(folder, annotations=GIVEN, suffix=".edf"):
    path = folder / "sub-01/eeg" / f"sub-01_eeg{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    file_class, signal_class = (Edf, EdfSignal) if suffix == ".edf" else (Bdf, BdfSignal)
    signal = signal_class(np.linspace(-50, 50, 64 * 20), 64, label="Fp1", physical_dimension="uV")
    file_class([signal], annotations=annotations, data_record_duration=1).write(path)
    return path


def read(path, event_map, notes=None, **settings):
    dataset = Bids(kind="bids", root="x", event_types=["bckg", "sz"], annotations=EDF, event_map=event_map, **settings)
    recording = Recording("sub-01", "sub-01", path, path, "edf")
    return recording_events(recording, 20.0, EventRules.of(dataset), [] if notes is None else notes)


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
def test_annotations_are_read(tmp_path, suffix):
    path, notes = write(tmp_path, suffix=suffix), []
    assert read(path, ONLY_SEIZURES, notes) == [Event(4.25, 6, "sz"), Event(15, 2, "sz_foc")]
    assert notes == ["2 annotations ignored ('Augen zu: \u00fc', 'Eyes open')"]
    (recording,) = discover(tmp_path, EDF).usable
    assert recording.events_path == path and recording.annotation_files == ()
    assert list(data_files(tmp_path, EDF)) == [path]


def test_onsets_are_relative_to_the_first_sample(tmp_path):
    """The first data record begins a quarter of a second after the start of the file."""
    path = write(tmp_path, GIVEN[1:2])
    content = path.read_bytes()
    assert content.count(b"+0\x14\x14\0") == 1
    path.write_bytes(content.replace(b"+0\x14\x14\0\0\0\0", b"+0.25\x14\x14\0", 1))
    assert read(path, ONLY_SEIZURES) == [Event(4, 6, "sz")]


def test_several_texts_and_a_file_without_annotations(tmp_path):
    path = write(tmp_path, GIVEN[1:2])
    path.write_bytes(path.read_bytes().replace(b"\x14Seizure\x14", b"\x14Sz\x14Left\x14"))
    assert read(path, {"SZ": "sz", "left": None}) == [Event(4.25, 6, "sz")]
    assert read(write(tmp_path, []), {}) == []


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (b"+4.25\x15", b"x4.25\x15", r"data record \d+: annotation \d is b'x4.25.*', expected an onset with its sign"),
        (b"+4.25\x15", b"+4,25\x15", r"data record \d+: annotation \d is b'\+4,25"),
        (b"Seizure\x14", b"SeizureX", r"data record \d+: annotation \d is .*, expected an onset"),
        (b"+4.25\x15", b"-4.25\x15", r"data record \d+: annotation 'Seizure' is at -4.25 s, before the first sample"),
        (b"Seizure", b"Anfall\x14", r"data record \d+: unknown event type 'Anfall'; .*dataset.event_map"),
        (b"\x156", b"\x150", r"data record \d+, column duration: 1 event of 'sz' without a length"),
        (b"EDF Annotations", b"EDF annotations", "no annotation signal, which dataset.annotations.format edf requires"),
    ],
)
def test_malformed_annotations_are_refused(tmp_path, before, after, message):
    path = write(tmp_path, GIVEN[1:2])
    path.write_bytes(path.read_bytes().replace(before, after))
    with pytest.raises(InputError, match=message) as error:
        read(path, {"seizure": "sz"})
    assert str(error.value).startswith(str(path)) and "\n" not in str(error.value)


def test_an_annotation_that_ends_after_the_recording_is_refused(tmp_path):
    path = write(tmp_path, [EdfAnnotation(4.25, 60.0, "Seizure")])
    with pytest.raises(InputError, match=r"data record \d+: the event ends at 64.25 s, but the recording is 20 s long"):
        read(path, {"seizure": "sz"})


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="not an EDF\\+ or BDF\\+ file"):
        read(tmp_path / "sub-01_eeg.vhdr", {})


def test_other_labels(tmp_path):
    """`*` is for labels without an entry that are no event type."""
    rules = EventRules(["bckg", "sz"], event_map={"a": "sz_foc", "*": None})
    labels = ["A", "sz", "sz_gen", "szx", "x"]
    assert [rules.mapped(label) for label in labels] == ["sz_foc", "sz", "sz_gen", None, None]
    assert EventRules(["bckg", "sz"], event_map={"*": "bckg"}).mapped("x") == "bckg"
