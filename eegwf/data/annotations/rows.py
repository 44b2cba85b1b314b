"""Times of annotations, with messages that name the line."""

import math
import re

from eegwf.data.events import Annotation
from eegwf.errors import InputError

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def parse_seconds(text: str, name: str, place: str) -> float:
    """Parse a number of seconds from the start of the recording.

    Parameters
    ----------
    text
        Text of the number.
    name
        Name of the time, for the message.
    place
        File and line, for the message.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If it is not a finite number, or negative.
    """
    text = text.strip()
    value = float(text) if text.isascii() and NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise InputError(
            f"{place}: {name} is {text!r}, not a number; expected seconds from the recording's start with a decimal "
            "point; correct it"
        )
    if value < 0:
        raise InputError(f"{place}: {name} is {text} s; it can't be negative (seconds from the recording's start)")
    return value


def interval(start: str, stop: str, label: str, path: object, line: int) -> Annotation:
    """Annotation from its times of start and end.

    Parameters
    ----------
    start, stop
        Text of the times in seconds.
    label
        Event type as in the file.
    path
        The file.
    line
        Number of the line.

    Returns
    -------
    Annotation

    Raises
    ------
    InputError
        If a time is not valid, the end is before the start, or the label is empty.
    """
    place = f"{path}, line {line}"
    onset, end = parse_seconds(start, "start", place), parse_seconds(stop, "end", place)
    if end < onset:
        raise InputError(f"{place}: the end, {end:.10g} s, is before the start, {onset:.10g} s; correct the row")
    if not label:
        raise InputError(f"{place}: no label; expected an event type, such as bckg; correct the row")
    return Annotation(f"line {line}", onset, end - onset, label)
