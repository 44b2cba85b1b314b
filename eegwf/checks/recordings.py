"""Recordings of a BIDS data set, by their headers and events: what a study would read of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from eegwf.data.bids import Recording, find_recordings
from eegwf.data.dataset import Reading
from eegwf.data.events import read_events
from eegwf.data.signals.filters import Resampling, kernel
from eegwf.data.signals.header import Header, header
from eegwf.data.signals.montage import derive
from eegwf.data.signals.recorded import Scan
from eegwf.data.signals.signal import common_derivations
from eegwf.data.windows import label_windows, window_starts
from eegwf.errors import InputError
from eegwf.progress import Progress


@dataclass
class Survey:
    """What the headers and events of a data set say.

    Attributes
    ----------
    recordings
        All of them.
    heads
        Headers of those that can be used, in the same order.
    patients
        Patients who have such a recording.
    derivations
        Channels of the study.
    seconds, holders
        Of each event type: how long, and the patients who have it. The empty type is time without an event.
    windows
        Number of windows of each (patient, label); the empty label is a borderline window.
    faults
        What is wrong with the others, a line each.
    """

    recordings: list[Recording]
    heads: list[Header] = field(default_factory=list)
    patients: set[str] = field(default_factory=set)
    derivations: list[str] = field(default_factory=list)
    seconds: Counter[str] = field(default_factory=Counter)
    holders: dict[str, set[str]] = field(default_factory=dict)
    windows: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def survey(reading: Reading) -> Survey:
    """Look at every recording; no samples are read.

    Raises
    ------
    InputError
        If the folder holds no recordings, or their names or tables of events are not in order.
    """
    found = Survey(find_recordings(reading.root))
    progress = Progress("looking at headers and events", len(found.recordings))
    readable: list[tuple[Recording, Header]] = []
    for recording in found.recordings:
        try:
            readable.append((recording, header(recording.path)))
        except InputError as error:
            found.faults.append(str(error))
        progress.step(recording.recording)
    found.derivations = _derivations([head for _, head in readable], reading)
    for recording, head in readable:
        try:
            _look(recording, head, reading, found)
        except InputError as error:
            found.faults.append(str(error))
    return found


def _derivations(heads: Sequence[Header], reading: Reading) -> list[str]:
    """Channels of the study, as far as recordings agree; which of them doesn't is found one by one."""
    signals = reading.signals
    if signals.missing == "exclude":
        return common_derivations(heads, signals) if heads else []
    for head in heads:
        try:
            return common_derivations([head], signals)
        except InputError:
            continue
    return []


def _look(recording: Recording, head: Header, reading: Reading, found: Survey) -> None:
    """Count what a recording brings; raises before anything is counted if it can't be used."""
    signals, dataset = reading.signals, reading.dataset
    group = [*found.heads[:1], head] if signals.montage == "as recorded" else [head]
    if signals.missing != "exclude":
        common_derivations(group, signals)
    derived = derive(head.channels, signals.montage, found.derivations, signals.missing == "interpolate")
    # What the header alone tells of the channels that are used: their units, and names that stand twice.
    Scan(head, frozenset(), {}, {}).check(np.flatnonzero(np.any(derived.matrix != 0, axis=0)))
    try:
        kernel(head.sfreq, signals.l_freq, signals.h_freq, tuple(signals.notch))
    except ValueError as error:
        raise InputError(
            f"{head.path}: signals.l_freq, h_freq or notch don't fit a recording of {head.sfreq:g} Hz "
            f"({' '.join(str(error).split())})"
        ) from None
    ignored = getattr(dataset, "ignored_events", [])
    events = read_events(recording.events_path, head.duration, dataset.event_types, ignored)
    sfreq = head.sfreq if signals.sfreq == "as recorded" else float(signals.sfreq)
    n_times = Resampling.between(head.sfreq, sfreq).n_times(head.n_times)
    length, step = round(reading.windows.length * sfreq), max(round(reading.windows.step * sfreq), 1)
    starts = window_starts(n_times, length, step)
    labels = label_windows(starts, sfreq, events, reading.windows, dataset.unannotated).label

    patient = reading.patients.get(recording.patient, recording.patient)
    found.heads.append(head)
    found.patients.add(patient)
    rest = max(head.duration - sum(event.duration for event in events), 0.0)
    for name, seconds in [(event.label, event.duration) for event in events] + [("", rest)] * (rest > 1e-3):
        found.seconds[name] += seconds
        found.holders.setdefault(name, set()).add(patient)
    found.windows.update((patient, label) for label in labels if label or reading.windows.borderline == "keep")
