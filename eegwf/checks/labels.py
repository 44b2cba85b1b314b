"""Whether the labels fill the class sets, in every fold."""

from collections import Counter

import numpy as np
import pandas as pd

from eegwf.checks.findings import Findings, some
from eegwf.dag.flow import Flow
from eegwf.data.events import classify
from eegwf.data.folds import given_folds, make_folds
from eegwf.data.splits import Cohort, split
from eegwf.errors import InputError

Windows = Counter[tuple[str, str]]


def study_folds(flow: Flow, windows: Windows, findings: Findings) -> pd.DataFrame | None:
    """The very folds that the study will make, or is given; None if they can't be had, which is a problem.

    Parameters
    ----------
    flow
        The study.
    windows
        Number of windows of each (patient, label).
    findings
        Gets the lines.
    """
    rows = [(patient, label) for (patient, label), number in windows.items() for _ in range(number)]
    table = pd.DataFrame(rows, columns=["patient", "label"])
    try:
        given = flow.given_folds(None)
        folds = given_folds(given[0], table) if given else make_folds(table, flow.study.folds, flow.study.seed)
    except (InputError, OSError) as error:
        findings.problems.append(str(error))
        return None
    sizes = folds["fold"].value_counts()
    each = f"{sizes.min()}" if sizes.min() == sizes.max() else f"{sizes.min()} to {sizes.max()}"
    findings.facts.append(f"folds: {len(sizes)}, of {each} patients each")
    return folds


def check_classes(flow: Flow, windows: Windows, folds: pd.DataFrame | None, findings: Findings) -> None:
    """Say which class sets the windows fill, and which folds lack a class.

    Parameters
    ----------
    flow
        The study.
    windows
        Number of windows of each (patient, label).
    folds
        Table of `patient` and `fold`; None if it isn't known yet, and then only patients are counted.
    findings
        Gets the lines.
    """
    for name, classes in flow.study.classes.items():
        class_of = {label: classify(label, classes) if label else None for _, label in windows}
        holders: dict[str, set[str]] = {one: set() for one in classes}
        counts: Counter[str] = Counter()
        for (patient, label), number in windows.items():
            if (found := class_of[label]) is not None:
                counts[found] += number
                holders[found].add(patient)
        _describe(name, counts if folds is not None else None, holders, class_of, findings)
        empty = [one for one in classes if not holders[one]]
        if name not in flow.study.matrix.classes:
            continue
        for one in empty:
            findings.problems.append(
                f"class set {name}: no window of {one!r} (event types {', '.join(classes[one])}); the windows hold "
                f"{some(sorted(set(class_of) - {''})) or 'no label'}. Take {name} out of matrix.classes, change "
                f"classes.{name}, or shorten windows.length"
            )
        if folds is not None and not empty:
            _check_folds(name, holders, folds, flow.study.tuning.inner_folds, findings)
        for one in classes:
            if folds is None and 0 < len(holders[one]) < flow.n_folds:
                findings.warnings.append(
                    f"class set {name}: {len(holders[one])} patients have {one!r}, there are {flow.n_folds} folds: "
                    "some test folds will lack it; use fewer folds or more patients"
                )


def _describe(name, counts, holders, class_of, findings: Findings) -> None:
    parts = []
    for one, held in holders.items():
        windows = f"{counts[one]} windows of " if counts is not None else ""
        parts.append(f"{one} {windows}{len(held)} patients" if held else f"{one} none")
    left = sorted(label for label, found in class_of.items() if label and found is None)
    findings.facts.append(
        f"class set {name}: {', '.join(parts)}"
        + (f"; leaves out {some(left)}" if left else "")
        + ("" if all(holders.values()) else "; it can't be used")
    )


def _check_folds(
    name: str, holders: dict[str, set[str]], folds: pd.DataFrame, inner_folds: int, findings: Findings
) -> None:
    """Folds that lack a class: a warning where they test, a problem where training would be left without it."""
    fold_of = dict(zip(folds["patient"], folds["fold"], strict=True))
    n_folds = int(folds["fold"].max())
    having = [{fold_of[patient] for patient in held} for held in holders.values()]
    for (one, held), present in zip(holders.items(), having, strict=True):
        lacking = sorted(set(range(1, n_folds + 1)) - present)
        if lacking:
            findings.warnings.append(
                f"class set {name}: no window of {one!r} in test fold{'s' * (len(lacking) > 1)} "
                f"{some([str(fold) for fold in lacking])} ({len(held)} patients have it, there are {n_folds} folds); "
                "use fewer folds or more patients, or read the scores over all folds alone"
            )
    # One window for each class and fold shows what each split would hold.
    pairs = [(number, fold) for number, present in enumerate(having) for fold in sorted(present)]
    label, fold = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    names, zeros = np.full(len(pairs), "", dtype=object), np.zeros(len(pairs))
    cohort = Cohort(tuple(holders), np.arange(len(pairs)), label, fold, names, names, zeros, n_folds)
    for test_fold in range(1, n_folds + 1):
        try:
            for inner in range(1, inner_folds + 1):
                split(cohort, test_fold, inner)
        except InputError as error:
            findings.problems.append(f"class set {name}: {error}")
            return
