"""Groups of patients by columns of `participants.tsv`: texts, or bands of numbers."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from eegwf.config.patients import normalize_id
from eegwf.data.tables import read_rows
from eegwf.errors import InputError, format_names

UNKNOWN = "unknown"
# Texts of a missing value: that of BIDS, and those that programs export.
MISSING = ("", "n/a", "nan")
# A number with a decimal point or comma. BIDS has the age "89+" of all persons of 89 years or more.
NUMBER = re.compile(r"([+-]?\d+(?:[.,]\d+)?)(\+?)")
MAX_GROUPS = 20
MIN_GROUP = 5  # no scores of fewer patients


@dataclass(frozen=True)
class Grouping:
    """Groups of the patients by a column.

    Attributes
    ----------
    names
        Names of the groups in the order of display: all bands, or the sorted texts.
    group_of
        Group of each patient whose value is known.
    notes
        Sentences on values that contradict each other.
    """

    names: list[str]
    group_of: dict[str, str]
    notes: list[str] = field(default_factory=list)

    def of(self, patient: str) -> str:
        """Group of a patient; `unknown` without a value."""
        return self.group_of.get(patient, UNKNOWN)


def participants_path(root: Path | str) -> Path:
    """The table of the participants of a data set."""
    return Path(root) / "participants.tsv"


def read_groupings(
    path: Path, columns: Mapping[str, Sequence[float] | None], patients: Mapping[str, str]
) -> dict[str, Grouping]:
    """Divide the patients of a data set into groups.

    Parameters
    ----------
    path
        `participants.tsv`.
    columns
        Columns of the table, each with the ascending edges of its bands; None for a column of texts.
    patients
        Id of the patient for each further id of the same person, normalized.

    Returns
    -------
    dict
        Groups by column, of all patients in the table. If a person has several rows, the first value counts.

    Raises
    ------
    InputError
        If the table or a column is missing, a column with edges contains anything but numbers, or a column of texts
        contains measurements or too many different texts.
    """
    if not path.is_file():
        raise InputError(
            f"{path}: no such file, but evaluation.subgroups names its column {next(iter(columns))!r}; add the table "
            "with the columns participant_id and those of the subgroups, or remove evaluation.subgroups"
        )
    rows = read_rows(path, [("participant_id",), *((name,) for name in columns)], [])
    persons = [(row.line, _person(row.cells[0], patients)) for row in rows]
    found = {}
    for number, (column, edges) in enumerate(columns.items(), start=1):
        cells = [(line, who, row.cells[number]) for (line, who), row in zip(persons, rows, strict=True)]
        known = [cell for cell in cells if cell[1] and cell[2].casefold() not in MISSING]
        found[column] = _texts(path, column, known) if edges is None else _bands(path, column, edges, known)
    return found


def _person(text: str, patients: Mapping[str, str]) -> str:
    """Patient of an id of the table, also of one without `sub-`; empty without an id."""
    if text.casefold() in MISSING:
        return ""
    name = normalize_id(text if text.startswith("sub-") else f"sub-{text}")
    return patients.get(name, name)


def _texts(path: Path, column: str, cells: Sequence[tuple[int, str, str]]) -> Grouping:
    """Groups of a column of texts."""
    groups = _first_values(column, [(who, normalize_id(text)) for _, who, text in cells])
    sizes = Counter(groups.group_of.values())
    if len(sizes) > MAX_GROUPS:
        raise InputError(
            f"{path}, column {column}: {len(sizes)} different values, expected at most {MAX_GROUPS}; for numbers, "
            f"write the edges of bands, as in evaluation.subgroups.{column}: [18, 65], or use another column"
        )
    single = sum(size == 1 for size in sizes.values())
    if len(sizes) > 2 and 2 * single > len(sizes) and all(NUMBER.fullmatch(text) for text in sizes):
        # Groups of one patient would publish the numbers themselves, such as ages.
        raise InputError(
            f"{path}, column {column}: {single} of {len(sizes)} numbers occur once, so they are no groups; write the "
            f"edges of bands, as in evaluation.subgroups.{column}: [18, 65]"
        )
    return groups


def _bands(path: Path, column: str, edges: Sequence[float], cells: Sequence[tuple[int, str, str]]) -> Grouping:
    """Groups of a column of numbers."""
    names = band_names(edges)
    values = []
    for line, who, text in cells:
        parsed = NUMBER.fullmatch(text)
        if parsed is None:
            raise InputError(
                f"{path}, line {line}, column {column}: not a number, expected one or n/a because "
                f"evaluation.subgroups.{column} has edges; correct the cell, or write null instead of the edges"
            )
        value = float(parsed[1].replace(",", "."))
        if parsed[2] and edges[-1] > value:
            raise InputError(
                f"{path}, line {line}, column {column}: {text} may be below or above {edges[-1]:g}; choose edges of "
                f"{value:g} or less in evaluation.subgroups.{column}"
            )
        values.append((who, names[bisect_right(edges, value)]))
    groups = _first_values(column, values)
    return Grouping(names, groups.group_of, groups.notes)


def band_names(edges: Sequence[float]) -> list[str]:
    """Names of the bands between edges: `< 18`, `18 to < 65`, `>= 65`; an edge belongs to the band above it."""
    texts = [f"{edge:.12g}" for edge in edges]
    return [f"< {texts[0]}", *(f"{low} to < {high}" for low, high in pairwise(texts)), f">= {texts[-1]}"]


def _first_values(column: str, values: Sequence[tuple[str, str]]) -> Grouping:
    """The first group of each patient, and a note if patients have others."""
    group_of: dict[str, str] = {}
    contradicted = []
    for who, group in values:
        if group_of.setdefault(who, group) != group:
            contradicted.append(who)
    notes = []
    if contradicted:
        names = list(dict.fromkeys(contradicted))
        notes = [f"participants.tsv: several groups by {column} of {format_names(names)}; the first row counts"]
    return Grouping(sorted(set(group_of.values())), group_of, notes)
