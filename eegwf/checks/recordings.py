"""Survey of a data set by the headers and events of its recordings."""

from collections import Counter
from dataclasses import dataclass, field

from eegwf.data.bids import Recording
from eegwf.data.events import EventRules
from eegwf.data.inspection import InspectedRecording, inspect_dataset
from eegwf.data.reading_settings import ReadingSettings
from eegwf.data.sample_inspection import inspect_samples, n_bytes
from eegwf.data.seizure_counts import SeizureCounts, count_seizures
from eegwf.data.signals.header import Header
from eegwf.data.start_times import compare_starts

# Size of recordings up to which a check reads their samples, which takes some seconds.
MAX_SAMPLE_BYTES = 64_000_000


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
    dropped
        Number of recordings in which a channel is in no derivation, by its name.
    notes
        Corrections of events, by name of the recording.
    problem
        Why the data set can't be used whatever recordings are excluded; empty if it can.
    unread_bytes
        Size of the recordings if their samples were not read, else 0.
    warnings, excluded
        Lines about samples and equal start times, and about recordings that are excluded also if bad recordings stop
        the run.
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
    dropped: Counter[str] = field(default_factory=Counter)
    notes: dict[str, list[str]] = field(default_factory=dict)
    problem: str = ""
    unread_bytes: int = 0
    warnings: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def seizures_by_type(self) -> dict[str, SeizureCounts]:
        """Numbers of seizures of each event type in the whole data set."""
        totals: dict[str, SeizureCounts] = {}
        for counts in self.seizures.values():
            for label, number in counts.items():
                totals[label] = totals.get(label, SeizureCounts()) + number
        return totals


def survey(reading: ReadingSettings, samples: bool | None = None) -> Survey:
    """Inspect a data set, and sum up its events and windows.

    Parameters
    ----------
    reading
        Data set and settings.
    samples
        Whether to read the samples; None if they are at most `MAX_SAMPLE_BYTES`.

    Returns
    -------
    Survey

    Raises
    ------
    InputError
        If the folder contains no recordings.
    """
    inspection = inspect_dataset(reading)
    size = n_bytes(inspection)
    if samples is None:
        samples = size <= MAX_SAMPLE_BYTES
    if samples:
        inspection = inspect_samples(inspection, reading)
    recordings = [item.recording for item in inspection.items]
    result = Survey(recordings, derivations=inspection.derivations, problem=inspection.fault)
    result.unread_bytes = 0 if samples else size
    result.ignored = list(inspection.ignored)
    result.faults = [item.fault for item in inspection.items if item.fault and not item.excluded_anyway]
    result.excluded = [item.fault for item in inspection.items if item.excluded_anyway]
    result.warnings = [line for item in inspection.items for line in item.warnings]
    result.warnings += compare_starts(inspection.usable, reading.patients).warnings
    if not inspection.fault:
        for item in inspection.usable:
            _add(item, reading, result)
    return result


def _add(item: InspectedRecording, reading: ReadingSettings, result: Survey) -> None:
    """Add a usable recording to the survey."""
    head, labels, name = item.head, item.labels, item.recording.recording
    assert head is not None and labels is not None
    patient = reading.patients.get(item.recording.patient, item.recording.patient)
    result.headers.append(head)
    result.patients.add(patient)
    result.dropped.update(item.dropped)
    result.seizures[name] = count_seizures(item.events, labels.carried, EventRules.of(reading.dataset))
    if item.notes:
        result.notes[name] = list(item.notes)
    rest = max(head.duration - sum(event.duration for event in item.events), 0.0)
    # Rounding of onsets and durations can make the rest differ from 0 by less than 1 ms.
    for label, seconds in [(event.label, event.duration) for event in item.events] + [("", rest)] * (rest > 1e-3):
        result.event_seconds[label] = result.event_seconds.get(label, 0) + seconds
        result.event_patients.setdefault(label, set()).add(patient)
    kept = [label for label in labels.label if label or reading.windows.borderline == "keep"]
    result.windows.update((patient, label) for label in kept)
