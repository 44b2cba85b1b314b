"""Audit of the labels: annotated and expected seizures of each patient, and the windows that are scored."""

import numpy as np
import pandas as pd

from eegwf.config.data import FoldArrays, RecordedDataset
from eegwf.data.events import EventRules
from eegwf.data.seizure_counts import compare_expected
from eegwf.report.data import ReportData
from eegwf.report.tables import Cell, Table

# Seconds that a window and a seizure must share: times in tables have 9 significant digits.
SHARED = 1e-4


def label_table(run: ReportData) -> Table:
    """Seizures, scored windows and excluded recordings of every patient.

    Parameters
    ----------
    run
        Content of the report.

    Returns
    -------
    Table
        A row per patient, also for those whose recordings are all excluded, and the sums.
    """
    timed = not isinstance(run.study.dataset, FoldArrays)
    expected = _expected(run)
    windows = _scored_windows(run)
    seizures = _seizures(run, windows)
    excluded = run.recordings[run.recordings["excluded"] != ""] if "excluded" in run.recordings else run.recordings[:0]
    fold_of = dict(zip(run.folds["patient"], run.folds["fold"], strict=True))
    counts = pd.DataFrame(index=sorted(set(run.recordings["patient"])))
    if timed:
        counts["seizures annotated"] = seizures["patient"].value_counts()
        if expected:
            counts["expected"] = pd.Series(expected)
        counts["of a class"] = seizures.loc[seizures["of_class"], "patient"].value_counts()
        counts["with scored windows"] = seizures.loc[seizures["scored"], "patient"].value_counts()
    for label in run.classes:
        counts[f"windows of {label}"] = windows.loc[windows["label"] == label, "patient"].value_counts()
    counts["excluded recordings"] = excluded["patient"].value_counts()
    rows: list[list[Cell]] = []
    for patient, values in counts.iterrows():
        shown = [_number(value, name == "expected") for name, value in values.items()]
        fold = fold_of.get(patient)
        rows.append([str(patient), "none" if fold is None else str(fold) if fold else "reserved", *shown])
    rows.append(["all", "", *(_number(counts[name].sum(), False) for name in counts)])
    note = "Windows are those that are scored in this class set; those of reserved patients are not."
    if timed:
        note += (
            " Seizures are the annotated ones of the recordings that are used; of a class: those whose event type is "
            "in the class set; with scored windows: those that share time with a scored window of their class."
        )
    return Table(
        "Labels by patient", ["patient", "fold", *counts], rows, note, text={1}, strong={len(rows) - 1},
        sortable=True, filter_label="Show patients with",
    )  # fmt: skip


def cautions(run: ReportData) -> list[str]:
    """List the patients whose number of annotated seizures is not the expected one.

    Parameters
    ----------
    run
        Content of the report.

    Returns
    -------
    list of str
        A sentence for each patient.
    """
    expected = _expected(run)
    if not expected:
        return []
    found = _seizures(run, _scored_windows(run))["patient"].value_counts()
    annotated = {patient: int(found.get(patient, 0)) for patient in run.recordings["patient"]}
    return [f"{line} (dataset.expected_seizures)." for line in compare_expected(expected, annotated)]


def _expected(run: ReportData) -> dict[str, int]:
    dataset = run.study.dataset
    return dataset.expected_seizures if isinstance(dataset, RecordedDataset) else {}


def _scored_windows(run: ReportData) -> pd.DataFrame:
    """Labeled windows of the primary member, with their ends."""
    table = run.predictions
    table = table[(table["member"] == run.primary) & (table["label"] != "")]
    duration = table["window"].map(run.windows.set_index("window")["duration"])
    return table.assign(end=table["onset"] + duration)


def _seizures(run: ReportData, windows: pd.DataFrame) -> pd.DataFrame:
    """Annotated seizures: `patient`, whether of a class of the class set, and whether a window of it is scored."""
    dataset = run.study.dataset
    if isinstance(dataset, FoldArrays):
        return pd.DataFrame({"patient": [], "of_class": [], "scored": []}).astype({"of_class": bool, "scored": bool})
    rules = EventRules.of(dataset)
    patient_of = dict(zip(run.recordings["recording"], run.recordings["patient"], strict=True))
    windows_of = {name: part for name, part in windows.groupby("recording")}
    rows = []
    for event in run.annotations.to_dict("records"):
        if not rules.is_seizure(event["label"]):
            continue
        name, part = run.class_of(event["label"]), windows_of.get(event["recording"])
        scored = False
        if name is not None and part is not None:
            own = part[part["label"] == name]
            end = event["onset"] + event["duration"]
            shared = np.minimum(own["end"], end) - np.maximum(own["onset"], event["onset"])
            scored = bool((shared > SHARED).any())
        rows.append([patient_of[event["recording"]], name is not None, scored])
    return pd.DataFrame(rows, columns=["patient", "of_class", "scored"]).astype({"of_class": bool, "scored": bool})


def _number(value: float, may_be_missing: bool) -> str:
    """A count; empty if none is expected."""
    if pd.isna(value):
        return "" if may_be_missing else "0"
    return f"{int(value):,d}"
