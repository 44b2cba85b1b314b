"""Annotations of the TUH EEG Seizure Corpus, version 1: `.tse` and `.tse_bi`."""

import re
from pathlib import Path

from eegwf.data.annotations.files import read_lines
from eegwf.data.annotations.rows import interval
from eegwf.data.events import Annotation
from eegwf.errors import InputError

VERSION = re.compile(r"version\s*=\s*tse_v\d\S*", re.IGNORECASE)
FORM = "start, end, label and probability, separated by blanks"


def read_tse(path: Path) -> list[Annotation]:
    """Read the annotations of a recording.

    Parameters
    ----------
    path
        File whose first line is its version, `version = tse_v1.0.0`; each other line has start and end in seconds,
        label and probability.

    Returns
    -------
    list of Annotation

    Raises
    ------
    InputError
        If the file is missing, has no version, or a row is not valid.
    """
    rows: list[Annotation] = []
    version = False
    for number, line in enumerate(read_lines(path), start=1):
        if not line or line.startswith("#"):
            continue
        if not version:
            if not VERSION.fullmatch(line):
                raise InputError(
                    f"{path}, line {number}: found {line[:60]!r}, expected 'version = tse_v1.0.0'; check "
                    "dataset.annotations.format"
                )
            version = True
            continue
        cells = line.split()
        if len(cells) not in (3, 4):
            raise InputError(f"{path}, line {number}: {len(cells)} cells, expected {FORM}; correct the row")
        rows.append(interval(cells[0], cells[1], cells[2], path, number))
    if not version:
        raise InputError(f"{path}, line 1: an empty file, expected 'version = tse_v1.0.0'; fetch the file again")
    return rows
