"""Check of arrays that are already divided into folds."""

from collections import Counter

from eegwf.checks.findings import Findings
from eegwf.checks.labels import check_classes
from eegwf.config.data import FoldArrays
from eegwf.dag.flow import Flow
from eegwf.data.fold_arrays.importer import tables
from eegwf.data.fold_arrays.parts import open_fold, shape_of_window
from eegwf.data.patients import compare_mapping


def check_fold_arrays(flow: Flow, findings: Findings) -> None:
    """Check that all files exist, then read them as the study will.

    Parameters
    ----------
    flow
        A study of given arrays.
    findings
        Receives the lines.

    Raises
    ------
    InputError
        If a file differs from the configuration, or two files from each other; the message names the first such file.
    """
    dataset = flow.study.dataset
    assert isinstance(dataset, FoldArrays)
    paths = dataset.files()
    missing = [path for path in paths if not path.is_file()]
    findings.facts.append(f"data set: {len(paths) - len(missing)} of {len(paths)} files of {dataset.n_folds} folds")
    findings.problems += [
        f"{path}: no such file; correct dataset.arrays or dataset.n_folds, or add the file" for path in missing
    ]
    if missing:
        return
    for name, files in dataset.arrays.items():
        shape = shape_of_window(open_fold(files, 1, dataset), dataset)
        findings.facts.append(f"{name}: windows of (channels, frequencies, times) {shape}, axes {dataset.axes!r}")
    recordings, windows, folds = tables(dataset, flow.study.patients)
    mapping = compare_mapping(flow.study.patients, recordings["recording"])
    findings.facts += mapping.notes
    findings.warnings += mapping.warnings
    n_labels = ", ".join(f"{label} {number}" for label, number in windows["label"].value_counts().items())
    findings.facts.append(
        f"windows: {len(windows)} of {dataset.window_length:g} s, of {recordings['patient'].nunique()} patients, each "
        f"in one fold: {n_labels}"
    )
    labels = Counter(zip(windows["patient"], windows["label"], strict=True))
    check_classes(flow, labels, folds, findings)
