"""Patients: their scores with intervals, and the influence of each on the headline score."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from eegwf.evaluation.evaluate import scored_windows
from eegwf.evaluation.intervals import MIN_PATIENTS, Interval
from eegwf.evaluation.patient_influence import patient_intervals, without_each
from eegwf.report import figures_patients
from eegwf.report.data import ReportData
from eegwf.report.drawing import Group
from eegwf.report.formats import count, defined, difference, score
from eegwf.report.tables import Cell, Table, level

NO_INTERVAL = Interval(None, None)


@dataclass(frozen=True)
class PatientScores:
    """Scores of the patients, in ascending order of the balanced accuracy.

    Attributes
    ----------
    table
        `per_patient.tsv`.
    intervals
        Interval of the balanced accuracy of each patient with labeled windows.
    without
        Balanced accuracy of all windows without those of each patient; NaN where undefined.
    headline
        Balanced accuracy of all windows.
    """

    table: pd.DataFrame
    intervals: dict[str, Interval]
    without: dict[str, float]
    headline: float | None

    def change(self, patient: str) -> float | None:
        """Change of the headline without a patient; None if it is undefined."""
        value = self.without.get(patient)
        return value - self.headline if defined(value) and defined(self.headline) else None

    @property
    def changes(self) -> list[tuple[str, float]]:
        """Patients and defined changes of the headline without them, the largest change first."""
        found = [(name, self.change(name)) for name in self.without]
        known = [(name, change) for name, change in found if change is not None]
        return sorted(known, key=lambda item: (-abs(item[1]), item[0]))


def parts(run: ReportData) -> dict[str, Any]:
    """Content of the part of the section on folds and patients.

    Parameters
    ----------
    run
        Content of the report.

    Returns
    -------
    dict
        Variables of the template: `patient_figures`, `patient_table` and `influence`, a sentence.
    """
    found = patient_scores(run)
    figures = [figures_patients.patient_figure(run, found.table, found.intervals)]
    if found.changes and found.headline is not None:
        figures.append(figures_patients.influence_figure(run, found.changes, found.headline))
    return {
        "patient_figures": Group(caption(run), figures),
        "patient_table": patient_table(run, found),
        "influence": influence(run, found),
    }


def patient_scores(run: ReportData) -> PatientScores:
    """Score the patients with the primary member."""
    rows = run.predictions[run.predictions["member"] == run.primary]
    labeled = rows[rows["label"] != ""]
    member = scored_windows(labeled, run.classes)
    confidence = run.metrics["interval"]["confidence"]
    return PatientScores(
        run.per_patient.sort_values(["balanced_accuracy", "patient"], kind="stable", na_position="last"),
        patient_intervals(member, labeled["recording"].to_numpy(), len(run.classes), confidence),
        without_each(member, len(run.classes)),
        run.headline["balanced_accuracy"]["value"],
    )


def caption(run: ReportData) -> str:
    """Caption of the figures."""
    return (
        f"Lines through the dots are {level(run)} confidence intervals over the recordings of a patient, where they "
        "are defined. Diamonds: mean over the patients, and the score of all windows, with intervals over the patients."
    )


def influence(run: ReportData, found: PatientScores) -> str:
    """Describe the influence of single patients on the headline score.

    Parameters
    ----------
    run
        Content of the report.
    found
        Scores of the patients.

    Returns
    -------
    str
        Sentences.
    """
    if not found.changes:
        return "The influence of single patients on the balanced accuracy is undefined."
    (name, change), *others = found.changes
    member = "the ensemble" if run.primary == "ensemble" else run.primary
    text = (
        f"Without {name}, the patient with the largest influence, the balanced accuracy of {member} is "
        f"{score(found.without[name])} instead of {score(found.headline)} ({difference(change)})"
    )
    if others:
        text += f"; without any other patient it changes by at most {score(abs(others[0][1]))}"
    n_undefined = len(found.without) - len(found.changes)
    if n_undefined:
        text += (
            f". It is undefined without {count(n_undefined, 'patient')}, because no other patient has windows of one "
            "of the classes"
        )
    return f"{text}. No patient was left out of any result."


def patient_table(run: ReportData, found: PatientScores) -> Table:
    """Scores and influence of every patient.

    Parameters
    ----------
    run
        Content of the report.
    found
        Scores of the patients.

    Returns
    -------
    Table
        In ascending order of balanced accuracy.
    """
    counts = [f"n_{label}" for label in run.classes]
    rows: list[list[Cell]] = []
    for row in found.table.to_dict("records"):
        name = row["patient"]
        sizes = [f"{int(row[column]):,d}" for column in ("n_windows", *counts)]
        bounds = found.intervals.get(name, NO_INTERVAL)
        interval = f"{score(bounds.low)} to {score(bounds.high)}" if defined(bounds.low) else ""
        values = [score(row[kind]) for kind in ("accuracy", "auroc")]
        left_out = [score(found.without.get(name)), difference(found.change(name))]
        rows.append([name, str(row["fold"]), *sizes, (score(row["balanced_accuracy"]), interval), *values, *left_out])
    return Table(
        f"Scores by patient: {run.primary}, in ascending order of balanced accuracy",
        [
            "patient", "fold", "windows", *run.classes, "balanced accuracy", "accuracy", "AUROC",
            "balanced accuracy without the patient", "change without the patient",
        ],
        rows,
        "Balanced accuracy is the mean recall over the classes of the patient. AUROC is undefined for patients without "
        "windows of every class; all scores are undefined for patients without labeled windows. "
        f"{interval_note(run)} The last two columns are the balanced accuracy of all other patients, and its "
        "difference from that of all patients.",
        sortable=True,
        filter_label="Show patients with",
    )  # fmt: skip


def interval_note(run: ReportData) -> str:
    """How the intervals of patients were computed, and which patients have none."""
    return (
        f"{level(run)} confidence intervals are Student's t on the logit scale over the recordings of a patient, since "
        f"the windows of a recording are correlated; there is none unless at least {MIN_PATIENTS} recordings have "
        "windows of each class of the patient."
    )
