"""Seizure annotations: event types, the rules of a data set, and the events of a recording."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from eegwf.config.data import RecordedDataset, Synthetic
from eegwf.data.annotations.event_maps import event_map_of
from eegwf.data.event_overlaps import ROUNDING, Span, resolve_overlaps
from eegwf.errors import InputError

BACKGROUND = "bckg"
SEIZURE = "sz"
# Entry of an event map for labels that have no entry.
OTHER_LABELS = "*"
# Seconds: annotations are often rounded up to the next whole second and may exceed the recording by less than this.
MAX_EXCESS = 1.0


@dataclass(frozen=True)
class Event:
    """An annotated interval of a recording.

    Attributes
    ----------
    onset
        Seconds from the start of the recording.
    duration
        Seconds; 0 if the end is unknown.
    label
        Event type.
    """

    onset: float
    duration: float
    label: str

    @property
    def end(self) -> float:
        """End in seconds from the start of the recording."""
        return self.onset + self.duration

    @property
    def is_open(self) -> bool:
        """Whether only the onset is annotated."""
        return self.duration == 0


def matches(entry: str, label: str) -> bool:
    """Whether an event type equals an entry or is a subtype of it.

    Parameters
    ----------
    entry
        Event type of the configuration; `sz` matches `sz` and `sz_foc_ia`, not `szx`.
    label
        Event type of an annotation.

    Returns
    -------
    bool
    """
    return label == entry or label.startswith(entry + "_")


def has_background(class_set: Mapping[str, Sequence[str]]) -> bool:
    """Whether the first class of a class set contains no seizures: no event type is `sz` or below it."""
    return not any(matches("sz", entry) for entry in next(iter(class_set.values())))


def classify(label: str, classes: Mapping[str, Sequence[str]]) -> str | None:
    """Find the class of an event type: the class with the longest entry that matches it.

    Parameters
    ----------
    label
        Event type, hierarchical as in SzCORE.
    classes
        Event types of each class.

    Returns
    -------
    str or None
        Name of the class; None if no entry matches.
    """
    candidates = [(len(entry), name) for name, entries in classes.items() for entry in entries if matches(entry, label)]
    return max(candidates, key=lambda pair: pair[0])[1] if candidates else None


@dataclass(frozen=True)
class Annotation:
    """An annotation as it is in a file.

    Attributes
    ----------
    place
        Place in the file, such as `line 3`.
    onset
        Seconds from the start of the recording.
    duration
        Seconds; 0 or None if the annotation has no length.
    label
        Event type.
    """

    place: str
    onset: float
    duration: float | None
    label: str


@dataclass(frozen=True)
class EventRules:
    """Rules by which the annotations of a data set are read.

    Attributes
    ----------
    event_types
        Permitted event types; each includes its subtypes.
    ignored
        Event types (and their subtypes) that are skipped.
    tolerance
        Seconds by which events of different types may overlap.
    on_open
        Treatment of seizures of no length: `error`, `unlabeled` or `ignore`.
    event_map
        Event types of labels in lower case; None ignores the label. Other labels are event types.
    """

    event_types: Sequence[str]
    ignored: Sequence[str] = ()
    tolerance: float = 0.05
    on_open: str = "error"
    event_map: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: RecordedDataset | Synthetic) -> "EventRules":
        """Rules of the configuration of a data set."""
        if isinstance(dataset, Synthetic):
            return cls(dataset.event_types)
        name = dataset.annotations.format if dataset.annotations else "events"
        event_map = event_map_of(name, dataset.event_map)
        return cls(
            dataset.event_types, dataset.ignored_events, dataset.event_tolerance, dataset.on_open_event, event_map
        )

    def mapped(self, label: str) -> str | None:
        """Event type of a label, whether it is permitted or not; None if the label is ignored."""
        kind = self.event_map.get(label.casefold(), label)
        if label.casefold() not in self.event_map and not any(matches(entry, label) for entry in self.event_types):
            kind = self.event_map.get(OTHER_LABELS, label)
        return None if kind is None or any(matches(entry, kind) for entry in self.ignored) else kind

    def event_type(self, label: str, place: str) -> str | None:
        """Permitted event type of a label.

        Parameters
        ----------
        label
            Label of an annotation.
        place
            File and place of the annotation, for the message.

        Returns
        -------
        str or None
            None if the label is ignored.

        Raises
        ------
        InputError
            If the event type is neither permitted nor ignored.
        """
        kind = self.mapped(label)
        if kind is not None and not any(matches(entry, kind) for entry in self.event_types):
            origin = "" if kind == label else f" (label {label!r})"
            raise InputError(
                f"{place}: unknown event type {kind!r}{origin}; known are {', '.join(self.event_types)}. Add it to "
                "dataset.event_types or to dataset.ignored_events, or map the label in dataset.event_map"
            )
        return kind

    def is_seizure(self, label: str) -> bool:
        """Whether an event type is a seizure: `sz` or a subtype; without such types, all but the background."""
        if any(matches(SEIZURE, entry) for entry in self.event_types):
            return matches(SEIZURE, label)
        return not matches(BACKGROUND, label)

    def priority(self, label: str) -> int:
        """Which of two events is shortened if they overlap slightly: the one of lower priority."""
        return 2 if self.is_seizure(label) else 0 if matches(BACKGROUND, label) else 1


def assemble_events(
    source: Path | str, annotations: Sequence[Annotation], duration: float, rules: EventRules, notes: list[str]
) -> list[Event]:
    """Convert the annotations of a recording to events that are sorted by onset and do not overlap.

    Overlapping or adjacent events with the same label are merged, and small overlaps of different labels are resolved
    in favor of the seizure. An event that exceeds the recording by less than a second is clipped at its end. Events of
    no length are dropped, except seizures with `on_open_event: unlabeled`.

    Parameters
    ----------
    source
        File of the annotations, for messages.
    annotations
        The annotations, in the order of the file.
    duration
        Length of the recording in seconds.
    rules
        Rules of the data set.
    notes
        List to which a sentence is appended for each correction: a clipped event, an overlap, rows out of order.

    Returns
    -------
    list of Event
        Events of no length may lie within others.

    Raises
    ------
    InputError
        If a label is unknown, an event exceeds the recording by a second or more, events with different labels overlap
        by more than the tolerance, or seizures have no length and `on_open_event` is `error`.
    """
    spans, instants = [], []
    for row in annotations:
        label = rules.event_type(row.label, f"{source}, {row.place}")
        if label is None:
            continue
        end = row.onset + (row.duration or 0.0)
        if end > duration and end - duration >= MAX_EXCESS:
            raise InputError(
                f"{source}, {row.place}: the event ends at {end:.10g} s, but the recording is {duration:.10g} s long; "
                "correct the row, or check whether it belongs to another recording"
            )
        span = Span(min(row.onset, duration), min(end, duration), label, row.place)
        if not row.duration:
            instants.append(span)
        elif row.onset >= duration:
            notes.append(f"event in {row.place} dropped: it begins at the recording's end")
        else:
            if end > duration + ROUNDING:
                notes.append(f"event in {row.place} cut by {end - duration:.3g} s, at the recording's end")
            spans.append(span)
    if any(before.onset > after.onset for before, after in pairwise(spans)):
        notes.append("events sorted by onset")
    resolved = resolve_overlaps(spans, rules.tolerance, rules.priority, str(source), notes)
    kept = _open_events(instants, resolved, rules, source, notes)
    events = [Event(span.onset, span.end - span.onset, span.label) for span in resolved]
    events += [Event(onset, 0.0, label) for onset, label in sorted({(span.onset, span.label) for span in kept})]
    return sorted(events, key=lambda event: event.onset)


def _open_events(
    instants: Sequence[Span], spans: Sequence[Span], rules: EventRules, source: Path | str, notes: list[str]
) -> list[Span]:
    """Annotations of no length that are kept; the others are noted, or refused. `spans` are sorted, without overlap."""
    remaining: dict[str, list[Span]] = {}
    onsets = [span.onset for span in spans]
    for instant in instants:
        following = bisect_right(onsets, instant.onset)
        for span in spans[max(following - 2, 0) : following]:
            if matches(instant.label, span.label) and span.onset <= instant.onset <= span.end:
                notes.append(f"event of no length in {instant.place} dropped: it is part of that in {span.place}")
                break
        else:
            remaining.setdefault(instant.label, []).append(instant)
    kept = []
    for label, events in remaining.items():
        number = f"{len(events)} event{'s' * (len(events) > 1)} of {label!r}"
        places = _listed([event.place for event in events])
        if not rules.is_seizure(label) or rules.on_open == "ignore":
            notes.append(f"{number} of no length dropped ({places})")
        elif rules.on_open == "error":
            raise InputError(
                f"{source}, {places}, column duration: {number} without a length (0, n/a or empty), so that the end "
                "of the seizure is unknown; write the duration in seconds, or set dataset.on_open_event to unlabeled "
                "(time after the onset is not background) or ignore"
            )
        else:
            notes.append(f"{number} of no length, the time after the onset unlabeled ({places})")
            kept += events
    return kept


def _listed(places: Sequence[str], limit: int = 8) -> str:
    """Places in a file, such as `lines 2, 3`."""
    if len(places) > 1 and all(place.startswith("line ") for place in places):
        places = [f"lines {places[0][5:]}", *(place[5:] for place in places[1:])]
    more = len(places) - limit
    return ", ".join(places[:limit]) + (f" and {more} more" if more > 0 else "")
