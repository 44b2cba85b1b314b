"""Published scores on the same data set, with their protocol."""

from pathlib import Path

import pandas as pd

from eegwf.errors import InputError
from eegwf.report.data import ReportData
from eegwf.report.formats import defined, plain_name, score
from eegwf.report.tables import Cell, Table
from eegwf.storage.files import read_table

FILE = Path(__file__).with_suffix(".tsv")
COLUMNS = ("dataset", "model", "metric", "value", "protocol", "patient_wise", "source", "doi", "caution")


def published_table(run: ReportData) -> Table | None:
    """Published scores on the data set of the study, below those of this run; None without any.

    Raises
    ------
    InputError
        If the table of the configuration lacks a column, or has a row without a source or a protocol.
    """
    name = run.study.report.dataset_name
    found = [
        row
        for row in read_published(run.study.report.published)
        if name and plain_name(row["dataset"]) == plain_name(name)
    ]
    if not found:
        return None
    rows: list[list[Cell]] = [
        [
            f"this run: {run.model}, {run.spectrogram}, {run.class_set}",
            title,
            score(run.headline[key]["value"]),
            "windows; cross-validation by patient",
            "yes",
            "",
            "",
        ]
        for key, title in (("balanced_accuracy", "balanced accuracy"), ("auroc", "AUROC"))
        if defined(run.headline[key]["value"])
    ]
    faint = {len(rows) + number for number, row in enumerate(found) if row["caution"]}
    rows += [
        [row["model"], row["metric"], row["value"], row["protocol"], row["patient_wise"], _source(row), row["caution"]]
        for row in found
    ]
    return Table(
        f"Published scores on {name}",
        ["model", "score", "value", "protocol", "patient-wise", "source", "why it is not comparable"],
        rows,
        "Scores of different windows, classes and protocols can't be compared exactly. Rows in gray come from a "
        "protocol that says little about new patients. Patient-wise: no patient is in both training and test. "
        "The key report.published of the configuration adds rows.",
        text={1, 3, 4, 5, 6},
        faint=faint,
    )


def read_published(further: str | None) -> list[dict[str, str]]:
    """Read the table of published scores, and one of the configuration.

    Parameters
    ----------
    further
        Path of a further table; None without one.

    Returns
    -------
    list of dict
        The rows.

    Raises
    ------
    InputError
        If a table lacks a column, or a row has no protocol, no source, or no yes or no in `patient_wise`.
    """
    rows = _rows(FILE)
    return rows + _rows(Path(further)) if further else rows


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file, which `report.published` names; correct the path, or write null")
    table: pd.DataFrame = read_table(path, COLUMNS, text=COLUMNS)
    rows = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
    for number, row in enumerate(rows, start=2):
        empty = [name for name in ("dataset", "metric", "value", "protocol", "source") if not row[name].strip()]
        if empty:
            raise InputError(f"{path}: line {number}: {empty[0]} is empty; a score without it can't be judged")
        if row["patient_wise"] not in ("yes", "no"):
            raise InputError(f"{path}: line {number}: patient_wise is {row['patient_wise']!r}; write yes or no")
        if row["patient_wise"] == "no" and not row["caution"]:
            raise InputError(f"{path}: line {number}: patient_wise is no; write in caution why it is not comparable")
    return rows


def _source(row: dict[str, str]) -> str:
    return f"{row['source']}, doi:{row['doi']}" if row["doi"] else row["source"]
