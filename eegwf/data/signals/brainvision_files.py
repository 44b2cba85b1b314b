"""The text files of BrainVision recordings: sections of the header, names of the other files, segments."""

import codecs
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from eegwf.errors import InputError

_NEW_SEGMENT = re.compile(
    r"Mk\d+\s*=\s*New Segment\s*,[^,]*,\s*(\d{1,18})\s*(?:,[^,]*,[^,]*(?:,\s*(\d*))?)?.*", re.IGNORECASE
)
# Sections and keys in lower case, as exports differ in case (`Common infos`).
Sections = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Segment:
    """Beginning of a segment of a BrainVision recording, from a `New Segment` marker.

    Attributes
    ----------
    start
        First sample.
    date
        Date and time as in the marker, `YYYYMMDDhhmmssuuuuuu`; "" if it has none.
    """

    start: int
    date: str


def parse_date(text: str) -> datetime | None:
    """Date and time of a marker, `YYYYMMDDhhmmssuuuuuu`; None if it has none."""
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S%f") if len(text) == 20 else None
    except ValueError:
        return None


def companion_files(path: Path) -> list[Path]:
    """Find the data and marker files that a BrainVision header names.

    Parameters
    ----------
    path
        The header file (`.vhdr`).

    Returns
    -------
    list of Path
        Those that exist; empty if the header can't be read.
    """
    try:
        common = read_sections(decode_text(path.read_bytes())).get("common infos", {})
        files = [named_file(path, common.get(key, "")) for key in ("datafile", "markerfile")]
        return [file for file in files if file is not None and file.is_file()]
    except OSError:
        return []


def decode_text(content: bytes) -> str:
    """Decode a header or marker file.

    Parameters
    ----------
    content
        The file.

    Returns
    -------
    str
        Decoded by its byte-order mark, as UTF-8, in the code page that it names, in Windows-1252 or in Latin-1: the
        first of these that is possible.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    page = re.search(rb"^\s*Codepage\s*=\D*(\d{3,5})\s*$", content, re.IGNORECASE | re.MULTILINE)
    for encoding in ("utf-8-sig", f"cp{page[1].decode('ascii')}" if page else "cp1252", "cp1252"):
        try:
            return content.decode(encoding)
        except (UnicodeError, LookupError):
            continue
    return content.decode("latin-1")


def read_sections(text: str) -> Sections:
    """Split a header into its sections.

    Parameters
    ----------
    text
        The header.

    Returns
    -------
    mapping
        Keys and values of each section, names and keys in lower case; without comments and the section `[Comment]`.
    """
    sections: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip(" \t\0\ufeff")
        if re.fullmatch(r"\[.*\]", line):
            name = line[1:-1].strip().lower()
            if name == "comment":
                break
            section = sections.setdefault(name, {})
        elif "=" in line and not line.startswith(";"):
            key, value = line.split("=", maxsplit=1)
            section.setdefault(key.strip().lower(), value.strip())
    return sections


def read_number(
    path: Path,
    section: Mapping[str, str],
    key: str,
    minimum: float = 0,
    maximum: float = math.inf,
    whole: bool = False,
) -> float:
    """Read a number of a section.

    Parameters
    ----------
    path
        The header file.
    section
        Keys, in lower case, and values.
    key
        Its key.
    minimum, maximum
        Bounds.
    whole
        Whether it must be a whole number.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If it is missing or not such a number.
    """
    text = section.get(key.lower(), "")
    value = parse_float(text)
    if not minimum <= value <= maximum or not math.isfinite(value) or (whole and value != int(value)):
        expected = f"a {'whole ' if whole else ''}number of at least {minimum:g}"
        raise InputError(f"{path}: invalid header: {key} is {text!r}, not {expected}; fetch or export it again")
    return value


def parse_float(text: str) -> float:
    """Parse a number with a decimal point or comma.

    Parameters
    ----------
    text
        The number.

    Returns
    -------
    float
        NaN if it is not a number.
    """
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return math.nan


def named_file(path: Path, name: str) -> Path | None:
    """Find the file that a header names.

    Parameters
    ----------
    path
        The header file.
    name
        Name as in the header, where `$b` stands for the header's stem; a folder in front of it is ignored.

    Returns
    -------
    Path or None
        The file of that name beside the header, or the only one whose name differs in case or in its Unicode form
        alone; a path of no file if there is none, and None without a name.
    """
    name = re.split(r"[\\/]", re.sub(r"\$b", lambda _: path.stem, name, flags=re.IGNORECASE))[-1].replace("\0", "")
    if not name:
        return None
    file = path.parent / name
    if file.is_file():
        return file
    similar = [other for other in path.parent.iterdir() if _same_name(other.name) == _same_name(name)]
    return similar[0] if len(similar) == 1 else file


def _same_name(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def read_segments(path: Path, name: str) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    """Read the beginnings of the segments from a marker file; other markers are not read.

    Parameters
    ----------
    path
        The header file.
    name
        Name of the marker file as in the header; "" if it names none.

    Returns
    -------
    segments : tuple of Segment
        In the order of the markers; empty if they are not known.
    notes : tuple of str
        The reason if the marker file can't be read.
    """
    if not name:
        return (), ()
    file = named_file(path, name)
    if file is None or not file.is_file():
        # A file renamed with the header, without a correction of `MarkerFile=`.
        file, missing = path.with_suffix(".vmrk"), file.name if file else name
        if not file.is_file():
            return (), (f"its marker file {missing} is not beside it, so pauses in the recording are not known",)
    try:
        content = file.read_bytes()
    except OSError as error:
        return (), (f"its marker file {file.name} can't be read ({error.strerror}), so pauses are not known",)
    matches = (_NEW_SEGMENT.fullmatch(line.strip()) for line in decode_text(content).splitlines())
    return tuple(Segment(max(int(match[1]) - 1, 0), match[2] or "") for match in matches if match), ()
