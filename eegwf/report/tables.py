"""Tables of the page: of scores, folds, patients and events."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from eegwf.report.data import Run
from eegwf.report.formats import (
    UNDEFINED,
    defined,
    difference,
    difference_interval,
    duration,
    number,
    score,
    share,
    with_interval,
)
from eegwf.report.selection import FoldScores, Optimism, mean
from eegwf.report.statement import kept_recordings, undefined_note

Cell = str | tuple[str, str]


@dataclass(frozen=True)
class Table:
    """A table with a caption; a cell is text, or a value and its interval. The first column names the row.

    Attributes
    ----------
    text
        Columns of words, set to the left; all others are numbers.
    strong
        Rows to stress.
    """

    caption: str
    columns: list[str]
    rows: list[list[Cell]]
    note: str = ""
    text: set[int] = field(default_factory=set)
    strong: set[int] = field(default_factory=set)


def class_table(run: Run) -> Table:
    """Scores of each class, primary member."""
    kinds = ("recall", "precision", "f1", "auroc", "auprc")
    rows: list[list[Cell]] = [
        [label, f"{of['n_windows']:,d}", *(with_interval(of[kind]) for kind in kinds)]
        for label, of in run.headline["per_class"].items()
    ]
    return Table(
        f"Each class against the rest, {run.primary}, with {level(run)} intervals",
        ["class", "windows", "recall (sensitivity)", "precision", "F1", "AUROC", "AUPRC"],
        rows,
        undefined_note(run),
    )


def member_table(run: Run) -> Table:
    """Scores of every member with intervals."""
    kinds = ("balanced_accuracy", "macro_f1", "accuracy", "auroc", "auprc", "cohen_kappa")
    members = run.metrics["members"]
    rows: list[list[Cell]] = [[name, *(with_interval(of[kind]) for kind in kinds)] for name, of in members.items()]
    for name, floor in run.metrics["floors"].items():
        rows.append([f"floor: {name}", *(score(floor[kind]) if kind in floor else "" for kind in kinds)])
    names = list(members)
    n_ranks = sum(name != "ensemble" for name in names)
    ranks = f"rank1 to rank{n_ranks} are" if n_ranks > 1 else "rank1 stands for"
    return Table(
        f"Every member on the pooled test folds, with {level(run)} intervals",
        ["member", "balanced accuracy", "macro F1", "accuracy", "AUROC", "AUPRC", "Cohen's kappa"],
        rows,
        f"{run.primary} was named the primary member in the configuration before the run; the others are no menu to "
        f"choose the best from. {ranks} each fold's best tuned parameter sets, retrained. The majority floor answers "
        "every window with the most frequent class of the other folds.",
        strong={names.index(run.primary)},
    )


def level(run: Run) -> str:
    """Confidence of the intervals in words."""
    return f"{number(round(100 * run.metrics['bootstrap']['confidence'], 6))} %"


def fold_table(run: Run, folds: list[FoldScores], optimism: Optimism) -> Table:
    """Scores and sizes of every outer fold, and the mean optimism."""
    rows: list[list[Cell]] = []
    truth, _, _, of_fold = run.scored(run.primary)
    sizes = {row["fold"]: row["n_patients"] for row in run.metrics["per_fold"]}
    for fold in folds:
        counts = [int(((of_fold == fold.fold) & (truth == at)).sum()) for at in range(len(run.classes))]
        told = [f"{n:,d}" if n else "0 (missing)" for n in counts]
        values = [score(value) for value in (fold.tuned, fold.validation, fold.first, fold.primary)]
        own = (difference(fold.optimism), "seen by tuning") if fold.seen else difference(fold.optimism)
        rows.append([str(fold.fold), str(sizes[fold.fold]), *told, *values, own])
    means = [mean([getattr(fold, kind) for fold in folds]) for kind in ("tuned", "validation", "first", "primary")]
    bounds = difference_interval(optimism.low, optimism.high) or "no interval"
    seen = any(fold.seen for fold in folds)
    pooled = (difference(optimism.value), "fold 1 alone" if seen else bounds)
    rows.append(["mean", "", *[""] * len(run.classes), *(score(value) for value in means), pooled])
    note = "A class missing from a test fold is left out of that fold's balanced accuracy."
    if optimism.low is not None:
        note += (
            f" The interval of the mean optimism ({level(run)}) is Student's t over the folds, its variance corrected "
            "for training sets that overlap (Nadeau and Bengio, 2003); in cross-validation it is approximate."
        )
    if seen:
        note += (
            " Seen by tuning: the study has trained or validated on the fold's test patients, so its difference is not "
            "averaged; the means of the other columns hold these folds."
        )
    return Table(
        "Outer folds: windows, scores and selection optimism",
        [
            "fold", "patients", *run.classes, "tuned value (validation)", "validation, retrained rank1",
            "test, rank1", f"test, {run.primary}", "optimism (tuned − test rank1)",
        ],
        rows,
        note,
        strong={len(rows) - 1},
    )  # fmt: skip


def patient_table(run: Run) -> Table:
    """Scores of every patient, worst first."""
    table = run.per_patient.sort_values(["balanced_accuracy", "patient"], kind="stable", na_position="last")
    counts = [f"n_{label}" for label in run.classes]
    kinds = ("balanced_accuracy", "accuracy", "auroc")
    rows: list[list[Cell]] = []
    for row in table.to_dict("records"):
        sizes = [f"{int(row[name]):,d}" for name in ("n_windows", *counts)]
        rows.append([row["patient"], str(row["fold"]), *sizes, *(score(row[kind]) for kind in kinds)])
    return Table(
        f"Every patient, {run.primary}, worst first",
        ["patient", "fold", "windows", *run.classes, "balanced accuracy", "accuracy", "AUROC"],
        rows,
        "Balanced accuracy runs over the classes that the patient has. AUROC is undefined for a patient who lacks a "
        "class; everything is for one without labelled windows.",
    )


def event_table(run: Run) -> Table | None:
    """Seizure events of every patient, all of them first; None if none were scored."""
    events = run.events
    if events.empty:
        return None
    # The last row pools all patients, whatever a patient may be called.
    events = pd.concat([events.tail(1), events.iloc[:-1]])
    rows: list[list[Cell]] = [
        [
            "all patients" if at == 0 else row["patient"],
            *(f"{int(row[name]):,d}" for name in ("n_events", "tp", "fp")),
            *(share(row[name]) for name in ("sensitivity", "precision")),
            score(row["f1"]),
            number(row["false_alarms_per_day"]),
        ]
        for at, row in enumerate(events.to_dict("records"))
    ]
    return Table(
        f"Seizure events, {run.primary}",
        ["patient", "events", "found", "false alarms", "sensitivity", "precision", "F1", "false alarms per day"],
        rows,
        "Sensitivity is undefined for a patient without seizures, precision where nothing was reported.",
        strong={0},
    )


def event_summary(run: Run) -> dict[str, Any] | None:
    """The pooled row of the events, as written on the page."""
    events = run.events
    if events.empty:
        return None
    row = events.iloc[-1]
    return {
        "n_events": int(row["n_events"]),
        "tp": int(row["tp"]),
        "fp": int(row["fp"]),
        "sensitivity": share(row["sensitivity"]),
        "precision": share(row["precision"]),
        "f1": score(row["f1"]),
        "time": duration(float(kept_recordings(run)["duration"].sum())),
        "rate": number(row["false_alarms_per_day"]) if defined(row["false_alarms_per_day"]) else UNDEFINED,
    }
