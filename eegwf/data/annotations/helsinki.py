"""Annotations of the Helsinki neonatal recordings: a value of each of three experts for each second."""

import csv
import re
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np

from eegwf.data.annotations.files import expert_tables, original_names, read_lines
from eegwf.data.events import BACKGROUND, SEIZURE, Annotation
from eegwf.data.signals.matlab import read_variables
from eegwf.errors import InputError

# Variable of `annotations_2017.mat`: a cell for each recording, with a row for each expert.
VARIABLE = "annotat_new"
N_EXPERTS = 3
DISPUTED = "disputed"
NUMBER = re.compile(r"eeg0*([1-9][0-9]{0,3})\..*", re.IGNORECASE)


def read_helsinki(path: Path, recording: Path, duration: float, notes: list[str]) -> list[Annotation]:
    """Read the consensus of the experts about a recording.

    Parameters
    ----------
    path
        `annotations_2017.mat`, or the table of expert A (`annotations_2017_A_fixed.csv`) with those of B and C beside
        it.
    recording
        The recording. It, or the file to which it is a link, is named `eeg` and its number.
    duration
        Length of the recording in seconds.
    notes
        List to which a sentence is appended if the annotations end before the recording.

    Returns
    -------
    list of Annotation
        `sz` where all experts mark a seizure, `disputed` where one or two do, `bckg` where none does.

    Raises
    ------
    InputError
        As from `read_experts`.

    References
    ----------
    Stevenson et al. (2019), A dataset of neonatal EEG recordings with seizure annotations, Scientific Data 6:190039.
    """
    votes = read_experts(path, recording).sum(axis=0)
    if duration - len(votes) >= 1:
        notes.append(f"the last {duration - len(votes):.4g} s are not annotated")
    rows, start = [], 0
    for number, seconds in groupby(votes.tolist()):
        stop = start + len(list(seconds))
        label = {0: BACKGROUND, N_EXPERTS: SEIZURE}.get(number, DISPUTED)
        # Disputed seconds with other numbers of experts follow each other; they are merged with all equal events.
        rows.append(Annotation(f"second {start + 1}", float(start), float(stop - start), label))
        start = stop
    return rows


def read_experts(path: Path, recording: Path) -> np.ndarray:
    """Read which seconds of a recording each expert marks as a seizure.

    Parameters
    ----------
    path, recording
        As of `read_helsinki`.

    Returns
    -------
    numpy.ndarray
        Booleans `(3, n_seconds)`.

    Raises
    ------
    InputError
        If a file is missing or not valid, does not contain the recording, or the experts' lengths differ.
    """
    numbers = [int(match[1]) for name in sorted(original_names(recording)) if (match := NUMBER.fullmatch(name))]
    if not numbers:
        raise InputError(
            f"{recording}: expected a name such as eeg12.edf, whose number is that in {path.name}; rename the file, or "
            "make it a link to the file of this name"
        )
    tables = expert_tables(path)
    rows = _cell(path, numbers[0]) if len(tables) == 1 else [_column(table, numbers[0]) for table in tables]
    lengths = [len(row) for row in rows]
    if len(rows) != N_EXPERTS or len(set(lengths)) > 1:
        raise InputError(
            f"{path}, recording {numbers[0]}: {len(rows)} experts with {', '.join(map(str, lengths))} seconds, "
            f"expected {N_EXPERTS} of equal lengths; fetch the file again"
        )
    values = np.array(rows, dtype=float)
    if not np.isin(values, (0, 1)).all():
        second = int(np.argmin(np.isin(values, (0, 1)).all(axis=0)))
        raise InputError(
            f"{path}, recording {numbers[0]}, second {second + 1}: found {values[:, second].tolist()}, "
            "expected 0 or 1; fetch the file again"
        )
    return values.astype(bool)


def mean_seizures(path: Path, recording: Path) -> float:
    """Count the seizures of a recording, each of any number of seconds without interruption.

    Parameters
    ----------
    path, recording
        As of `read_helsinki`.

    Returns
    -------
    float
        Mean of the experts.
    """
    marked = read_experts(path, recording)
    begins = marked & ~np.pad(marked, ((0, 0), (1, 0)))[:, :-1]
    return float(begins.sum() / len(marked))


def annotated_recordings(path: Path) -> list[str]:
    """Names of the recordings that a file of MATLAB, or the table of an expert, contains."""
    if expert_tables(path) == (path,):
        cells = _cells(path, _stamp(path))
        numbers = [str(number) for number, cell in enumerate(cells, start=1) if cell is not None and cell.size]
    else:
        numbers = [name.strip() for name in _table(path, _stamp(path))[0]]
    return [f"eeg{number}.edf" for number in numbers]


def _cell(path: Path, number: int) -> list[list[float]]:
    cells = _cells(path, _stamp(path))
    cell = cells[number - 1] if number <= len(cells) else None
    if not isinstance(cell, np.ndarray) or cell.ndim != 2:
        raise InputError(
            f"{path}: no annotations of recording {number} in {VARIABLE!r}, which has {len(cells)} cells; expected a "
            f"matrix of {N_EXPERTS} rows for each recording; fetch the file again"
        )
    return cell.tolist()


def _column(path: Path, number: int) -> list[float]:
    header, *lines = _table(path, _stamp(path))
    names = [name.strip() for name in header]
    if names.count(str(number)) != 1:
        raise InputError(
            f"{path}, line 1: expected the column {number} once, found {', '.join(names[:4])} ...; the header has the "
            "numbers of the recordings; fetch the file again"
        )
    column = names.index(str(number))
    texts = [cells[column].strip() if column < len(cells) else "" for cells in lines]
    while texts and texts[-1].lower() in ("", "nan"):  # shorter than the longest recording
        texts.pop()
    for line, text in enumerate(texts, start=2):
        if not re.fullmatch(r"[01](\.0*)?", text):
            raise InputError(f"{path}, line {line}, column {number}: found {text!r}, expected 0 or 1; correct it")
    return [float(text) for text in texts]


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; expected annotations_2017.mat, or the tables of experts A, B and C; fetch it"
        ) from None
    return status.st_size, status.st_mtime_ns


# The annotations of all recordings are in one file, which is read once. A file that changes has another stamp.
@lru_cache(maxsize=1)
def _cells(path: Path, stamp: tuple[int, int]) -> list[np.ndarray | None]:
    cells = read_variables(path, (VARIABLE,), "").get(VARIABLE)
    if not isinstance(cells, list):
        raise InputError(f"{path}: no cell array {VARIABLE!r}; expected annotations_2017.mat; fetch it again")
    return cells


@lru_cache(maxsize=N_EXPERTS)
def _table(path: Path, stamp: tuple[int, int]) -> list[list[str]]:
    return list(csv.reader(line for line in read_lines(path) if line))
