"""Tables as programs export them: separators, quotes, encodings, and numbers with a decimal comma."""

import codecs
import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eegwf.errors import InputError

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# In the order in which they are tried.
SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "blanks"}
# Characters that no program shows: byte-order marks, spaces of no width, no-break spaces.
INVISIBLE = re.compile("[\ufeff\u200b\u200c\u200d\u2060\u00a0\u202f]")
UNDECODABLE = re.compile("[\udc80-\udcff]")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
# One to three digits, a comma and three digits: 1,234 is 1.234 or 1234. A thousands group never begins with 0.
AMBIGUOUS_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes
    ----------
    line
        Number of its line in the file, from 1.
    cells
        Text of the cells of the columns that were asked for, without quotes and surrounding blanks.
    """

    line: int
    cells: tuple[str, ...]


def read_rows(path: Path, columns: Sequence[tuple[str, ...]], notes: list[str]) -> list[Row]:
    """Read columns of a table of text, whatever program has exported it.

    Columns may be separated by tabs, semicolons, commas or blanks, cells may be quoted, and the text may be UTF-8 or
    UTF-16. Empty rows are skipped.

    Parameters
    ----------
    path
        The table; its first line contains the names of the columns.
    columns
        The columns to read, each with its alternative names in the order of preference.
    notes
        List to which a sentence is appended for each deviation from a tab-separated table in UTF-8 without quotes.

    Returns
    -------
    list of Row

    Raises
    ------
    InputError
        If the file is missing or no text, a column is missing, a row has fewer cells than columns, or a cell that is
        read contains bytes of another encoding.
    """
    lines = re.split(r"\r\n|\r|\n", _decoded(path, notes))
    separator, header = _header(lines[0], columns)
    missing = [f"{' (or '.join(names)}{')' * (len(names) > 1)}" for names in columns if not set(names) & set(header)]
    if missing:
        # Letters that look like others are shown by their codes.
        shown = ", ".join(ascii(name)[1:-1] for name in header)
        raise InputError(
            f"{path}, line 1: no column {' and no '.join(missing)}; found {shown if any(header) else 'an empty file'}. "
            "Add it, and separate columns by tabs"
        )
    split = [(number, _split(line, separator)) for number, line in enumerate(lines[1:], start=2)]
    split = [(number, cells) for number, cells in split if any(_clean(cell) for cell in cells)]
    shift = int(_has_row_names(lines, [number for number, _ in split], [cells for _, cells in split], len(header)))
    names = [next(name for name in alternatives if name in header) for alternatives in columns]
    positions = [header.index(name) + shift for name in names]
    rows = []
    for number, cells in split:
        _check_length(cells, len(header) + shift, max(positions), separator, f"{path}, line {number}")
        values = tuple(_clean(cells[position]) for position in positions)
        for name, value in zip(names, values, strict=True):
            if UNDECODABLE.search(value):
                raise InputError(
                    f"{path}, line {number}, column {name}: {_printable(value)} is not in UTF-8; save the table in "
                    "UTF-8"
                )
        rows.append(Row(number, values))
    read = {1: _split(lines[0], separator)} | {line: [cells[place] for place in positions] for line, cells in split}
    if separator != "\t":
        notes.append(f"columns separated by {SEPARATORS[separator]}")
    if '"' in lines[0] or any('"' in cell for cells in read.values() for cell in cells):
        notes.append("quotes around cells removed")
    if shift:
        notes.append("first column, which has no name, not read")
    if hidden := [line for line, cells in read.items() if INVISIBLE.search("".join(cells))]:
        notes.append(f"invisible characters removed in line {hidden[0]}")
    if foreign := [line for line, text in enumerate(lines, start=1) if UNDECODABLE.search(text)]:
        notes.append(f"bytes in line {foreign[0]} that are not UTF-8, in a column that is not read")
    return rows


def column_names(path: Path, columns: Sequence[tuple[str, ...]]) -> list[str]:
    """Names of the columns of a table.

    Parameters
    ----------
    path
        The table.
    columns
        Columns that it is expected to have, each with its alternative names, from which the separator is recognized.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        If the file is missing or no text.
    """
    return _header(re.split(r"\r\n|\r|\n", _decoded(path, []), maxsplit=1)[0], columns)[1]


def parse_numbers(path: Path, cells: Sequence[tuple[int, str, str]], notes: list[str]) -> list[float]:
    """Parse numbers of a table, which have either decimal points or decimal commas.

    Parameters
    ----------
    path
        The table, for messages.
    cells
        Line, name of the column and text of each number.
    notes
        List to which a sentence is appended if the numbers have decimal commas.

    Returns
    -------
    list of float

    Raises
    ------
    InputError
        If a cell is not a finite number, some numbers have decimal points and some decimal commas, or commas may be
        decimal commas or separate thousands.
    """
    commas = [cell for cell in cells if "," in cell[2]]
    points = [cell for cell in cells if "." in cell[2] and "," not in cell[2]]
    decimal = [cell for cell in commas if DECIMAL_COMMA.fullmatch(cell[2])]
    for line, name, text in decimal:
        if points:
            raise InputError(
                f"{path}, line {line}: {name} is {text!r}, with a comma, but {points[0][1]} in line {points[0][0]} is "
                f"{points[0][2]!r}, with a point; write all numbers with decimal points"
            )
    if decimal and all(AMBIGUOUS_COMMA.fullmatch(text) for _, _, text in decimal):
        line, name, text = decimal[0]
        raise InputError(
            f"{path}, line {line}: {name} is {text!r}, which may be {text.replace(',', '.')} or "
            f"{text.replace(',', '')}; write numbers with decimal points and without separators of thousands"
        )
    values = [_number(path, *cell) for cell in cells]
    if decimal:
        notes.append("numbers with decimal commas")
    return values


def _number(path: Path, line: int, name: str, text: str) -> float:
    plain = text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text
    try:
        value = float(plain)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise InputError(
            f"{path}, line {line}: {name} is {text!r}, not a number of seconds; correct it, or remove the row"
        )
    return value


def _decoded(path: Path, notes: list[str]) -> str:
    """Text of a file without its byte-order mark; bytes that are not UTF-8 become surrogates."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; every recording needs a table of events beside it (only the header line if the "
            "recording has no events)"
        ) from None
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), "")
    if not encoding and b"\0" in content:
        # Without a mark: in UTF-16, one of the two bytes of every Latin letter is 0.
        encoding = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be" if content[:1] == b"\0" else ""
    try:
        text = content.decode(encoding or "utf-8", "surrogateescape" if encoding in ("", "utf-8") else "strict")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a table in UTF-8 or UTF-16 ({error}); save it again in UTF-8") from None
    if "\0" in text:
        raise InputError(f"{path}: not a table in UTF-8 or UTF-16 (it contains bytes of value 0); save it in UTF-8")
    if encoding not in ("", "utf-8"):
        notes.append(f"table in {encoding[:6].upper()}")
    return text.removeprefix("\ufeff")


