"""Seizure annotations: event tables in SzCORE or BIDS form."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from eegwf.errors import InputError

# Seconds: the largest gap or overlap of adjacent events that rounding to the microsecond can cause.
TOLERANCE = 1e-6
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
        Seconds.
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


def read_events(
    path: Path | str,
    duration: float,
    event_types: Sequence[str],
    ignored: Sequence[str] = (),
    notes: list[str] | None = None,
) -> list[Event]:
    """Read the events of a recording, sorted by onset and without overlap.

    Overlapping or adjacent events with the same label are merged. An event that exceeds the recording by less than a
    second is clipped at its end. Events of zero duration (BIDS uses them for instants) are dropped, because they cover
    no time.

    Parameters
    ----------
    path
        Tab-separated table with `onset`, `duration` (seconds) and `eventType` (SzCORE) or `trial_type` (BIDS).
    duration
        Length of the recording in seconds.
    event_types
        Permitted event types; each includes its subtypes.
    ignored
        Event types (and their subtypes) whose rows are skipped without reading their other cells.
    notes
        List to which a sentence is appended for each correction: a clipped event, an overlap, rows out of order.

    Returns
    -------
    list of Event

    Raises
    ------
    InputError
        If the file or a column is missing, a value is not a number, is negative or exceeds the recording by a second
        or more, a label is unknown, or two events with different labels overlap.

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
        if end > duration and end - duration >= MAX_EXCESS:
            raise InputError(
                f"{place}: the event ends at {end:g} s, but the recording is {duration:g} s long; correct the row, or "
                "check whether it belongs to another recording"
            )
        if end > duration + TOLERANCE:
            notes.append(f"event in line {line} cut by {end - duration:.3g} s, at the recording's end")
        onset, end = min(onset, duration), min(end, duration)
        if end > onset:
            events.append((onset, end, label, line))
    if any(before[0] > after[0] for before, after in pairwise(events)):
        notes.append("events sorted by onset")
    return _merged(events, path, notes)


def _merged(events: list[tuple[float, float, str, int]], path: Path | str, notes: list[str]) -> list[Event]:
    merged: list[tuple[float, float, str, int]] = []
    for onset, end, label, line in sorted(events):
        if merged:
            before_onset, before_end, before_label, before_line = merged[-1]
            if label == before_label and onset <= before_end + TOLERANCE:
                if onset < before_end - TOLERANCE:
                    notes.append(f"overlapping events of the same label in lines {before_line} and {line} merged")
                merged[-1] = (before_onset, max(before_end, end), label, before_line)
                continue
            if onset < before_end - TOLERANCE:
                raise InputError(
                    f"{path}, line {line}: {label!r} from {onset:g} s overlaps {before_label!r} until "
                    f"{before_end:g} s (line {before_line}); shorten one of the events, or add one of the labels to "
                    "dataset.ignored_events"
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
            f"{path}: no such file; every recording needs a table of events beside it (only the header line if the "
            "recording has no events)"
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
            f"{path}: no column {' and no '.join(missing)}; found {', '.join(header) or 'an empty file'}. Add it, "
            "and separate columns by tabs"
        )
    columns = [header.index(name) for name in ("onset", "duration", label)]
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) <= max(columns):
            raise InputError(
                f"{path}, line {number}: {len(cells)} cells, but the header has {len(header)}; separate cells by tabs"
            )
        onset, duration, event_type = (cells[column].strip() for column in columns)
        rows.append((number, onset, duration, event_type))
    return rows


def _seconds(text: str, name: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{place}: {name} is {text!r}, not a number of seconds; correct it, or remove the row")
    if value < 0:
        raise InputError(f"{place}: {name} is {text} s; it can't be negative (seconds from the recording's start)")
    return value
