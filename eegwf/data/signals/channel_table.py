"""The `_channels.tsv` of a recording (BIDS): status of its channels, and units that its header does not have."""

from dataclasses import dataclass
from pathlib import Path

from eegwf.data.signals.file_names import recording_name
from eegwf.errors import InputError

# Cells without a value, and units of headers that are none.
NO_VALUE = ("", "n/a", "-")
_STATUS = ("good", "bad", *NO_VALUE)


@dataclass(frozen=True)
class ChannelRow:
    """A row of the table.

    Attributes
    ----------
    line
        Number of its line.
    name
        Name of the channel.
    unit
        Its unit; "" if there is none.
    bad
        Whether its status is `bad`.
    """

    line: int
    name: str
    unit: str
    bad: bool


def channel_table_path(path: Path) -> Path:
    """Path of the table of channels beside a recording.

    Parameters
    ----------
    path
        EDF, BDF or BrainVision header file.

    Returns
    -------
    Path
        The table, which may not exist.
    """
    return path.with_name(f"{recording_name(path)}_channels.tsv")


def read_channel_table(path: Path) -> list[ChannelRow]:
    """Read the table of channels beside a recording.

    Parameters
    ----------
    path
        EDF, BDF or BrainVision header file.

    Returns
    -------
    list of ChannelRow
        Empty if there is no table.

    Raises
    ------
    InputError
        If the table is not tab-separated text in UTF-8 with a column `name`, has an unknown status, or is a
        link to a missing file.
    """
    path = channel_table_path(path)
    if path.is_symlink() and not path.exists():
        raise InputError(f"{path}: link to a missing file; fetch the data set's files first")
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InputError(f"{path}: can't be read ({reason}); write it as tab-separated text in UTF-8") from error
    columns = [cell.strip().lower() for cell in lines[0].split("\t")] if lines else []
    if "name" not in columns:
        found = ", ".join(columns) or "nothing"
        raise InputError(
            f"{path}: line 1: no column 'name' (found {found[:80]}); write tab-separated columns as in BIDS"
        )
    rows = []
    for number, text in enumerate(lines[1:], start=2):
        if not text.strip():
            continue
        cells = [cell.strip() for cell in text.split("\t")]
        if len(cells) != len(columns):
            raise InputError(f"{path}: line {number}: {len(cells)} cells, the header has {len(columns)}; correct it")
        row = dict(zip(columns, cells, strict=True))
        status, unit = row.get("status", "").lower(), row.get("units", "")
        if status not in _STATUS:
            raise InputError(f"{path}: line {number}: status is {row['status']!r}; write good, bad or n/a")
        rows.append(ChannelRow(number, row["name"], "" if unit.lower() in NO_VALUE else unit, status == "bad"))
    return rows
