"""The check of arrays that are already cut into folds."""

from collections import Counter
from pathlib import Path

from eegwf.checks.findings import Findings
from eegwf.checks.labels import check_classes
from eegwf.config.data import FoldArrays
from eegwf.dag.flow import Flow
from eegwf.data.fold_arrays.importer import tables
from eegwf.data.fold_arrays.parts import open_fold, shape_of_window


def check_fold_arrays(flow: Flow, findings: Findings) -> None:
    """Look for every file, then read them all as the study will.

    Raises
    ------
    InputError
        Naming the first file that is not as the configuration says, or the first disagreement between files.
    """
    dataset: FoldArrays = flow.study.dataset
    folds = range(1, dataset.n_folds + 1)
    patterns = [pattern for files in dataset.arrays.values() for pattern in files.model_dump().values()]
    paths = dict.fromkeys(pattern.replace("{fold}", str(fold)) for pattern in patterns for fold in folds)
    absent = [path for path in paths if not Path(path).is_file()]
    findings.facts.append(f"data set: {len(paths) - len(absent)} of {len(paths)} files of {dataset.n_folds} folds")
    findings.problems += [
        f"{path}: no such file; correct dataset.arrays or dataset.n_folds, or bring the file" for path in absent
    ]
    if absent:
        return
    for name, files in dataset.arrays.items():
        shape = shape_of_window(open_fold(files, 1, dataset), dataset)
        findings.facts.append(f"{name}: windows of (channels, frequencies, times) {shape}, axes {dataset.axes!r}")
    recordings, windows, found = tables(dataset, flow.study.patients)
    n_labels = ", ".join(f"{label} {number}" for label, number in windows["label"].value_counts().items())
    findings.facts.append(
        f"windows: {len(windows)} of {dataset.window_length:g} s, of {recordings['patient'].nunique()} patients, each "
        f"in one fold: {n_labels}"
    )
    labels = Counter(zip(windows["patient"], windows["label"], strict=True))
    check_classes(flow, labels, found, findings)
