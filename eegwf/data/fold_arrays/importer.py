"""Import of arrays that are already divided into folds, in the layout of the earlier notebooks.

The files contain no recordings, onsets or axes. The functions of this module document what is assumed instead.
"""

import hashlib
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from eegwf.config.data import ArrayFiles, FoldArrays
from eegwf.data.fold_arrays.parts import (
    FoldPart,
    check_finite,
    check_shape,
    chunks,
    open_fold,
    read_fold,
    shape_of_window,
)
from eegwf.errors import InputError
from eegwf.storage.files import replacing, write_json

__all__ = ["FoldPart", "assumed_freqs", "assumed_times", "read_fold", "tables", "write_spectrogram"]


def tables(
    config: FoldArrays, persons: Mapping[str, str] = MappingProxyType({})
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Check all files and create the tables of recordings, windows and folds.

    The arrays contain no onsets. Each patient id becomes one recording, whose windows follow each other without gaps in
    the order of the folds and rows; `overlap` is 1.

    Parameters
    ----------
    config
        The data set.
    persons
        Ids that belong to the same person (`patients` of the configuration): maps an id to that of the patient.

    Returns
    -------
    recordings, windows, folds
        Columns `recording patient path sfreq duration n_chans n_events`, one row per patient id;
        `window recording patient onset duration label overlap`, with windows numbered from 0 in the order of the
        folds; `patient fold` and the number of windows of each label, sorted by patient. Times are in seconds, `sfreq`
        in Hz.

    Raises
    ------
    InputError
        As `read_fold`; also if folds differ in shape, a patient is in two folds, or the spectrograms differ in their
        patients or labels.
    """
    (spectrogram, parts), *others = _checked(config).items()
    for name, other in others:
        _check_agreement(spectrogram, parts, name, other, config)
    windows = pd.DataFrame(
        [
            (patient, config.label_names[label], fold)
            for fold, part in enumerate(parts, start=1)
            for patient, label in zip(part.patients, part.labels.tolist(), strict=True)
        ],
        columns=["recording", "label", "fold"],
    )
    windows["patient"] = [persons.get(name, name) for name in windows["recording"]]
    for patient, fold_column in windows.groupby("patient")["fold"]:
        patient_folds = sorted(fold_column.unique().tolist())
        if len(patient_folds) > 1:
            raise InputError(
                f"patient {patient!r} is in folds {patient_folds[0]} and {patient_folds[1]} (dataset.arrays."
                f"{spectrogram}.patients), which would inflate all scores; assign each patient to one fold"
            )
    windows["window"] = np.arange(len(windows))
    windows["onset"] = windows.groupby("recording").cumcount() * config.window_length
    windows["duration"], windows["overlap"] = config.window_length, 1.0

    recordings = windows.groupby("recording", as_index=False).agg(patient=("patient", "first"), n=("fold", "size"))
    recordings["path"], recordings["sfreq"] = "", config.sfreq
    recordings["duration"] = recordings["n"] * config.window_length
    recordings["n_chans"], recordings["n_events"] = shape_of_window(parts[0], config)[0], 0

    counts = pd.crosstab(windows["patient"], windows["label"]).reindex(columns=config.event_types, fill_value=0)
    folds = windows.groupby("patient")[["fold"]].first().join(counts).reset_index()
    return (
        recordings[["recording", "patient", "path", "sfreq", "duration", "n_chans", "n_events"]],
        windows[["window", "recording", "patient", "onset", "duration", "label", "overlap"]],
        folds,
    )


def _checked(config: FoldArrays) -> dict[str, list[FoldPart]]:
    """Read and check all folds of all spectrograms; the returned arrays have a shape but no values."""
    if not config.arrays:
        raise InputError("dataset.arrays: empty, expected file patterns of mel, stft or cwt")
    checked: dict[str, list[FoldPart]] = {}
    for spectrogram, files in config.arrays.items():
        parts = checked[spectrogram] = []
        for fold in range(1, config.n_folds + 1):
            part = read_fold(files, fold, config)
            # A pickled fold is in memory as a whole; a broadcast scalar keeps its shape and takes no memory.
            empty = np.broadcast_to(np.zeros((), part.data.dtype), part.data.shape)
            parts.append(FoldPart(part.path, empty, part.labels, part.patients))
            check_shape(parts[0], parts[-1], config)
    return checked


def _check_agreement(
    name: str, parts: list[FoldPart], other_name: str, others: list[FoldPart], config: FoldArrays
) -> None:
    """Raise InputError if two spectrograms differ in the patient or the label of a row."""
    for fold, (part, other) in enumerate(zip(parts, others, strict=True), start=1):
        labels, other_labels = ([config.label_names[label] for label in each.labels.tolist()] for each in (part, other))
        rows = zip_longest(zip(part.patients, labels, strict=True), zip(other.patients, other_labels, strict=True))
        for row, (window, other_window) in enumerate(rows):
            if window != other_window:
                patient = (window or other_window)[0]
                difference = ", ".join(
                    f"{spectrogram} has {'no window' if pair is None else f'{pair[1]} of {pair[0]}'}"
                    for spectrogram, pair in ((name, window), (other_name, other_window))
                )
                raise InputError(
                    f"dataset.arrays: {name} and {other_name} differ for patient {patient!r} in fold {fold}, "
                    f"row {row}: {difference}; the rows must be the same windows; use one spectrogram per study"
                )


def write_spectrogram(config: FoldArrays, spectrogram: str, array_path: Path | str, axes_path: Path | str) -> None:
    """Write one spectrogram of all folds, in the row order of `tables`.

    `.npy` files are read in chunks, so that memory is bounded; pickled folds are in memory as a whole, one at a time.

    Parameters
    ----------
    config
        The data set.
    spectrogram
        Key of `config.arrays`.
    array_path
        File to write: a float16 array (n_windows, n_chans, n_freqs, n_frames).
    axes_path
        File to write: JSON with `spectrogram`, `ch_names`, `freqs` (Hz), `times` (s), `sfreq` (Hz), `parameters`, and
        `sha256` of the bytes of the array after its header. The input files do not describe their axes: `freqs` and
        `times` are those of `assumed_freqs` and `assumed_times`, and channels are numbered.

    Raises
    ------
    InputError
        As `read_fold`; also if there is no such spectrogram, folds differ in shape, or values are out of the range of
        float16.
    """
    if spectrogram not in config.arrays:
        raise InputError(f"dataset.arrays: no {spectrogram!r}; choose one of {', '.join(config.arrays)}")
    # The header of the array, which is written first, contains the number of windows.
    files = config.arrays[spectrogram]
    n_windows, (n_chans, n_freqs, n_frames) = _count_windows(files, config)

    sha256, largest = hashlib.sha256(), 0.0
    header = {"descr": "<f2", "fortran_order": False, "shape": (n_windows, n_chans, n_freqs, n_frames)}
    with replacing(array_path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for fold in range(1, config.n_folds + 1):
            part = open_fold(files, fold, config)
            for row, values in chunks(part.data, config):
                check_finite(part.path, row, values)
                content = _float16(part.path, row, values)
                largest = max(largest, float(np.abs(values).max()))
                file.write(content)
                sha256.update(content)
        if 0 < largest < np.finfo(np.float16).tiny:
            raise InputError(
                f"{files.data}: the largest value is {largest:g}, which is too small for float16; store log power or "
                "scale the values"
            )
    write_json(
        axes_path,
        {
            "spectrogram": spectrogram,
            "ch_names": [f"ch{number}" for number in range(1, n_chans + 1)],
            "freqs": assumed_freqs(spectrogram, n_freqs, config).tolist(),
            "times": assumed_times(n_frames, config).tolist(),
            "sfreq": config.sfreq,
            "parameters": {
                "kind": config.kind,
                "axes": config.axes,
                "assumed": ["ch_names", "freqs", "times"],
                "f_min": config.f_min,
                "f_max": config.f_max,
                "window_length": config.window_length,
            },
            "sha256": sha256.hexdigest(),
        },
    )


def _count_windows(files: ArrayFiles, config: FoldArrays) -> tuple[int, tuple[int, int, int]]:
    """Number of windows of all folds, and shape of a window (n_chans, n_freqs, n_frames)."""
    first = open_fold(files, 1, config)
    n_windows = len(first.labels)
    for fold in range(2, config.n_folds + 1):
        part = open_fold(files, fold, config)
        check_shape(first, part, config)
        n_windows += len(part.labels)
    return n_windows, shape_of_window(first, config)


def _float16(path: Path, first: int, values: np.ndarray) -> bytes:
    """Bytes of the rows from `first` as float16; raises InputError if a value is out of range."""
    with np.errstate(over="ignore", under="ignore"):
        converted = np.ascontiguousarray(values, dtype="<f2")
    fits = np.isfinite(converted).all(axis=(1, 2, 3))
    if not fits.all():
        row = int(np.argmin(fits))
        raise InputError(
            f"{path}: row {first + row} contains {float(np.abs(values[row]).max()):g}, above the maximum of float16 "
            "(65504); store log power or scale the values"
        )
    return converted.tobytes()


def assumed_freqs(spectrogram: str, n_freqs: int, config: FoldArrays) -> np.ndarray:
    """Assume the frequencies of the bins, which the files do not contain.

    Parameters
    ----------
    spectrogram
        `mel`, `stft` or `cwt`.
    n_freqs
        Number of frequency bins.
    config
        The data set, with `f_min` and `f_max`.

    Returns
    -------
    np.ndarray
        Frequencies in Hz in ascending order, shape (n_freqs,). For `mel`, the centers of `n_freqs` triangular filters
        between `f_min` and `f_max`, evenly spaced on Slaney's mel scale (Auditory Toolbox, 1998), which is linear below
        1 kHz. Otherwise evenly spaced from `f_min` to `f_max`, both included.
    """
    if spectrogram != "mel":
        return np.linspace(config.f_min, config.f_max, n_freqs)
    edges = np.linspace(_mel(config.f_min), _mel(config.f_max), n_freqs + 2)
    return np.array([_hertz(edge) for edge in edges[1:-1]])


def assumed_times(n_frames: int, config: FoldArrays) -> np.ndarray:
    """Assume the times of the frames, which the files do not contain.

    Parameters
    ----------
    n_frames
        Number of frames of a window.
    config
        The data set, with `window_length`.

    Returns
    -------
    np.ndarray
        Centers in seconds of frames of equal length, shape (n_frames,).
    """
    return (np.arange(n_frames) + 0.5) * (config.window_length / n_frames)


def _mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def _hertz(mel: float) -> float:
    return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)
