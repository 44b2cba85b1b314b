"""Annotations as HED-SCORE tags, in a column of `_events.tsv` or in `_events.json`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eegwf.data.annotations.files import SIDECAR
from eegwf.data.event_tables import to_annotations
from eegwf.data.events import Annotation, matches
from eegwf.data.tables import Row, column_names, read_rows
from eegwf.errors import InputError

COLUMN = "HED"
TIMES = (("onset",), ("duration",))
# Endings of tags of seizures. A row with such tags, but none that has an event type, is refused, so that no seizure is
# taken for background.
SEIZURES = ("-seizure", "epileptic-spasm", "status-epilepticus")


def read_hed(
    path: Path, sidecars: Sequence[Path], event_map: Mapping[str, str | None], notes: list[str]
) -> list[Annotation]:
    """Read the seizures of a table of events by their HED tags.

    Parameters
    ----------
    path
        Table with `onset`, `duration` and, if no sidecar has tags, `HED`.
    sidecars
        Files that give the tags of the values of columns; later files have priority.
    event_map
        Event types of tags in lower case.
    notes
        List to which a sentence is appended about rows without a tag in the map, which are left out.

    Returns
    -------
    list of Annotation
        Rows that have a tag of the map, by the tag with the most specific event type.

    Raises
    ------
    InputError
        If a file is not valid, a row has tags of two event types of which none is a subtype of the other, or a tag of a
        seizure is not in the map.

    References
    ----------
    HED-SCORE library schema, versions 1.0.0 to 2.1.0; BIDS 1.10, "Hierarchical Event Descriptors".
    """
    tags = _column_tags(sidecars)
    header = column_names(path, TIMES)
    columns = [name for name in dict.fromkeys((*tags, COLUMN)) if name in header]
    if not columns:
        sources = ", ".join(file.name for file in sidecars) or f"no {SIDECAR} found"
        raise InputError(
            f"{path}, line 1: no column {COLUMN}, and no column whose values have HED tags in a sidecar ({sources}); "
            "add the tags, or check dataset.annotations.format"
        )
    rows = read_rows(path, [*TIMES, *((name,) for name in columns)], notes)
    found = []
    for row in rows:
        texts = [
            value if name == COLUMN else tags[name].get(value, "")
            for name, value in zip(columns, row.cells[2:], strict=True)
        ]
        if tag := _seizure_tag(" , ".join(texts), event_map, f"{path}, line {row.line}"):
            found.append(Row(row.line, (*row.cells[:2], tag)))
    if len(found) < len(rows):
        notes.append(f"{len(rows) - len(found)} rows not read, which have no HED tag with an event type")
    return to_annotations(path, found, notes)


def _column_tags(sidecars: Sequence[Path]) -> dict[str, dict[str, str]]:
    """Tags of each value of each column that sidecars describe."""
    tags: dict[str, dict[str, str]] = {}
    for file in sidecars:
        for column, content in _read_json(file).items():
            given = content.get(COLUMN) if isinstance(content, dict) else None
            if isinstance(given, dict):
                wrong = next((value for value, text in given.items() if not isinstance(text, str)), None)
                if wrong is not None:
                    raise InputError(
                        f"{file}: HED of the value {wrong!r} of {column!r} is {repr(given[wrong])[:60]}, expected a "
                        "text of tags separated by commas; correct it"
                    )
                tags[column] = given
    return tags


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise InputError(f"{file}, line {error.lineno}: not valid JSON ({error.msg}); correct it") from None
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{file}: can't be read ({error}); fetch it, or save it in UTF-8") from None
    if not isinstance(content, dict):
        raise InputError(f"{file}, line 1: expected a mapping of columns to their descriptions; correct it")
    return content


def _seizure_tag(text: str, event_map: Mapping[str, str | None], place: str) -> str:
    """The tag with the most specific event type; empty if none has an event type."""
    kinds: dict[str, str | None] = {}
    unknown = []
    for path in _tags(text):
        # The most specific part of a path that is in the map: extensions are below the tags of the schema.
        name = next((part for part in reversed(path) if part in event_map), None)
        if name is not None:
            kinds[name] = event_map[name]
        elif path[-1].endswith(SEIZURES):
            unknown.append(path[-1])
    if unknown and not kinds:
        raise InputError(
            f"{place}, column {COLUMN}: the tag {unknown[0]!r} has no event type; add it to dataset.event_map (null: "
            "ignored)"
        )
    chosen = ""
    for name, kind in kinds.items():
        if kind is None:
            continue
        best = event_map[chosen] if chosen else None
        if best is None or matches(best, kind):
            chosen = name
        elif not matches(kind, best):
            raise InputError(
                f"{place}, column {COLUMN}: the tags {chosen!r} and {name!r} have the event types {best!r} and "
                f"{kind!r}; keep one of them, or give both the same in dataset.event_map"
            )
    return chosen


def _tags(text: str) -> Iterator[list[str]]:
    """Paths of the tags of a HED text, in lower case and without the namespace of their schema."""
    for tag in re.split(r"[,()]", text):
        parts = [part.strip().casefold() for part in tag.split("/")]
        parts[0] = parts[0].rpartition(":")[2]
        if any(parts):
            yield [part for part in parts if part]
