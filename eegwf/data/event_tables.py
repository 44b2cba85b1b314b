"""Tables of events in SzCORE or BIDS form."""

from collections.abc import Sequence
from pathlib import Path

from eegwf.data.events import Annotation, Event, EventRules, assemble_events
from eegwf.data.tables import Row, parse_numbers, read_rows
from eegwf.errors import InputError

COLUMNS = (("onset",), ("duration",), ("eventType", "trial_type"))
# How programs write a value that is missing, in lower case.
MISSING = ("", "n/a", "na", "nan", "none", "null")


def read_events(path: Path | str, duration: float, rules: EventRules, notes: list[str] | None = None) -> list[Event]:
    """Read the events of a recording from its table of events.

    Parameters
    ----------
    path
        Table with `onset`, `duration` (seconds) and `eventType` (SzCORE) or `trial_type` (BIDS).
    duration
        Length of the recording in seconds.
    rules
        Rules of the data set. Rows of ignored event types are skipped without reading their other cells.
    notes
        List to which a sentence is appended for each correction.

    Returns
    -------
    list of Event
        As from `assemble_events`.

    Raises
    ------
    InputError
        If the file or a column is missing, a cell is not a number or negative, or `assemble_events` refuses the
        events.

    References
    ----------
    Dan et al. (2024), SzCORE, Epilepsia; BIDS 1.10, "Task events".
    """
    path = Path(path)
    notes = [] if notes is None else notes
    rows = [
        row
        for row in read_rows(path, COLUMNS, notes)
        if rules.event_type(row.cells[2], f"{path}, line {row.line}") is not None
    ]
    return assemble_events(path, to_annotations(path, rows, notes), duration, rules, notes)


def to_annotations(path: Path, rows: Sequence[Row], notes: list[str]) -> list[Annotation]:
    """Convert rows of a table of events.

    Parameters
    ----------
    path
        The table, for messages.
    rows
        Rows with onset, duration and event type.
    notes
        List to which a sentence is appended if the numbers have decimal commas.

    Returns
    -------
    list of Annotation

    Raises
    ------
    InputError
        If a cell is not a number or negative.
    """
    cells = [(row.line, "onset", row.cells[0]) for row in rows]
    cells += [(row.line, "duration", row.cells[1]) for row in rows if row.cells[1].lower() not in MISSING]
    values = {cell[:2]: value for cell, value in zip(cells, parse_numbers(path, cells, notes), strict=True)}
    for line, name, text in cells:
        if values[line, name] < 0:
            raise InputError(
                f"{path}, line {line}: {name} is {text} s; it can't be negative (seconds from the recording's start)"
            )
    return [
        Annotation(f"line {row.line}", values[row.line, "onset"], values.get((row.line, "duration")), row.cells[2])
        for row in rows
    ]
