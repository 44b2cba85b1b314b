"""External tests in the summary: the data set on which combinations were tuned, and those on which they were tested."""

from collections.abc import Mapping, Sequence
from typing import Any

from eegwf.config.paths import RunPaths
from eegwf.report.formats import with_interval
from eegwf.report.tables import Cell, Table
from eegwf.storage.files import read_json

KINDS = {"balanced_accuracy": "balanced accuracy", "auroc": "AUROC"}
Tests = dict[str, dict[str, Any]]


def read_tests(run: RunPaths, names: Sequence[str]) -> Tests:
    """Read the scores of a combination on external data sets.

    Parameters
    ----------
    run
        Files of the combination.
    names
        Names of the data sets.

    Returns
    -------
    dict
        Content of `metrics.json` of each data set.
    """
    return {name: read_json(run.external(name).metrics) for name in names}


def external_columns(tests: Tests) -> dict[str, float | None]:
    """Columns of `summary.tsv`: the mean scores of the folds' models on each data set, and their differences."""
    columns: dict[str, float | None] = {}
    for name, metrics in tests.items():
        for kind in KINDS:
            for part, title in (("mean_of_folds", kind), ("difference", f"{kind}_difference")):
                entry = metrics[part][kind]
                columns |= {f"{name}_{title}": entry["value"]}
                columns |= {f"{name}_{title}_{bound}": entry[bound] for bound in ("low", "high")}
    return columns


def external_matrix(
    study: str, tests: Mapping[str, Tests], internal: Mapping[str, dict[str, Any]], labels: Mapping[str, str]
) -> Table | None:
    """Table of the scores by the data set on which a combination was tuned and that on which it was tested.

    Parameters
    ----------
    study
        Name of the study.
    tests
        External tests of each combination of a class set.
    internal
        `metrics.json` of each combination.
    labels
        Titles of the combinations.

    Returns
    -------
    Table or None
        None without external tests.
    """
    names = list(next(iter(tests.values()), {}))
    if not names:
        return None
    rows: list[list[Cell]] = []
    for key, title in labels.items():
        cells: list[Cell] = []
        for kind in KINDS:
            cells.append(with_interval(internal[key]["members"][internal[key]["primary"]][kind]))
            cells += [with_interval(tests[key][name]["mean_of_folds"][kind]) for name in names]
        rows.append([f"{study}: {title}", *cells])
    return Table(
        "Tuned on the data set of the row, tested on that of the column, with confidence intervals",
        ["tuned on", *(f"{title}, {name}" for title in KINDS.values() for name in (f"{study} (internal)", *names))],
        rows,
        "Internal: primary member, pooled test folds. Others: mean of the scores of the folds' models on the whole "
        "data set. A study has one row for each of its combinations; other rows are in the summaries of studies that "
        "were tuned on the other data sets.",
    )
