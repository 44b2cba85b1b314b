"""Section on subgroups: scores by columns of `participants.tsv`, and by event type of the seizures."""

from collections.abc import Mapping
from typing import Any

from eegwf.data.participants import MIN_GROUP
from eegwf.report.data import ReportData
from eegwf.report.formats import listing, with_interval
from eegwf.report.tables import Cell, Table, level


def parts(run: ReportData) -> dict[str, Any]:
    """Content of the section.

    Parameters
    ----------
    run
        Content of the report.

    Returns
    -------
    dict
        Variables of the template: `subgroups`, an introduction, `subgroup_tables` and `seizure_type_table` (None
        without seizures of any type).
    """
    # Evaluations of earlier versions have no subgroups.
    found = run.metrics.get("subgroups") or {"columns": {}, "seizure_types": []}
    return {
        "subgroups": introduction(list(found["columns"])),
        "subgroup_tables": [group_table(run, column, groups) for column, groups in found["columns"].items()],
        "seizure_type_table": type_table(run, found["seizure_types"]) if found["seizure_types"] else None,
    }


def introduction(columns: list[str]) -> str:
    """What the subgroups are, and what their scores do not show."""
    if not columns:
        return "No column of participants.tsv was declared in the configuration (evaluation.subgroups)."
    return (
        f"The subgroups by {listing(columns)} were declared in the configuration (evaluation.subgroups). Differences "
        "between groups were not tested: with few patients in a group, its interval is wide, and groups also differ in "
        "other properties and in the proportions of the classes."
    )


def group_table(run: ReportData, column: str, groups: list[Mapping[str, Any]]) -> Table:
    """Scores of the groups of a column.

    Parameters
    ----------
    run
        Content of the report.
    column
        Name of the column.
    groups
        Its groups, as in `metrics.json`.

    Returns
    -------
    Table
        A row per group.
    """
    kinds = ["balanced_accuracy", "auroc", *(["detection_auroc"] if len(run.classes) > 2 else [])]
    titles = ["balanced accuracy", "AUROC", *(["detection AUROC"] if len(run.classes) > 2 else [])]
    rows: list[list[Cell]] = [
        [
            group["group"],
            str(group["n_patients"]),
            f"{group['n_windows']:,d}",
            *(_cell(group[kind]) for kind in kinds),
            *(_cell(of_class["recall"], of_class["n_patients"]) for of_class in group["per_class"].values()),
        ]
        for group in groups
    ]
    note = (
        f"There is no score of fewer than {MIN_GROUP} patients, nor one that depends on a class which fewer than "
        f"{MIN_GROUP} patients of the group have. The balanced accuracy averages over the classes that occur in the "
        "group. Patients without a value are in the group unknown."
    )
    if len(run.classes) > 2:
        note += f" Detection AUROC: any class but {run.classes[0]}."
    columns = [column, "patients", "windows", *titles, *(f"recall of {label}" for label in run.classes)]
    return Table(f"Scores by {column}: {run.primary}, with {level(run)} confidence intervals", columns, rows, note)


def type_table(run: ReportData, types: list[Mapping[str, Any]]) -> Table:
    """Scores by event type of the seizures.

    Parameters
    ----------
    run
        Content of the report.
    types
        Event types, as in `metrics.json`.

    Returns
    -------
    Table
        A row per event type.
    """
    rows: list[list[Cell]] = [
        [
            row["event_type"],
            row["class"],
            "" if row["n_seizures"] is None else str(row["n_seizures"]),
            _cell(row["sensitivity"], row["n_patients"]),
            f"{row['n_windows']:,d}",
            _cell(row["recall"], row["n_patients_windows"]),
        ]
        for row in types
    ]
    return Table(
        f"Scores by event type: {run.primary}, with {level(run)} confidence intervals",
        ["event type", "class", "annotated seizures", "sensitivity for seizures", "windows", "recall of windows"],
        rows,
        "Sensitivity: fraction of the annotated seizures with a detection within the tolerances of the section on "
        "events, at the operating point; in contrast to the scores there, seizures are neither merged nor split. "
        "Recall: fraction of the windows with this label whose class is predicted. A window that several types cover "
        f"has the type that includes them. There is no score of fewer than {MIN_GROUP} patients.",
        text={1},
    )


def _cell(entry: Mapping[str, Any], n_patients: int | None = None) -> Cell:
    """A score with its interval and number of patients, or the reason why there is none."""
    if entry["value"] is None:
        return f"not computed: {entry['reason']}"  # unlike an interval, it may be wrapped
    value, bounds = with_interval(entry)
    return value, bounds if n_patients is None else f"{bounds}, {n_patients} patients"
