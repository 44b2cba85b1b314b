"""Tables of the report of an external test."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from eegwf.data.opened_recording import recorded_rate
from eegwf.evaluation.external_predictions import FINAL
from eegwf.report.external_data import DataSet, ExternalReportData
from eegwf.report.formats import (
    count,
    defined,
    difference,
    difference_interval,
    duration,
    interval,
    number,
    score,
    with_interval,
)
from eegwf.report.tables import Cell, Table

SCORES = {
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "sensitivity_at_specificity": "sensitivity of seizure detection",
}
EVENTS = {
    "sensitivity": "event sensitivity",
    "precision": "event precision",
    "f1": "event F1",
    "false_alarms_per_day": "false alarms in 24 h",
}
RATE = "false_alarms_per_day"
DATA_SETS = ("internal", "external")


def score_table(report: ExternalReportData) -> Table:
    """Internal and external scores side by side, with their difference."""
    metrics = report.metrics
    rows = [_score_row(title, kind, metrics) for kind, title in SCORES.items()]
    events = metrics["events"]
    if events:
        rows += [_score_row(title, kind, events) for kind, title in EVENTS.items()]
    has_final = FINAL in metrics["members"]
    folds = count(len(report.folds), "fold")
    note = (
        f"Internal: {metrics['internal']['member']}, pooled test folds of the cross-validation. External: mean of the "
        f"scores of the models of {folds}, each with the whole external data set; this is the counterpart of the "
        f"internal score. Difference: external minus internal, with the {report.level} percentiles of differences of "
        "two independent patient bootstraps. "
        + ("Final models: those that are trained on all patients; they have no internal score. " if has_final else "")
        + f"The sensitivity of seizure detection is at a specificity of {number(metrics['specificity'])}. AUPRC, F1 "
        "and precision depend on the share of seizure windows, which may differ between the data sets."
    )
    columns = ["score", "internal", "external", "difference", *(["final models"] if has_final else [])]
    return Table(
        f"Internal and external scores, with {report.level} confidence intervals", columns, rows, note, set(), {0}
    )


def _score_row(title: str, kind: str, part: Mapping[str, Any]) -> list[Cell]:
    """Row of the scores that the metrics, or their part of the events, contain."""
    change = part["difference"][kind]
    cells: list[Cell] = [_cell(kind, part["internal"][kind]), _cell(kind, part["mean_of_folds"][kind])]
    if kind == RATE:
        bounds = f"{_signed(change['low'])} to {_signed(change['high'])}" if defined(change["low"]) else "no interval"
        cells.append((_signed(change["value"]), bounds))
    else:
        cells.append((difference(change["value"]), difference_interval(change["low"], change["high"]) or "no interval"))
    if FINAL in part["members"]:
        cells.append(_cell(kind, part["members"][FINAL][kind]))
    return [title, *cells]


def _cell(kind: str, entry: Mapping[str, Any]) -> Cell:
    if kind != RATE:
        return with_interval(entry)
    bounds = f"{number(entry['low'])} to {number(entry['high'])}" if defined(entry["low"]) else "no interval"
    return number(entry["value"]) if defined(entry["value"]) else "undefined", bounds


def _signed(value: float | None) -> str:
    if not defined(value):
        return "undefined"
    return f"{'+' if value > 0 else ''}{number(value)}".replace("-", "\N{MINUS SIGN}")


def member_table(report: ExternalReportData) -> Table:
    """Scores of every member on the external data set."""
    rows: list[list[Cell]] = []
    events = report.metrics["events"]
    for name, scores in report.metrics["members"].items():
        cells: list[Cell] = [with_interval(scores[kind]) for kind in SCORES]
        if events:
            cells += [_cell(kind, events["members"][name][kind]) for kind in EVENTS]
        rows.append(["final models" if name == FINAL else f"models of {name}", *cells])
    columns = ["member", *SCORES.values(), *(EVENTS.values() if events else [])]
    return Table(f"Scores of each member on {report.name}, with {report.level} confidence intervals", columns, rows)


def mapping_table(report: ExternalReportData) -> Table:
    """Class of each event type of the external data set."""
    rows: list[list[Cell]] = []
    for row in report.mapping.to_dict("records"):
        counts = [f"{int(row[name]):,d}" for name in ("n_events", "n_windows", "n_patients")]
        rows.append([row["event_type"], row["class"] or "none, left out", *counts])
    entries = "; ".join(f"{name}: {', '.join(types)}" for name, types in report.class_set.items())
    return Table(
        f"Classes of the event types of {report.name}",
        ["event type", "class", "annotated events", "windows", "patients"],
        rows,
        f"The class set {report.combination.classes} of the study ({entries}) was applied to the event types of the "
        "data set; an event type includes its subtypes. Windows without a class are neither predicted nor scored.",
        text={1},
    )


def data_table(report: ExternalReportData) -> Table:
    """The two data sets side by side."""
    sets = [report.data[part] for part in DATA_SETS]
    lengths = [float(part.recordings["duration"].sum()) for part in sets]
    rows: list[list[Cell]] = [
        ["patients with windows", *(str(part.windows["patient"].nunique()) for part in sets)],
        ["recordings used", *(str(len(part.recordings)) for part in sets)],
        ["recordings excluded", *(str(part.n_excluded) for part in sets)],
        ["length of the recordings", *map(duration, lengths)],
        ["annotated seizures", *(number(float(_column(part, "n_seizures").sum())) for part in sets)],
        *(_class_row(report, name) for name in report.classes),
        ["recorded sampling rate (Hz)", *(_range(_recorded_rates(part)) for part in sets)],
        ["sampling rate of the windows (Hz)", *(_range(part.recordings["sfreq"].tolist()) for part in sets)],
        ["standard deviation (µV), median and range", *(_median(part, "sd_uv") for part in sets)],
        ["power at 50 or 60 Hz, median and range", *(_median(part, "line_noise") for part in sets)],
        ["correlation of channels, median and range", *(_median(part, "correlation") for part in sets)],
    ]
    return Table(
        "The data set of the study and the external one",
        ["", f"{report.study} (internal)", f"{report.name} (external)"],
        rows,
        "Windows of reserved patients are included. Standard deviation, power at the frequency of the power line and "
        "correlation of the worst channel are of recordings, after the filters of the study.",
    )


def _class_row(report: ExternalReportData, name: str) -> list[Cell]:
    return [f"windows of {name}", *(_share(report.class_windows(part), name) for part in DATA_SETS)]


def _share(counts: Mapping[str, int], name: str) -> Cell:
    total = sum(counts.values())
    return f"{counts[name]:,d}", f"{100 * counts[name] / total:.1f} %" if total else ""


def _recorded_rates(part: DataSet) -> list[float]:
    rows = part.recordings.to_dict("records")
    return [recorded_rate(str(row.get("notes", ""))) or float(row["sfreq"]) for row in rows]


def _column(part: DataSet, name: str) -> "pd.Series[float]":
    """Column of the recordings, without values if an earlier version has written the table."""
    return part.recordings.get(name, pd.Series(dtype=float)).dropna().astype(float)


def _range(values: list[float]) -> str:
    low, high = min(values), max(values)
    return number(float(low)) if low == high else f"{number(float(low))} to {number(float(high))}"


def _median(part: DataSet, column: str) -> str:
    values = _column(part, column)
    if values.empty:
        return "unknown"
    return f"{number(values.median())} ({number(values.min())} to {number(values.max())})"


def calibration_table(report: ExternalReportData) -> Table:
    """Scores of the probabilities, internal and external."""
    found = report.metrics["calibration"]
    parts = {"internal": found["internal"]}
    parts |= {("final models" if name == FINAL else f"models of {name}"): one for name, one in found["members"].items()}
    rows: list[list[Cell]] = []
    for title, scores in parts.items():
        cells: list[Cell] = []
        for kind in ("raw", "calibrated"):
            cells += [with_interval(scores[kind][loss]) for loss in ("log_loss", "brier")]
            cells.append(score(scores[kind]["ece"]["equal_mass"]))
        rows.append([title, *cells])
    kinds = ("log loss", "Brier score", "ECE")
    return Table(
        f"Probabilities before and after calibration, with {report.level} confidence intervals",
        ["member", *(f"{kind}, raw" for kind in kinds), *(f"{kind}, calibrated" for kind in kinds)],
        rows,
        "The calibrations were fitted on the validation patients of the study, with its proportions of the classes; "
        "with other proportions they are less suitable. The log loss is in nats; the expected calibration error (ECE) "
        "is the mean over the classes, in bins of equal numbers of windows.",
    )


def patient_table(report: ExternalReportData) -> Table:
    """Scores of each external patient: mean over the folds, and the final models."""
    kept = ["balanced_accuracy", "auroc"]
    scores = report.per_patient
    folds = scores[scores["member"] != FINAL].groupby("patient")[kept].mean()
    folds = folds.sort_values("balanced_accuracy", kind="stable", na_position="last")
    final = {row["patient"]: row for row in scores[scores["member"] == FINAL].to_dict("records")}
    counts = {row["patient"]: row for row in scores[scores["member"] == report.shown].to_dict("records")}
    rows: list[list[Cell]] = []
    for patient, values in zip(folds.index, folds.to_dict("records"), strict=True):
        sizes = [f"{int(counts[patient][f'n_{name}']):,d}" for name in report.classes]
        cells = [score(float(values[kind])) for kind in kept]
        if final:
            cells += [score(float(final[patient][kind])) for kind in kept]
        rows.append([f"{report.name}: {patient}", *sizes, *cells])
    kinds = ("balanced accuracy", "AUROC")
    columns = ["patient", *report.classes, *(f"{kind}, mean of the folds" for kind in kinds)]
    columns += [f"{kind}, final models" for kind in kinds] if final else []
    return Table(
        f"Scores by patient of {report.name}, in ascending order of balanced accuracy",
        columns,
        rows,
        "Patients are named with their data set, since equal ids in two data sets are no sign of one person. Balanced "
        "accuracy is the mean recall over the classes of the patient; AUROC is undefined for patients without windows "
        "of every class.",
        sortable=True,
        filter_label="Show patients with",
    )


def leakage_table(report: ExternalReportData) -> Table:
    """Leakage checks across the two data sets."""
    rows: list[list[Cell]] = []
    for check in report.leakage["checks"]:
        found = check.get("largest_similarity")
        result = f"{check['leaks']} shared patients"
        if defined(found):
            result += f", largest similarity {score(found)} (limit {number(check['limit'])})"
        rows.append([check["check"], check["examined"], result])
    return Table("Leakage checks across the two data sets", ["check", "examined", "result"], rows, text={1, 2})


def describe(entry: Mapping[str, Any]) -> str:
    """A score with its interval in parentheses."""
    bounds = interval(entry)
    return f"{score(entry['value'])}" + (f" ({bounds})" if bounds else "")
