"""Write the report of a study of `report_study`, and read tables and text from the page."""

import html
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.stages.report import ReportSettings
from eegwf.config.study import StudyDesign
from eegwf.dag.stages import STAGES
from eegwf.jobs import report as report_job
from eegwf.report.data import ReportData, collect

Rows = list[list[str]]


def report_data(study: StudyDesign, results: Path, spectrogram: str = "mel", classes: str = "2class") -> ReportData:
    """What a report shows of a combination."""
    return collect(study, ResultPaths(results), Combination("vit", spectrogram, classes))


def write_report(
    study: StudyDesign, results: Path, spectrogram: str = "mel", classes: str = "2class", output: Path | None = None
) -> tuple[str, dict[str, Rows]]:
    """Write the report of a combination.

    Returns
    -------
    page, tables
        The page, and its tables by caption.
    """
    output = output or results / f"vit_{spectrogram}_{classes}" / "report.html"
    report_job.run(ReportSettings(study=study), results, "vit", spectrogram, classes, list(STAGES), output)
    page = output.read_text(encoding="utf-8")
    tables = {}
    for part in re.findall(r"<table[^>]*>.*?</table>", page, flags=re.DOTALL):
        part = part.replace('<span class="interval">', '<span class="interval"> ')
        root = ET.fromstring(_without_named_entities(part))
        caption = root.find("caption")
        assert caption is not None
        rows = [["".join(cell.itertext()).strip() for cell in row] for row in root.iter("tr")]
        tables["".join(caption.itertext())] = rows
    return page, tables


def _without_named_entities(text: str) -> str:
    """Resolve the entities that XML does not define."""
    return re.sub(r"&(?!amp;|lt;|gt;|quot;|#)(\w+);", lambda entity: html.unescape(entity[0]), text)


def column(rows: Rows, name: str) -> dict[str, str]:
    """Cells of a column of a table, by the name of the row."""
    number = rows[0].index(name)
    return {row[0]: row[number] for row in rows[1:]}


def table_of(tables: dict[str, Rows], start: str) -> Rows:
    """The table whose caption starts with a text."""
    return next(rows for caption, rows in tables.items() if caption.startswith(start))


def text_of(page: str) -> str:
    """Text of the page without markup, with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
