"""Annotations of the TUH EEG Seizure Corpus, version 2: `.csv_bi`, a row per event, and `.csv`, a row per channel."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

from eegwf.data.annotations.files import read_lines
from eegwf.data.annotations.rows import interval
from eegwf.data.events import BACKGROUND, Annotation
from eegwf.errors import InputError

COLUMNS = ("channel", "start_time", "stop_time", "label")
# Channel of events that concern all channels.
ALL_CHANNELS = "TERM"


def read_tusz(path: Path, type_of: Callable[[str], str | None]) -> list[Annotation]:
    """Read the annotations of a recording of the corpus.

    Parameters
    ----------
    path
        File `.csv_bi` or `.csv`: lines that begin with `#`, then a table separated by commas.
    type_of
        Event type of a label; None if the label is ignored.

    Returns
    -------
    list of Annotation
        In a `.csv` file, a seizure is annotated for every channel in which it is visible. The events of all channels
        are united, and background of a channel during an event of another channel is removed.

    Raises
    ------
    InputError
        If the file is missing, is no such table, or a row is not valid.

    References
    ----------
    Shah et al. (2018), The Temple University Hospital Seizure Detection Corpus, Frontiers in Neuroinformatics 12:83.
    """
    header: list[str] = []
    rows: list[Annotation] = []
    channels = set()
    for number, line in enumerate(read_lines(path), start=1):
        cells = [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True), [])]
        if not any(cells) or line.lstrip('"').startswith("#"):
            continue
        if not header:
            header = [cell.lower() for cell in cells]
            _check_header(header, f"{path}, line {number}")
            continue
        if len(cells) <= max(header.index(name) for name in COLUMNS) or any(cells[len(header) :]):
            raise InputError(
                f"{path}, line {number}: {len(cells)} cells, but the header has {len(header)}; separate cells by "
                "commas, and write numbers with decimal points"
            )
        channel, start, stop, label = (cells[header.index(name)] for name in COLUMNS)
        rows.append(interval(start, stop, label, path, number))
        channels.add(channel)
    if not header:
        raise InputError(f"{path}, line 1: no table; expected the header {','.join(COLUMNS)},confidence; add it")
    return rows if channels <= {ALL_CHANNELS} else _without_background(rows, type_of)


def _check_header(header: list[str], place: str) -> None:
    if missing := [name for name in COLUMNS if name not in header]:
        found = ", ".join(ascii(name)[1:-1] for name in header)
        raise InputError(
            f"{place}: no column {' and no '.join(missing)}; found {found}. Expected the header "
            f"{','.join(COLUMNS)},confidence; add it, and separate columns by commas"
        )


def _without_background(rows: Sequence[Annotation], type_of: Callable[[str], str | None]) -> list[Annotation]:
    """Rows without the parts of background during which another channel has an event."""
    background: list[Annotation] = []
    events: list[Annotation] = []
    for row in rows:
        (background if type_of(row.label) == BACKGROUND else events).append(row)
    taken: list[tuple[float, float]] = []
    for onset, end in sorted(_span(row) for row in events if type_of(row.label) is not None):
        if taken and onset <= taken[-1][1]:
            onset, end = taken[-1][0], max(end, taken.pop()[1])
        taken.append((onset, end))
    kept = list(events)
    # Channels share most of their background: each interval is cut once.
    for row in {(row.onset, row.duration): row for row in reversed(background)}.values():
        start, end = _span(row)
        for onset, stop in taken:
            if start < onset < end:
                kept.append(Annotation(row.place, start, onset - start, row.label))
            if onset < end:
                start = max(start, stop)
        if end > start:
            kept.append(Annotation(row.place, start, end - start, row.label))
    return sorted(kept, key=lambda row: row.onset)


def _span(row: Annotation) -> tuple[float, float]:
    return row.onset, row.onset + (row.duration or 0.0)
