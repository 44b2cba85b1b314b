"""Inspection of a data set by its headers and events, for `eegwf check` and before its samples are read."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from eegwf.config.data import Signals
from eegwf.data.annotations.reading import recording_events
from eegwf.data.bids import Recording, discover
from eegwf.data.events import Event, EventRules
from eegwf.data.reading_settings import ReadingSettings
from eegwf.data.signals.derivations import (
    common_derivations,
    differing_channels,
    project,
    study_derivations,
    unused_channels,
)
from eegwf.data.signals.filters import check_filters
from eegwf.data.signals.header import Header, header
from eegwf.data.signals.montage import recorded_names
from eegwf.data.windows import WindowLabels, label_windows, recording_starts
from eegwf.errors import InputError
from eegwf.progress import Progress


@dataclass(frozen=True)
class InspectedRecording:
    """A recording, its header and events, or why it can't be used.

    Attributes
    ----------
    recording
        Its name, patient and files.
    fault
        Why it can't be used, one line; empty if it can, as far as its header and events tell.
    head
        Its header; None if it can't be read.
    events
        Its events.
    labels
        Labels of all windows of its length.
    notes
        Corrections of its events.
    dropped
        Names in the file of the channels that no derivation contains.
    warnings
        Remarks about its samples.
    excluded_anyway
        Whether it is excluded also if bad recordings stop the run (`signals.flat: exclude`).
    """

    recording: Recording
    fault: str = ""
    head: Header | None = None
    events: Sequence[Event] = ()
    labels: WindowLabels | None = None
    notes: Sequence[str] = ()
    dropped: Sequence[str] = ()
    warnings: Sequence[str] = ()
    excluded_anyway: bool = False


@dataclass(frozen=True)
class Inspection:
    """Recordings of a data set, in the order of `discover`.

    Attributes
    ----------
    items
        All recordings, usable or not.
    derivations
        Derivations of the study; empty if no recording has them.
    requested
        The derivations if they depend on the recordings; None if the montage defines them.
    fault
        Why the data set can't be used whatever recordings are excluded; empty if it can.
    ignored
        Lines about folders of patients and recordings that are not read.
    """

    items: Sequence[InspectedRecording]
    derivations: list[str] = field(default_factory=list)
    requested: list[str] | None = None
    fault: str = ""
    ignored: Sequence[str] = ()

    @property
    def usable(self) -> list[InspectedRecording]:
        """Recordings without a fault."""
        return [item for item in self.items if not item.fault]

    @property
    def faults(self) -> dict[str, str]:
        """Faults by the name of the recording."""
        return {item.recording.recording: item.fault for item in self.items if item.fault}

    def refuse_faults(self, signals: Signals) -> None:
        """Raise an InputError with all faults, one line each, unless the recordings are to be excluded."""
        if self.fault:
            raise InputError(self.fault)
        if self.faults and signals.on_bad_recording == "stop":
            raise InputError("\n       ".join(self.faults.values()))

    def refuse_unfit(self, root: Path) -> None:
        """Raise an InputError of one line if no recording of an external data set has what the study needs."""
        if not self.fault and not self.usable:
            reason = next(iter(self.faults.values()))
            raise InputError(
                f"{root}: none of {len(self.items)} recordings can be read as those of the study; the first: {reason}"
            )


def inspect_dataset(reading: ReadingSettings) -> Inspection:
    """Read the headers and events of all recordings, but no samples.

    Parameters
    ----------
    reading
        Data set and settings.

    Returns
    -------
    Inspection
        Every recording, with the first fault that was found.

    Raises
    ------
    InputError
        If the folder contains no recordings.
    """
    found = discover(reading.root, reading.annotations, reading.layout, reading.exclude)
    progress = Progress(f"headers and events of {reading.root}", len(found.usable))
    items = []
    for recording in found.recordings:
        item = InspectedRecording(recording, found.faults.get(recording.recording, ""))
        if not item.fault:
            try:
                item = replace(item, head=header(recording.path, reading.channels))
            except InputError as error:
                item = replace(item, fault=str(error))
            progress.step(recording.recording)
        items.append(item)
    heads = [item.head for item in items if item.head]
    fault = _filter_fault(heads, reading.signals)
    requested: list[str] | None = None
    try:
        if not fault:
            _check_rates(heads, reading.signals)
        requested = _requested(heads, reading)
        derivations = requested or study_derivations(heads, reading.signals)
    except InputError as error:
        fault, derivations = fault or str(error), []
    reference = _most_frequent(heads, recorded_set)
    rate = _most_frequent(heads, lambda head: head.sfreq)
    inspected = []
    for item in items:
        if item.head and not fault:
            try:
                _compare(item.head, reference, rate, reading)
                item = _with_events(item, item.head, requested, reading)
            except InputError as error:
                item = replace(item, fault=str(error))
        inspected.append(item)
    return Inspection(inspected, list(derivations), requested, fault, found.ignored)


def recorded_set(head: Header) -> frozenset[str]:
    """Names of the EEG channels of a recording."""
    return frozenset(recorded_names(head.channels))


def _most_frequent(heads: Sequence[Header], key: Callable[[Header], Hashable]) -> Header | None:
    """The first recording with the most frequent value, of the recordings that have EEG channels."""
    heads = [head for head in heads if head.eeg]
    if not heads:
        return None
    counts = Counter(map(key, heads))
    return max(heads, key=lambda head: counts[key(head)])


def _requested(heads: Sequence[Header], reading: ReadingSettings) -> list[str] | None:
    """Derivations of the study if they depend on the recordings or are given; None if the montage defines them."""
    signals = reading.signals
    if reading.derivations is not None:
        return list(reading.derivations)
    if signals.missing == "exclude":
        return common_derivations(heads, signals) if heads else None
    if signals.montage != "as recorded":
        return None
    reference = _most_frequent(heads, recorded_set)
    return recorded_names(reference.channels) if reference else None


def _check_rates(heads: Sequence[Header], signals: Signals) -> None:
    """Refuse different rates with `sfreq: as recorded`, unless the rarer ones are to be excluded."""
    rates = {head.sfreq: head.path for head in reversed(heads)}
    if signals.sfreq == "as recorded" and len(rates) > 1 and signals.on_bad_recording == "stop":
        examples = ", ".join(f"{path}: {rate:g} Hz" for rate, path in sorted(rates.items()))
        raise InputError(f"signals.sfreq: 'as recorded', but the rates differ ({examples}); set one rate in Hz")


def _filter_fault(heads: Sequence[Header], signals: Signals) -> str:
    """Why the filters fit no recording, one line; empty if they fit one."""
    faults = {}
    for head in heads:
        if head.sfreq not in faults:
            try:
                check_filters(head.sfreq, signals, head.path)
                return ""
            except InputError as error:
                faults[head.sfreq] = str(error)
    return next(iter(faults.values()), "")


def _compare(head: Header, reference: Header | None, rate: Header | None, reading: ReadingSettings) -> None:
    """Refuse a recording whose channels or rate differ from those of most recordings, where that matters."""
    signals = reading.signals
    if signals.sfreq == "as recorded" and rate is not None and head.sfreq != rate.sfreq:
        raise InputError(
            f"{head.path}: {head.sfreq:g} Hz, but most recordings have {rate.sfreq:g} Hz ({rate.path}), and "
            "signals.sfreq is 'as recorded'; set one rate in Hz"
        )
    equal = signals.montage == "as recorded" and signals.missing != "exclude" and reading.derivations is None
    if equal and reference is not None and head.eeg and recorded_set(head) != recorded_set(reference):
        raise InputError(differing_channels(reference, head))


def _with_events(
    item: InspectedRecording, head: Header, derivations: Sequence[str] | None, reading: ReadingSettings
) -> InspectedRecording:
    """Add the events and the labels of the windows of a recording.

    Raises
    ------
    InputError
        If it can't be used.
    """
    signals, windows = reading.signals, reading.windows
    check_filters(head.sfreq, signals, head.path)
    dropped = unused_channels(head, project(head, signals, derivations))
    starts = recording_starts(head, signals, windows)
    if not len(starts) and signals.on_bad_recording == "exclude":
        longest = max(map(len, head.stretches)) / head.sfreq
        between = " between its gaps" * (len(head.stretches) > 1)
        raise InputError(f"{head.path}: {longest:g} s{between}, shorter than a window of {windows.length:g} s")
    notes: list[str] = []
    sfreq = signals.target_sfreq(head.sfreq)
    events, labels = label_recording(item.recording, head.span, starts, sfreq, reading, notes)
    return replace(item, events=events, labels=labels, notes=notes, dropped=dropped)


def label_recording(
    recording: Recording, span: float, starts: np.ndarray, sfreq: float, reading: ReadingSettings, notes: list[str]
) -> tuple[list[Event], WindowLabels]:
    """Read the events of a recording, and label its windows.

    Parameters
    ----------
    recording
        The recording.
    span
        Seconds from its first sample to the end of its last one.
    starts, sfreq
        First sample of each window, and the sampling rate in Hz, after resampling.
    reading
        Settings.
    notes
        List to which corrections of the events are appended.

    Returns
    -------
    events
        Its events.
    labels
        Labels of the windows.

    Raises
    ------
    InputError
        If the events are not valid.
    """
    rules = EventRules.of(reading.dataset)
    events = recording_events(recording, span, rules, notes)
    unannotated = reading.dataset.unannotated
    return events, label_windows(starts, sfreq, events, reading.windows, unannotated, rules.event_types)
