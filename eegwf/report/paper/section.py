"""Section of the page for a paper."""

from typing import Any

from eegwf.report.data import ReportData
from eegwf.report.paper.checklists import checklists
from eegwf.report.paper.methods import methods
from eegwf.report.paper.published import published_table
from eegwf.report.paper.references import bibtex, used_references
from eegwf.report.paper.results import results


def parts(run: ReportData, about: dict[str, Any]) -> dict[str, Any]:
    """Variables of the template.

    Parameters
    ----------
    run
        Content of the report.
    about
        Content of `run.json`.

    Returns
    -------
    dict
        `paper`, with `methods`, `results`, `published` (None without published scores), `checklists` by name, `bibtex`
        and `n_references`.
    """
    paper = {
        "methods": methods(run, about),
        "results": results(run),
        "published": published_table(run),
        "checklists": checklists(run, about),
        "bibtex": bibtex(run),
        "n_references": len(used_references(run)),
    }
    return {"paper": paper}