def _header(line: str, columns: Sequence[tuple[str, ...]]) -> tuple[str, list[str]]:
    """Separator of a table and the names of its columns: the first separator with which no column is missing."""
    for separator in SEPARATORS:
        header = [_clean(cell) for cell in _split(line, separator)]
        if all(set(names) & set(header) for names in columns):
            return separator, header
    # For the message: the separator that makes the most columns.
    separator = max(SEPARATORS, key=lambda mark: line.count(mark)) if line.strip() else "\t"
    return separator, [_clean(cell) for cell in _split(line, separator)]


def _split(line: str, separator: str) -> list[str]:
    """Cells of a line. Line by line, so that a quote that is not closed can't hide the rows after it."""
    if separator == "\t":
        return line.split("\t")
    # A quoted cell may contain the separator.
    return next(csv.reader([line.strip(" ")], delimiter=separator, skipinitialspace=True), [])


def _has_row_names(lines: list[str], numbers: list[int], rows: list[list[str]], n_columns: int) -> bool:
    """Whether the rows begin with names, in quotes, for which the header has no name, as R writes them."""
    quoted = '"' in lines[0] and all(lines[number - 1].lstrip().startswith('"') for number in numbers)
    # A separator at the end of each line makes one cell more, too.
    return quoted and all(len(cells) == n_columns + 1 for cells in rows) and any(cells[-1] for cells in rows)


def _clean(cell: str) -> str:
    """Text of a cell without quotes around it, blanks and invisible characters."""
    cell = INVISIBLE.sub("", cell).strip()
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        cell = cell[1:-1].strip()
    return cell


def _check_length(cells: list[str], expected: int, last: int, separator: str, place: str) -> None:
    """Refuse a row that lacks cells, or that has more than the header where a comma may be a decimal comma."""
    too_many = separator != "\t" and any(cell.strip() for cell in cells[expected:])
    if len(cells) <= last or too_many:
        advice = "; separate cells by tabs" + (", and write numbers with decimal points" if too_many else "")
        raise InputError(f"{place}: {len(cells)} cells, but the header has {expected}{advice}")


def _printable(text: str) -> str:
    """Text in quotes, with undecodable bytes as escapes."""
    return repr(text.encode("utf-8", "surrogateescape"))[1:]
