"""Files for a paper: texts, checklists, references, model card, and the tables and figures of the report."""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pandas as pd

from eegwf.config.paper_paths import PaperPaths
from eegwf.report.data import ReportData
from eegwf.report.drawing import Figure
from eegwf.report.evidence import SECONDS
from eegwf.report.figure_files import pdf, svg
from eegwf.report.paper.model_card import model_card
from eegwf.report.tables import Table
from eegwf.storage.files import replacing, write_table, write_text

# Columns with computing times, so that the tables of a repeated run are equal.
VARYING_COLUMNS = (SECONDS,)
# Variables of the page whose tables have times or hosts; they are in timing.tsv, ledger.tsv and run.json.
VARYING = ("run_table", "time_table", "ledger_table")
# The checklists have files of their own; `run` is what the page was computed from.
ELSEWHERE = ("run", "about", "paper", *VARYING)
FORMATS: dict[str, Callable[[Figure], bytes]] = {"svg": svg, "pdf": pdf}


def write_paper(paths: PaperPaths, run: ReportData, shown: dict[str, Any]) -> None:
    """Write the files for a paper.

    Parameters
    ----------
    paths
        The files.
    run
        Content of the report.
    shown
        Content of the page.
    """
    paper = shown["paper"]
    write_text(paths.text, f"## Methods\n\n{paper['methods']}\n\n## Results\n\n{paper['results']}\n")
    write_text(paths.references, paper["bibtex"])
    write_text(paths.model_card, model_card(run, paper))
    for name, table in paper["checklists"].items():
        write_table(paths.checklist(name), as_frame(table))
    if paper["published"]:
        write_table(paths.table("published_scores"), as_frame(paper["published"]))
    content = {name: value for name, value in shown.items() if name not in ELSEWHERE}
    for place, table in find(content, Table):
        frame = as_frame(table)
        write_table(paths.table(_name(place)), frame.drop(columns=list(VARYING_COLUMNS), errors="ignore"))
    # Drawings of the EEG and timelines have no canvas. They stay in the page, since this folder is meant to be shared.
    for figure in (figure for _, figure in find(content, Figure) if figure.canvas):
        for kind in run.study.report.figure_formats:
            with replacing(paths.figure(figure.key, kind)) as file:
                file.write(FORMATS[kind](figure))


def find(value: Any, kind: type, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Find the tables or figures in the content of a page.

    Parameters
    ----------
    value
        Any value; mappings, lists, tuples and data classes are searched.
    kind
        Class to find.
    place
        Place of the value in the content.

    Yields
    ------
    place : tuple of str
        Names and numbers that lead to the object.
    found : object
        The object, in the order of the content.
    """
    if isinstance(value, kind):
        yield place, value
        return
    parts: dict[Any, Any] = {}
    if isinstance(value, dict):
        parts = value
    elif isinstance(value, list | tuple):
        parts = dict(enumerate(value, start=1))
    elif is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
    for name, part in parts.items():
        yield from find(part, kind, (*place, str(name)))


def _name(place: tuple[str, ...]) -> str:
    """Name of the file of a table at a place in the content, such as `events_detectors`."""
    return "_".join(part.removesuffix("_tables").removesuffix("_table") for part in place)


def as_frame(table: Table) -> pd.DataFrame:
    """A table of the page as text; the interval of a value follows it in parentheses."""
    names = [name or f"column {number}" for number, name in enumerate(table.columns, start=1)]
    rows = [[_text(cell) for cell in row] for row in table.rows]
    return pd.DataFrame(rows, columns=pd.Index(names))


def _text(cell: str | tuple[str, str]) -> str:
    if isinstance(cell, str):
        return " ".join(cell.split())
    return f"{cell[0]} ({cell[1]})" if cell[1] else cell[0]
