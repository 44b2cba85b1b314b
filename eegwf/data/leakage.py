"""The gate that no study passes with a patient, a sample or a second of time in two folds."""

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from eegwf.errors import InputError


def check_leakage(windows: pd.DataFrame, folds: pd.DataFrame, arrays: np.ndarray) -> dict[str, Any]:
    """Run every check and return what it found.

    Parameters
    ----------
    windows
        `windows.tsv`.
    folds
        `folds.tsv`.
    arrays
        `(n_windows, ...)`: the samples behind the windows; rows are read one after another.

    Returns
    -------
    dict
        For each check its name, what it looked at and how many leaks it found: always 0.

    Raises
    ------
    InputError
        Naming the first leak of the first check that finds one.
    """
    patients = _patients(folds)
    lost = sorted(set(windows["patient"]) - set(folds["patient"]))
    if lost:
        raise InputError(f"leak: patient {lost[0]} has windows and no fold; every patient belongs to one fold")
    fold_of = dict(zip(folds["patient"], folds["fold"], strict=False))
    fold = windows["patient"].map(fold_of).to_numpy()
    samples = _samples(windows, fold, arrays)
    times = _times(windows, fold)
    return {"passed": True, "checks": [patients, samples, times]}


def _patients(folds: pd.DataFrame) -> dict[str, Any]:
    doubled = folds["patient"][folds["patient"].duplicated()].unique()
    if len(doubled):
        inside = sorted(folds["fold"][folds["patient"] == doubled[0]])
        raise InputError(f"leak: patient {doubled[0]} is in folds {inside}; every patient belongs to one fold")
    return {"check": "patient in two folds", "looked_at": f"{len(folds)} patients", "leaks": 0}


def _samples(windows: pd.DataFrame, fold: np.ndarray, arrays: np.ndarray) -> dict[str, Any]:
    """Identical samples in two folds, by hash; a window that never changes proves nothing and is exempt."""
    seen: dict[bytes, int] = {}
    constant = same_fold = 0
    for row in range(len(windows)):
        values = np.ascontiguousarray(arrays[int(windows["window"].iloc[row])])
        if np.all(values == values.reshape(*values.shape[:1], -1)[:, :1].reshape(-1, *[1] * (values.ndim - 1))):
            constant += 1
            continue
        key = hashlib.blake2b(values.tobytes(), digest_size=16).digest()
        first = seen.setdefault(key, row)
        if first == row:
            continue
        if fold[first] != fold[row]:
            one, two = windows.iloc[first], windows.iloc[row]
            raise InputError(
                f"leak: the same samples stand in fold {fold[first]} ({one['recording']}, {one['onset']:g} s) and in "
                f"fold {fold[row]} ({two['recording']}, {two['onset']:g} s); are {one['patient']} and "
                f"{two['patient']} one person? Join them under `patients:`, or remove the copy"
            )
        same_fold += 1
    return {
        "check": "same samples in two folds",
        "looked_at": f"{len(windows)} windows by hash, {constant} constant ones exempt",
        "copies_within_a_fold": same_fold,
        "leaks": 0,
    }


def _times(windows: pd.DataFrame, fold: np.ndarray) -> dict[str, Any]:
    """Overlapping time of one recording in two folds."""
    table = windows.assign(fold=fold).sort_values(["recording", "onset"], kind="stable")
    for recording, part in table.groupby("recording"):
        onset, end = part["onset"].to_numpy(), (part["onset"] + part["duration"]).to_numpy()
        numbers = part["fold"].to_numpy()
        overlapping = (onset[1:] < np.maximum.accumulate(end)[:-1] - 1e-6) & (numbers[1:] != numbers[:-1])
        if overlapping.any():
            at = int(np.flatnonzero(overlapping)[0]) + 1
            raise InputError(
                f"leak: {recording}: time around {onset[at]:g} s lies in fold {numbers[at - 1]} and "
                f"in fold {numbers[at]}"
            )
    return {
        "check": "overlapping time of one recording in two folds",
        "looked_at": f"{table['recording'].nunique()} recordings",
        "leaks": 0,
    }
