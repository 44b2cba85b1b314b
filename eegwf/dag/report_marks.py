"""What the report of Snakemake, `snakemake --report`, shows: captions, categories and labels of marked outputs."""

from typing import Any

# Relative to the rule files, so that they are also found in a workflow that is read from a repository.
CAPTIONS = "../workflow/report"
COMBINATION = {"model": "{model}", "spectrogram": "{spectrogram}"}
# Category, subcategory and labels of each mark; the caption is the file of the mark's name.
MARKS: dict[str, tuple[str, str | None, dict[str, str]]] = {
    "summary": ("Summary", None, {"file": "page"}),
    "summary_table": ("Summary", None, {"file": "scores"}),
    "comparison": ("Summary", None, {"file": "differences of all pairs"}),
    "report": ("Reports", "{classes}", COMBINATION),
    "per_patient": ("Tables", "{classes}", COMBINATION | {"table": "scores by patient"}),
    "events": ("Tables", "{classes}", COMBINATION | {"table": "seizure events"}),
    "ledger": ("Tables", "{classes}", COMBINATION | {"table": "computing cost"}),
    "external_report": ("External tests", "{classes}", COMBINATION | {"data set": "{external}"}),
    "folds": ("Data", None, {"file": "folds"}),
    "leakage": ("Data", None, {"file": "leakage checks"}),
}


def report_mark(name: str) -> dict[str, Any]:
    """Arguments with which a rule marks an output by Snakemake's `report()`.

    Parameters
    ----------
    name
        Name of the mark in `MARKS`.

    Returns
    -------
    dict
        `caption`, `category`, `subcategory` and `labels`.
    """
    category, subcategory, labels = MARKS[name]
    caption = f"{CAPTIONS}/{name}.rst"
    return {"caption": caption, "category": category, "subcategory": subcategory, "labels": dict(labels)}
