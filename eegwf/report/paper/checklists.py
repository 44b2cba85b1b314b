"""Reporting checklists: TRIPOD+AI and SzCORE, filled in where the run knows the answer."""

from pathlib import Path

from eegwf.report.data import ReportData
from eegwf.report.paper import answers_szcore, answers_tripod
from eegwf.report.paper.answers import About, Answer, Answers
from eegwf.report.tables import Cell, Table
from eegwf.storage.files import read_table

FOLDER = Path(__file__).parent
COLUMNS = ("item", "section", "topic")
GAP = "To be completed by the authors."
FILLED, PARTLY, OPEN = "filled in", "partly filled in", "to be completed by the authors"
# Title, and what answers the items, by name of the table of items.
CHECKLISTS: dict[str, tuple[str, Answers]] = {
    "tripod_ai": ("TRIPOD+AI (Collins et al. 2024, doi:10.1136/bmj-2023-078378)", answers_tripod.ANSWERS),
    "szcore": ("SzCORE (Dan et al. 2024, doi:10.1111/epi.18113)", answers_szcore.ANSWERS),
}


def checklists(run: ReportData, about: About) -> dict[str, Table]:
    """Fill in the checklists.

    Parameters
    ----------
    run
        Content of the report.
    about
        Content of `run.json`.

    Returns
    -------
    dict
        Table of each checklist, by name.
    """
    return {name: _checklist(run, about, name, *given) for name, given in CHECKLISTS.items()}


def _checklist(run: ReportData, about: About, name: str, title: str, answers: Answers) -> Table:
    items = read_table(FOLDER / f"{name}.tsv", COLUMNS, text=COLUMNS).to_dict("records")
    rows: list[list[Cell]] = []
    for row in items:
        answer = answers[row["item"]](run, about) if row["item"] in answers else Answer()
        rows.append([row["item"], row["section"], row["topic"], *_cells(answer)])
    n_open = sum(row[-1] != FILLED for row in rows)
    return Table(
        f"{title}: {n_open} of {len(rows)} items to be completed",
        ["item", "section", "topic", "answer", "state"],
        rows,
        "The topics are given in short; the wording of the items is in the publication. The answers are of the "
        "configuration and the files of this run.",
        text={1, 2, 3, 4},
        faint={number for number, row in enumerate(rows) if row[-1] == OPEN},
    )


def _cells(answer: Answer) -> tuple[str, str]:
    """Text of an answer, and its state."""
    if not answer.text:
        return GAP, OPEN
    return (f"{answer.text} {GAP[:-1]}: {answer.missing}.", PARTLY) if answer.missing else (answer.text, FILLED)
