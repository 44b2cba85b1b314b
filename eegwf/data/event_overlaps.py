"""Overlaps of events: merged, resolved if rounding can have caused them, otherwise refused."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from eegwf.errors import InputError

# Seconds: the largest gap or overlap of adjacent events that floating point and rounding to the microsecond can cause.
ROUNDING = 1e-6
# Seconds: the largest value of `dataset.event_tolerance`.
MAX_TOLERANCE = 1.0


@dataclass(frozen=True)
class Span:
    """An annotated interval.

    Attributes
    ----------
    onset, end
        Seconds from the start of the recording.
    label
        Event type.
    place
        Place in the file of annotations, such as `line 3`.
    """

    onset: float
    end: float
    label: str
    place: str


def resolve_overlaps(
    spans: Sequence[Span], tolerance: float, priority: Callable[[str], int], source: str, notes: list[str]
) -> list[Span]:
    """Merge spans of the same label, and separate spans of different labels that overlap slightly.

    Of two spans of different labels, the one of lower priority is shortened, if that removes at most `tolerance`
    seconds of it; of two spans of equal priority, the later one. A span of lower priority of which nothing is left is
    dropped.

    Parameters
    ----------
    spans
        Intervals of a recording, in any order.
    tolerance
        Maximum number of seconds that may be removed from a span.
    priority
        Priority of a label; seizures have the highest.
    source
        File of annotations, for the message.
    notes
        List to which a sentence is appended for each correction.

    Returns
    -------
    list of Span
        Sorted by onset and without overlap.

    Raises
    ------
    InputError
        If spans of different labels overlap by more.
    """
    resolved: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.onset, span.end, span.label, span.place)):
        current: Span | None = span
        while resolved and current is not None and current.onset <= resolved[-1].end + ROUNDING:
            before = resolved.pop()
            if before.label == current.label:
                if current.onset < before.end - ROUNDING:
                    notes.append(f"overlapping events of the same label in {_pair(before, current)} merged")
                current = replace(before, end=max(before.end, current.end))
            elif current.onset >= before.end - ROUNDING:
                resolved.append(before)
                current = replace(current, onset=max(current.onset, before.end))
                break
            else:
                shortened, current = _separate(before, current, tolerance, priority, source, notes)
                if shortened is not None:
                    resolved.append(shortened)
                    break
        if current is not None and current.end > current.onset:
            resolved.append(current)
    return resolved


def _separate(
    before: Span, after: Span, tolerance: float, priority: Callable[[str], int], source: str, notes: list[str]
) -> tuple[Span | None, Span | None]:
    """The two spans without their overlap; None for a span of which nothing is left."""
    excess = before.end - after.onset
    overlap = min(before.end, after.end) - after.onset
    difference = priority(after.label) - priority(before.label)
    # What rounding causes is known to the precision of floating point only: 20.01 - 20 is more than 0.01.
    limit = tolerance + 1e-9
    inside = after.end <= before.end + ROUNDING
    if excess <= limit and difference > 0 and before.onset < after.onset - ROUNDING:
        notes.append(_note(before, before, after, overlap, "shortened"))
        return replace(before, end=after.onset), after
    if excess <= limit and difference > 0:
        notes.append(_note(before, before, after, overlap, "dropped"))
        return None, after
    if overlap <= limit and difference <= 0 and not inside:
        notes.append(_note(after, before, after, overlap, "shortened"))
        return before, replace(after, onset=before.end)
    # Of two seizures, the one within the other is dropped, so that no time of a seizure is lost.
    if overlap <= limit and (difference < 0 or (difference == 0 and excess <= limit)):
        notes.append(_note(after, before, after, overlap, "dropped"))
        return before, None
    needed = excess if difference > 0 else overlap if not inside else math.inf
    more = f", or increase dataset.event_tolerance ({tolerance:g} s)" if needed <= MAX_TOLERANCE else ""
    raise InputError(
        f"{source}, {after.place}: {after.label!r} from {after.onset:.10g} s overlaps {before.label!r} until "
        f"{before.end:.10g} s ({before.place}); shorten one of the events, or add one of the labels to "
        f"dataset.ignored_events{more}"
    )


def _note(changed: Span, before: Span, after: Span, overlap: float, change: str) -> str:
    return f"events in {_pair(before, after)} overlapped by {overlap:.3g} s, {changed.label!r} {change}"


def _pair(before: Span, after: Span) -> str:
    """Places of two spans, such as `lines 2 and 3`."""
    places = f"{before.place} and {after.place}"
    return f"lines {places[5:].replace('line ', '')}" if places.count("line ") == 2 else places
