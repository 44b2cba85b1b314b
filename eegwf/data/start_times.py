"""Recordings of different patients with the same start and length in their headers, which may be of one person."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations

from eegwf.data.inspection import InspectedRecording
from eegwf.data.signals.header import Header

# Start date and time in the header of EDF and BDF files: dd.mm.yyhh.mm.ss. The years are 1985 to 2084.
EDF_FIELD = slice(168, 184)
EDF_START = re.compile(rb"(\d\d)\D(\d\d)\D(\d\d)(\d\d)\D(\d\d)\D(\d\d)")
FIRST_YEAR = 85
# Seconds by which the lengths of two exports may differ, as programs fill up the last second.
MAX_DIFFERENCE = 1.0
# Patients with the same start, from which on it is taken for the default of a device or program.
MANY = 3


@dataclass(frozen=True)
class SameStarts:
    """Recordings of different patients with the same start and length; dates and times are never part of it.

    Attributes
    ----------
    notes
        Remark about each of these recordings, by its name.
    warnings
        One line for each pair of patients.
    """

    notes: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def compare_starts(items: Sequence[InspectedRecording], patients: Mapping[str, str]) -> SameStarts:
    """Find recordings of different patients that began in the same second and have the same length.

    Parameters
    ----------
    items
        Recordings with headers.
    patients
        Id of the patient for each further id of the same person.

    Returns
    -------
    SameStarts
        Without starts that are no evidence: of three or more patients, and those of `recorded_start`.
    """
    names = {item.recording.recording: patients.get(item.recording.patient, item.recording.patient) for item in items}
    begun: dict[datetime, list[InspectedRecording]] = {}
    for item in items:
        start = recorded_start(item.head) if item.head else None
        if start is not None:
            begun.setdefault(start, []).append(item)
    notes: dict[str, str] = {}
    pairs: dict[tuple[str, str], list[str]] = {}
    for same in begun.values():
        if len({names[item.recording.recording] for item in same}) >= MANY:
            continue
        for first, second in combinations(same, 2):
            one, other = (item.recording.recording for item in (first, second))
            if names[one] == names[other] or not _equal_lengths(first.head, second.head):
                continue
            notes.setdefault(one, f"same start and length as {other} of another patient")
            notes.setdefault(other, f"same start and length as {one} of another patient")
            earlier, later = sorted([one, other], key=lambda name: names[name])
            pairs.setdefault((names[earlier], names[later]), []).append(f"{earlier} and {later}")
    return SameStarts(notes, tuple(_line(*pair, found) for pair, found in sorted(pairs.items())))


def recorded_start(head: Header) -> datetime | None:
    """Read the start of a recording if it tells the recording apart from others.

    Parameters
    ----------
    head
        Header of the recording.

    Returns
    -------
    datetime or None
        To the second. None if it is not known, and if other recordings can have the same start by chance: on the first
        of January, which programs write in place of the date, and at a full hour, at which devices begin a new file.
    """
    start = header_start(head)
    if start is None or (start.month, start.day) == (1, 1) or (start.minute, start.second) == (0, 0):
        return None
    return start


def header_start(head: Header) -> datetime | None:
    """Read the start in the header of a recording as it is written, to the second; None if it is not known."""
    if head.path.suffix.lower() not in (".edf", ".bdf"):
        numbers = list(head.started.timetuple()[:6]) if head.started else []
    else:
        try:
            with open(head.path, "rb") as file:
                match = EDF_START.fullmatch(file.read(EDF_FIELD.stop)[EDF_FIELD])
        except OSError:
            return None
        numbers = [int(match[group]) for group in (3, 2, 1, 4, 5, 6)] if match else []
        numbers[:1] = [1900 + year if year >= FIRST_YEAR else 2000 + year for year in numbers[:1]]
    if len(numbers) != 6:
        return None
    year, month, day, hour, minute, second = numbers
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None


def _equal_lengths(first: Header | None, second: Header | None) -> bool:
    return first is not None and second is not None and abs(first.duration - second.duration) < MAX_DIFFERENCE


def _line(patient: str, other: str, found: Sequence[str]) -> str:
    more = f" and {len(found) - 1} more pairs" if len(found) > 1 else ""
    return (
        f"{found[0]}{more}: the same start and length in their headers; are {patient} and {other} one person? Then add "
        f"`{other}: {patient}` under `patients:`, because one person would be in two folds"
    )
