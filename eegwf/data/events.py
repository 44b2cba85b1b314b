"""Seizure annotations: tables of events in the SzCORE or BIDS form."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from eegwf.errors import InputError

TOUCHING = 1e-6  # seconds; what rounding to the microsecond may leave between or over two events
PAST_END = 1.0  # seconds; annotations are often rounded up to the next whole second


@dataclass(frozen=True)
class Event:
    """A stretch of a recording with one event type: onset and duration in seconds from its start."""

    onset: float
    duration: float
    label: str

    @property
    def end(self) -> float:
        """Seconds from the start of the recording."""
        return self.onset + self.duration


def matches(entry: str, label: str) -> bool:
    """Whether an event type is an entry or below it: `sz` matches `sz` and `sz_foc_ia`, not `szx`."""
    return label == entry or label.startswith(entry + "_")


def classify(label: str, classes: Mapping[str, Sequence[str]]) -> str | None:
    """Class whose longest entry matches an event type; None if no entry does.

    Parameters
    ----------
    label
        Event type, hierarchical as in SzCORE.
    classes
        Event types of each class.
    """
    found = [(len(entry), name) for name, entries in classes.items() for entry in entries if matches(entry, label)]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def read_events(
    path: Path | str,
    duration: float,
    event_types: Sequence[str],
    ignored: Sequence[str] = (),
    notes: list[str] | None = None,
) -> list[Event]:
    """Events of a recording, in order, with no overlap.

    Events of one label that overlap or touch are merged, an end past the recording's by less than a second is
    cut there, and events without length (BIDS writes moments so) are dropped, since they cover no time.

    Parameters
    ----------
    path
        Tab-separated table with `onset`, `duration` (seconds) and `eventType` (SzCORE) or `trial_type` (BIDS).
    duration
        Length of the recording in seconds.
    event_types
        Event types that may occur; each admits those below it.
    ignored
        Event types (and those below) whose rows are skipped, whatever else stands in them.
    notes
        Gets a sentence for each thing that was put right: an end that was cut, an overlap, rows out of order.

    Raises
    ------
    InputError
        If the file or a column is missing, a value is not a number, negative or far past the end, a label is
        unknown, or two labels overlap.

    References
    ----------
    Dan et al. (2024), SzCORE, Epilepsia; BIDS 1.10, "Task events".
    """
    notes = [] if notes is None else notes
    events = []
    for line, onset_text, duration_text, label in _rows(Path(path)):
        place = f"{path}, line {line}"
        if any(matches(entry, label) for entry in ignored):
            continue
        if not any(matches(entry, label) for entry in event_types):
            raise InputError(
                f"{place}: unknown event type {label!r}; known are {', '.join(event_types)}. Add it to "
                "dataset.event_types or to dataset.ignored_events"
            )
        onset = _seconds(onset_text, "onset", place)
        end = onset + _seconds(duration_text, "duration", place)
        if end > duration and end - duration >= PAST_END:
            raise InputError(
                f"{place}: the event ends at {end:g} s, but the recording is {duration:g} s long; mend the row, "
                "or see whether it belongs to another recording"
            )
        if end > duration + TOUCHING:
            notes.append(f"event in line {line} cut by {end - duration:.3g} s, at the recording's end")
        onset, end = min(onset, duration), min(end, duration)
        if end > onset:
            events.append((onset, end, label, line))
    if any(before[0] > after[0] for before, after in pairwise(events)):
        notes.append("events put in order of time")
    return _merged(events, path, notes)


def _merged(events: list[tuple[float, float, str, int]], path, notes: list[str]) -> list[Event]:
    merged: list[tuple[float, float, str, int]] = []
    for onset, end, label, line in sorted(events):
        if merged:
            before_onset, before_end, before_label, before_line = merged[-1]
            if label == before_label and onset <= before_end + TOUCHING:
                if onset < before_end - TOUCHING:
                    notes.append(f"events in lines {before_line} and {line} overlap with one label and were joined")
                merged[-1] = (before_onset, max(before_end, end), label, before_line)
                continue
            if onset < before_end - TOUCHING:
                raise InputError(
                    f"{path}, line {line}: {label!r} from {onset:g} s overlaps {before_label!r} until "
                    f"{before_end:g} s (line {before_line}); end one where the other begins, or name one of them "
                    "in dataset.ignored_events"
                )
            onset = max(onset, before_end)
        if end > onset:
            merged.append((onset, end, label, line))
    return [Event(onset, end - onset, label) for onset, end, label, _ in merged]


def _rows(path: Path) -> list[tuple[int, str, str, str]]:
    """Line number, onset, duration and label of each row, as text."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; every recording needs its events beside it (a table of the header alone says "
            "that there are none)"
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a tab-separated table in UTF-8 ({error})") from None
    header = [name.strip() for name in lines[0]] if lines else []
    label = "eventType" if "eventType" in header else "trial_type"
    missing = [name for name in ("onset", "duration") if name not in header]
    if label not in header:
        missing.append("eventType (or trial_type)")
    if missing:
        raise InputError(
            f"{path}: no column {' and no '.join(missing)}; found {', '.join(header) or 'an empty file'}. Write it, "
            "and separate columns by tabs"
        )
    places = [header.index(name) for name in ("onset", "duration", label)]
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) <= max(places):
            raise InputError(
                f"{path}, line {number}: {len(line)} cells where the header has {len(header)}; separate cells by tabs"
            )
        rows.append((number, *(line[place].strip() for place in places)))
    return rows


def _seconds(text: str, name: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{place}: {name} is {text!r}, not a number of seconds; write it, or remove the row")
    if value < 0:
        raise InputError(f"{place}: {name} is {text} s; it can't be negative (seconds from the recording's start)")
    return value
