"""Survey of a BIDS data set by the headers and events of its recordings."""

from collections import Counter
from dataclasses import dataclass, field

from eegwf.data.annotations.reading import recording_events
from eegwf.data.bids import Recording, discover
from eegwf.data.dataset import ReadingSettings
from eegwf.data.events import EventRules
from eegwf.data.seizure_counts import SeizureCounts, count_seizures
from eegwf.data.signals.filters import kernel
from eegwf.data.signals.header import Header, header
from eegwf.data.signals.signal import common_derivations, project, study_derivations
from eegwf.data.windows import label_windows, recording_starts
from eegwf.errors import InputError
from eegwf.progress import Progress


@dataclass
class Survey:
    """Contents of a data set according to its headers and events.

    Attributes
    ----------
    recordings
        All recordings.
    headers
        Headers of the usable recordings, in the same order.
    patients
        Patients with a usable recording.
    derivations
        Channels of the study.
    event_seconds, event_patients
        Total duration in seconds of each event type, and the patients who have it. The empty event type is time without
        an event.
    windows
        Number of windows of each (patient, label); the empty label is that of borderline windows.
    seizures
        Numbers of seizures by name of the recording and event type.
    notes
        Corrections of events, by name of the recording.
    faults
        One line for each recording that is not usable.
    ignored
        Lines about folders of patients and recordings that are not read.
    """

    recordings: list[Recording]
    headers: list[Header] = field(default_factory=list)
    patients: set[str] = field(default_factory=set)
    derivations: list[str] = field(default_factory=list)
    event_seconds: dict[str, float] = field(default_factory=dict)
    event_patients: dict[str, set[str]] = field(default_factory=dict)
    windows: Counter[tuple[str, str]] = field(default_factory=Counter)
    seizures: dict[str, dict[str, SeizureCounts]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def seizures_by_type(self) -> dict[str, SeizureCounts]:
        """Numbers of seizures of each event type in the whole data set."""
        totals: dict[str, SeizureCounts] = {}
        for counts in self.seizures.values():
            for label, number in counts.items():
                totals[label] = totals.get(label, SeizureCounts()) + number
        return totals


def survey(reading: ReadingSettings) -> Survey:
    """Read the headers and events of all recordings, but no samples.

    Raises
    ------
    InputError
        If the folder contains no recordings.
    """
    found = discover(reading.root, reading.annotations)
    result = Survey(list(found.recordings), faults=list(found.faults.values()), ignored=list(found.ignored))
    progress = Progress("reading headers and events", len(found.usable))
    readable: list[tuple[Recording, Header]] = []
    for recording in found.usable:
        try:
            readable.append((recording, header(recording.path)))
        except InputError as error:
            result.faults.append(str(error))
        progress.step(recording.recording)
    result.derivations = study_derivations([head for _, head in readable], reading.signals)
    for recording, head in readable:
        try:
            _add(recording, head, reading, result)
        except InputError as error:
            result.faults.append(str(error))
    return result


def _add(recording: Recording, head: Header, reading: ReadingSettings, result: Survey) -> None:
    """Add a recording to the survey; raises InputError, and adds nothing, if it is not usable."""
    signals, dataset = reading.signals, reading.dataset
    group = [*result.headers[:1], head] if signals.montage == "as recorded" else [head]
    if signals.missing != "exclude":
        common_derivations(group, signals)
    project(head, signals, result.derivations)
    try:
        kernel(head.sfreq, signals.l_freq, signals.h_freq, tuple(signals.notch))
    except ValueError as error:
        raise InputError(
            f"{head.path}: signals.l_freq, h_freq or notch don't fit a recording of {head.sfreq:g} Hz "
            f"({' '.join(str(error).split())})"
        ) from None
    rules = EventRules.of(dataset)
    notes: list[str] = []
    events = recording_events(recording, head.duration, rules, notes)
    sfreq = signals.target_sfreq(head.sfreq)
    starts = recording_starts(head, signals, reading.windows)
    labeled = label_windows(starts, sfreq, events, reading.windows, dataset.unannotated, rules.event_types)

    patient = reading.patients.get(recording.patient, recording.patient)
    result.headers.append(head)
    result.patients.add(patient)
    result.seizures[recording.recording] = count_seizures(events, labeled.carried, rules)
    if notes:
        result.notes[recording.recording] = notes
    rest = max(head.duration - sum(event.duration for event in events), 0.0)
    # Rounding of onsets and durations can make the rest differ from 0 by less than 1 ms.
    for name, seconds in [(event.label, event.duration) for event in events] + [("", rest)] * (rest > 1e-3):
        result.event_seconds[name] = result.event_seconds.get(name, 0) + seconds
        result.event_patients.setdefault(name, set()).add(patient)
    result.windows.update((patient, label) for label in labeled.label if label or reading.windows.borderline == "keep")
