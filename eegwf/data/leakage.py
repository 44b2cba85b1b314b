"""Leakage checks: no patient, sample or interval of time may be in two folds."""

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from eegwf.data.similarity import compare_recordings
from eegwf.errors import InputError

# Similarity of two recordings above which they are taken for copies, and with fewer channels than `FEW_CHANNELS`.
MAX_SIMILARITY, MAX_SIMILARITY_OF_FEW, FEW_CHANNELS = 0.5, 0.75, 4


def check_leakage(
    windows: pd.DataFrame,
    folds: pd.DataFrame,
    arrays: np.ndarray,
    sfreq: float | None = None,
    max_similarity: float | None = None,
) -> dict[str, Any]:
    """Run every leakage check and return the results.

    Parameters
    ----------
    windows
        `windows.tsv`.
    folds
        `folds.tsv`.
    arrays
        Samples of the windows without their context, shape `(n_windows, ...)`; rows are read one after another.
    sfreq
        Sampling rate in Hz of arrays `(n_windows, n_chans, n_times)`; None if they are spectrograms, so that recordings
        can't be compared.
    max_similarity
        Similarity of two recordings above which they are taken for copies; None for the default.

    Returns
    -------
    dict
        For each check its name, what it examined and the number of leaks, which is 0 if no error is raised.

    Raises
    ------
    InputError
        If a check finds a leak; the message describes the first one.
    """
    patients = _check_patients(folds)
    missing = sorted(set(windows["patient"]) - set(folds["patient"]))
    if missing:
        raise InputError(f"leak: patient {missing[0]} has windows and no fold; every patient belongs to one fold")
    fold_of = dict(zip(folds["patient"], folds["fold"], strict=False))
    fold = windows["patient"].map(fold_of).to_numpy()
    samples = _check_samples(windows, fold, arrays)
    times = _check_times(windows, fold)
    checks = [patients, samples, times]
    if sfreq is not None:
        checks.append(_check_recordings(windows, fold, arrays, sfreq, max_similarity))
    return {"passed": True, "checks": checks}


def _check_patients(folds: pd.DataFrame) -> dict[str, Any]:
    duplicated = folds["patient"][folds["patient"].duplicated()].unique()
    if len(duplicated):
        numbers = sorted(folds["fold"][folds["patient"] == duplicated[0]])
        raise InputError(f"leak: patient {duplicated[0]} is in folds {numbers}; every patient belongs to one fold")
    return {"check": "patient in two folds", "examined": f"{len(folds)} patients", "leaks": 0}


def _check_samples(windows: pd.DataFrame, fold: np.ndarray, arrays: np.ndarray) -> dict[str, Any]:
    """Find identical samples in two folds by their hash.

    Windows in which every channel is constant are exempt, because equality is no evidence of a copy there.
    """
    first_rows: dict[bytes, int] = {}
    constant = same_fold = 0
    for row in range(len(windows)):
        key = sample_digest(arrays[int(windows["window"].iloc[row])])
        if key is None:
            constant += 1
            continue
        first = first_rows.setdefault(key, row)
        if first == row:
            continue
        if fold[first] != fold[row]:
            original, copy = windows.iloc[first], windows.iloc[row]
            raise InputError(
                f"leak: the same samples are in fold {fold[first]} ({original['recording']}, {original['onset']:g} s) "
                f"and in fold {fold[row]} ({copy['recording']}, {copy['onset']:g} s); are {original['patient']} and "
                f"{copy['patient']} one person? Map them to one name under `patients:`, or remove the copy"
            )
        same_fold += 1
    return {
        "check": "same samples in two folds",
        "examined": f"{len(windows)} windows by hash, {constant} constant windows exempt",
        "copies_within_a_fold": same_fold,
        "leaks": 0,
    }


def sample_digest(window: np.ndarray, size: int = 16) -> bytes | None:
    """Digest of the samples of a window.

    Parameters
    ----------
    window
        Samples, channels first.
    size
        Number of bytes of the digest.

    Returns
    -------
    bytes or None
        The digest; None if every channel is constant, because equality is no evidence of a copy there.
    """
    values = np.ascontiguousarray(window)
    flat = values.reshape(len(values), -1)
    if np.all(flat == flat[:, :1]):
        return None
    return hashlib.blake2b(values.tobytes(), digest_size=size).digest()


def similarity_limit(n_chans: int, limit: float | None = None) -> float:
    """Similarity above which two recordings are taken for copies.

    Parameters
    ----------
    n_chans
        Number of channels that are compared.
    limit
        The configured limit; None for the default.

    Returns
    -------
    float
        The limit.
    """
    if limit is not None:
        return limit
    return MAX_SIMILARITY if n_chans >= FEW_CHANNELS else MAX_SIMILARITY_OF_FEW


def _check_recordings(
    windows: pd.DataFrame, fold: np.ndarray, arrays: np.ndarray, sfreq: float, limit: float | None
) -> dict[str, Any]:
    """Find recordings in two folds that are copies of each other, with another gain, rate, filter or start."""
    limit = similarity_limit(arrays.shape[1], limit)
    pairs, examined = compare_recordings(windows, fold, arrays, sfreq)
    most = max(pairs, key=lambda pair: pair.value, default=None)
    if most is not None and most.value > limit:
        patient = windows.drop_duplicates("recording").set_index("recording")["patient"]
        raise InputError(
            f"leak: {most.first} looks like a copy of {most.second} (similarity {most.value:.2f}, the limit is "
            f"{limit:g}; shifted by {most.shift:.2f} s), and they are in two folds; are {patient[most.first]} and "
            f"{patient[most.second]} one person? Map them to one name under `patients:`, remove the copy, or, if they "
            "are two persons, raise max_similarity"
        )
    return {
        "check": "similar recordings in two folds",
        "examined": examined,
        "largest_similarity": round(most.value, 3) if most else None,
        "limit": limit,
        "leaks": 0,
    }


def _check_times(windows: pd.DataFrame, fold: np.ndarray) -> dict[str, Any]:
    """Find overlapping time of one recording in two folds."""
    table = windows.assign(fold=fold).sort_values(["recording", "onset"], kind="stable")
    for recording, part in table.groupby("recording"):
        onset, end = part["onset"].to_numpy(), (part["onset"] + part["duration"]).to_numpy()
        numbers = part["fold"].to_numpy()
        overlapping = (onset[1:] < np.maximum.accumulate(end)[:-1] - 1e-6) & (numbers[1:] != numbers[:-1])
        if overlapping.any():
            row = int(np.flatnonzero(overlapping)[0]) + 1
            raise InputError(
                f"leak: {recording}: time around {onset[row]:g} s is in fold {numbers[row - 1]} and "
                f"in fold {numbers[row]}"
            )
    return {
        "check": "overlapping time of one recording in two folds",
        "examined": f"{table['recording'].nunique()} recordings",
        "leaks": 0,
    }
