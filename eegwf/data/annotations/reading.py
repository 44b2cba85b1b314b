"""Events of a recording, from annotations of any format."""

from collections.abc import Sequence

from eegwf.data.annotations.chbmit import read_chbmit
from eegwf.data.annotations.edf_plus import read_edf_annotations
from eegwf.data.annotations.hed import read_hed
from eegwf.data.annotations.helsinki import read_helsinki
from eegwf.data.annotations.siena import read_siena
from eegwf.data.annotations.tse import read_tse
from eegwf.data.annotations.tusz import read_tusz
from eegwf.data.bids import Recording
from eegwf.data.event_tables import read_events
from eegwf.data.events import Annotation, Event, EventRules, assemble_events


def recording_events(recording: Recording, duration: float, rules: EventRules, notes: list[str]) -> list[Event]:
    """Read the events of a recording.

    Parameters
    ----------
    recording
        The recording.
    duration
        Length of the recording in seconds.
    rules
        Rules of the data set.
    notes
        List to which a sentence is appended for each correction.

    Returns
    -------
    list of Event
        As from `assemble_events`.

    Raises
    ------
    InputError
        If the annotations are missing or not valid, or `assemble_events` refuses them.
    """
    if recording.format == "events":
        return read_events(recording.events_path, duration, rules, notes)
    annotations = _annotations(recording, duration, rules, notes)
    return assemble_events(recording.events_path, annotations, duration, rules, notes)


def _annotations(recording: Recording, duration: float, rules: EventRules, notes: list[str]) -> Sequence[Annotation]:
    path = recording.events_path
    if recording.format == "tusz":
        return read_tusz(path, rules.mapped)
    if recording.format == "edf":
        return read_edf_annotations(path, rules.mapped, notes)
    if recording.format == "siena":
        return read_siena(path, recording.path, notes)
    if recording.format == "helsinki":
        return read_helsinki(path, recording.path, duration, notes)
    if recording.format == "hed":
        return read_hed(path, recording.sidecars, rules.event_map, notes)
    if recording.format == "tse":
        return read_tse(path)
    return read_chbmit(path, recording.path)
