"""Checks of the class sets: windows of every class, in every fold."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from eegwf.checks.findings import Findings, format_names
from eegwf.config.stages.data import FoldsSettings
from eegwf.config.training import RECORDING_NORMALIZATIONS
from eegwf.dag.flow import Flow
from eegwf.dag.stage_config import stage_config
from eegwf.data.events import classify
from eegwf.data.seizure_counts import SeizureCounts
from eegwf.data.splits import WindowSet, split
from eegwf.data.study_folds import study_folds as make_study_folds
from eegwf.errors import InputError

WindowCounts = Counter[tuple[str, str]]


def study_folds(flow: Flow, windows: WindowCounts, findings: Findings, lost: Sequence[str] = ()) -> pd.DataFrame | None:
    """Assign the patients to folds as the study will, or read the given folds.

    Parameters
    ----------
    flow
        The study.
    windows
        Number of windows of each (patient, label).
    findings
        Receives the lines.
    lost
        Ids of patients without windows.

    Returns
    -------
    DataFrame or None
        Table as of `eegwf.data.study_folds`; None if it can't be made or read, which is a problem in `findings`.
    """
    rows = [(patient, label) for (patient, label), number in windows.items() for _ in range(number)]
    table = pd.DataFrame(rows, columns=["patient", "label"])
    try:
        settings = stage_config(flow.study, "folds", None)
        assert isinstance(settings, FoldsSettings)
        folds = make_study_folds(table, settings, lost=lost)
    except (InputError, OSError) as error:
        findings.problems.append(str(error))
        return None
    sizes = folds["fold"][folds["fold"] > 0].value_counts()
    n_patients = f"{sizes.min()}" if sizes.min() == sizes.max() else f"{sizes.min()} to {sizes.max()}"
    n_reserved = int((folds["fold"] == 0).sum())
    findings.facts.append(
        f"folds: {len(sizes)}, of {n_patients} patients each"
        + (f"; {n_reserved} patients are reserved for tuning" if n_reserved else "")
    )
    return folds


def check_classes(
    flow: Flow,
    windows: WindowCounts,
    folds: pd.DataFrame | None,
    findings: Findings,
    seizures: Mapping[str, SeizureCounts] = MappingProxyType({}),
) -> None:
    """Report the windows and patients of each class, and find classes without windows in the study or in a fold.

    Parameters
    ----------
    flow
        The study.
    windows
        Number of windows of each (patient, label).
    folds
        Table of `patient` and `fold`; None before the data exist: then only the patients of a class are counted.
    findings
        Receives the lines.
    seizures
        Numbers of annotated seizures of each event type.
    """
    for name, classes in flow.study.classes.items():
        class_of = {label: classify(label, classes) if label else None for _, label in windows}
        patients_of: dict[str, set[str]] = {class_name: set() for class_name in classes}
        counts: Counter[str] = Counter()
        for (patient, label), number in windows.items():
            if (class_name := class_of[label]) is not None:
                counts[class_name] += number
                patients_of[class_name].add(patient)
        _describe(name, counts if folds is not None else None, patients_of, class_of, findings)
        empty = [class_name for class_name in classes if not patients_of[class_name]]
        if name not in flow.study.matrix.classes:
            continue
        for class_name in empty:
            annotated = sum(n.n_seizures for label, n in seizures.items() if classify(label, classes) == class_name)
            short = f"; none of its {annotated} annotated seizures labels a window" if annotated else ""
            findings.problems.append(
                f"class set {name}: no window of {class_name!r} (event types {', '.join(classes[class_name])}); labels "
                f"of the windows: {format_names(sorted(set(class_of) - {''})) or 'none'}{short}; remove {name} from "
                f"matrix.classes, change classes.{name}, decrease windows.length, or set windows.min_event_overlap"
            )
        if folds is not None and not empty:
            _check_folds(flow, name, patients_of, folds, findings)
            _check_mostly_background(flow, name, windows, findings)
        for class_name in classes:
            if folds is None and 0 < len(patients_of[class_name]) < flow.n_folds:
                findings.warnings.append(
                    f"class set {name}: {len(patients_of[class_name])} patients have {class_name!r}, but there are "
                    f"{flow.n_folds} folds, so that some test folds will not contain it; use fewer folds or more "
                    "patients"
                )


def _check_mostly_background(flow: Flow, name: str, windows: WindowCounts, findings: Findings) -> None:
    """Warn of patients with more seizure than background, if a normalization takes their recordings as reference."""
    study, kinds = flow.study, set()
    for combination in flow.combinations.all:
        if not flow.combinations.entry(combination.model).normalizes_input:
            _, values = study.models[combination.model].setting_values("normalization", study.training.normalization)
            kinds |= set(RECORDING_NORMALIZATIONS) & set(values)
    background = next(iter(study.classes[name]))
    n_background: Counter[str] = Counter()
    n_all: Counter[str] = Counter()
    for (patient, label), number in windows.items():
        if label and (found := classify(label, study.classes[name])) is not None:
            n_all[patient] += number
            n_background[patient] += number * (found == background)
    mostly = sorted(patient for patient, number in n_all.items() if n_background[patient] < number / 2)
    if kinds and mostly:
        findings.warnings.append(
            f"class set {name}: of {len(mostly)} of {len(n_all)} patients, more than half of the windows are not "
            f"{background!r} ({format_names(mostly)}); the normalization {' or '.join(sorted(kinds))} has seizures as "
            "its reference there; set training.normalization: patients or level"
        )


def _describe(
    name: str,
    counts: Counter[str] | None,
    patients_of: dict[str, set[str]],
    class_of: dict[str, str | None],
    findings: Findings,
) -> None:
    """Report the windows and patients of each class, and the event types outside the class set."""
    parts = []
    for class_name, patients in patients_of.items():
        windows = f"{counts[class_name]} windows of " if counts is not None else ""
        parts.append(f"{class_name} {windows}{len(patients)} patients" if patients else f"{class_name} none")
    excluded = sorted(label for label, class_name in class_of.items() if label and class_name is None)
    findings.facts.append(
        f"class set {name}: {', '.join(parts)}"
        + (f"; excludes {format_names(excluded)}" if excluded else "")
        + ("" if all(patients_of.values()) else "; it can't be used")
    )


def _check_folds(
    flow: Flow, name: str, patients_of: dict[str, set[str]], folds: pd.DataFrame, findings: Findings
) -> None:
    """Find folds without a class: a warning for test folds, a problem if a training set would lack the class."""
    n_inner = flow.study.tuning.inner_folds
    reserved, outer = folds[folds["fold"] == 0], folds[folds["fold"] > 0]
    if len(reserved):
        in_reserved = dict(zip(reserved["patient"], reserved["inner"], strict=True))
        _check_splits(name, patients_of, in_reserved, [0], n_inner, findings)
    fold_of = dict(zip(outer["patient"], outer["fold"], strict=True))
    test_folds = list(range(1, int(outer["fold"].max()) + 1))
    _check_splits(name, patients_of, fold_of, test_folds, 1 if len(reserved) else n_inner, findings)
    for class_name, patients in patients_of.items():
        missing = sorted(set(test_folds) - {fold_of.get(patient) for patient in patients})
        if missing:
            findings.warnings.append(
                f"class set {name}: no window of {class_name!r} in test fold{'s' * (len(missing) > 1)} "
                f"{format_names([str(fold) for fold in missing])} ({len(patients)} patients have it, there are "
                f"{len(test_folds)} folds); use fewer folds or more patients, or use only the scores over all folds"
            )


def _check_splits(
    name: str,
    patients_of: dict[str, set[str]],
    fold_of: dict[str, int],
    test_folds: list[int],
    n_inner: int,
    findings: Findings,
) -> None:
    """Find a training set that lacks a class; it is one problem, whatever the number of such sets."""
    folds_of = {
        class_name: sorted({fold_of[patient] for patient in patients if patient in fold_of})
        for class_name, patients in patients_of.items()
    }
    group = "patients who are reserved for tuning" if test_folds == [0] else "patients of the outer folds"
    for class_name, class_folds in folds_of.items():
        if not class_folds:
            findings.problems.append(
                f"class set {name}: no window of {class_name!r} among the {group}; use tuning.mode: per_fold, or more "
                "patients"
            )
            return
    # The splits depend only on the classes that each fold contains, so one window per class and fold is enough.
    pairs = [(number, fold) for number, class_folds in enumerate(folds_of.values()) for fold in class_folds]
    label, fold = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    names, onsets = np.full(len(pairs), "", dtype=object), np.zeros(len(pairs))
    n_folds = max(fold_of.values())
    window_set = WindowSet(tuple(patients_of), np.arange(len(pairs)), label, fold, names, names, onsets, n_folds)
    for test_fold in test_folds:
        try:
            for inner in range(1, n_inner + 1):
                split(window_set, test_fold, inner)
        except InputError as error:
            findings.problems.append(f"class set {name}: {error}")
            return
