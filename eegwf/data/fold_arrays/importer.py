"""Data sets already cut into folds, as earlier notebooks kept them: made into our tables and arrays.

The files say nothing of recordings, onsets or axes; what is put in their place is stated where it is made.
"""

import hashlib
from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from eegwf.config.data import FoldArrays
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
    """Make the tables of recordings, windows and folds, having checked every file.

    The arrays don't say when a window began. Each patient id becomes one recording in which the windows
    follow each other without gap, in the order of the folds and rows; `overlap` is 1.

    Parameters
    ----------
    config
        The data set.
    persons
        Ids that are one person (`patients` of the config): from an id to the patient's.

    Returns
    -------
    recordings, windows, folds
        `recording patient path sfreq duration n_chans n_events`, one row for each patient id;
        `window recording patient onset duration label overlap`, windows numbered from 0 in the order of
        the folds; `patient fold` and one column of window counts for each label, sorted by patient.

    Raises
    ------
    InputError
        As for `read_fold`; also if folds differ in shape, a patient stands in two folds, or the
        spectrograms disagree about the patients and labels.
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
    for patient, found in windows.groupby("patient")["fold"]:
        in_folds = sorted(found.unique().tolist())
        if len(in_folds) > 1:
            raise InputError(
                f"patient {patient!r} stands in folds {in_folds[0]} and {in_folds[1]} (dataset.arrays."
                f"{spectrogram}.patients); a patient in two folds makes every result too good, cut the folds by patient"
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
    """Every fold of every spectrogram; arrays that are not memory maps are not kept."""
    if not config.arrays:
        raise InputError("dataset.arrays: empty, expected file patterns of mel, stft or cwt")
    found: dict[str, list[FoldPart]] = {}
    for spectrogram, files in config.arrays.items():
        parts = found[spectrogram] = []
        for fold in range(1, config.n_folds + 1):
            part = read_fold(files, fold, config)
            shape = np.broadcast_to(np.zeros((), part.data.dtype), part.data.shape)  # takes no memory
            parts.append(FoldPart(part.path, shape, part.labels, part.patients))
            check_shape(parts[0], parts[-1], config)
    return found


def _check_agreement(
    name: str, parts: list[FoldPart], other_name: str, others: list[FoldPart], config: FoldArrays
) -> None:
    for fold, (part, other) in enumerate(zip(parts, others, strict=True), start=1):
        labels, other_labels = ([config.label_names[label] for label in each.labels.tolist()] for each in (part, other))
        rows = zip_longest(zip(part.patients, labels, strict=True), zip(other.patients, other_labels, strict=True))
        for row, (one, two) in enumerate(rows):
            if one != two:
                patient = (one or two)[0]
                said = " and ".join(
                    f"{spectrogram} has {'no window' if pair is None else f'{pair[1]} of {pair[0]}'}"
                    for spectrogram, pair in ((name, one), (other_name, two))
                )
                raise InputError(
                    f"dataset.arrays: {name} and {other_name} disagree about patient {patient!r} in fold {fold}, "
                    f"row {row}: {said}; they were cut apart, so give one spectrogram per study"
                )


def write_spectrogram(config: FoldArrays, spectrogram: str, array_path: Path | str, axes_path: Path | str) -> None:
    """Write one spectrogram of all folds, in the row order of `tables`.

    Memory stays bounded for `.npy` files; a pickled fold is held whole, one at a time.

    Parameters
    ----------
    config
        The data set.
    spectrogram
        Key of `config.arrays`.
    array_path
        Gets float16 (n_windows, n_chans, n_freqs, n_times).
    axes_path
        Gets JSON with `spectrogram, ch_names, freqs (Hz), times (s), sfreq (Hz), parameters, sha256`
        (of the array's bytes behind the header). The files don't name their axes: `freqs` and `times` are
        assumed (`assumed_freqs`, `assumed_times`), and channels are numbered.

    Raises
    ------
    InputError
        As for `read_fold`; also if folds differ in shape or values don't fit float16.
    """
    if spectrogram not in config.arrays:
        known = ", ".join(config.arrays)
        raise InputError(f"dataset.arrays: no {spectrogram!r}; the files are of {known}")
    files, folds = config.arrays[spectrogram], range(1, config.n_folds + 1)
    n_windows, first = 0, None
    for fold in folds:  # the header needs the number of windows first
        part = open_fold(files, fold, config)
        first = first or part
        check_shape(first, part, config)
        n_windows += len(part.labels)
    n_chans, n_freqs, n_times = shape_of_window(first, config)
    del part, first

    sha256, largest = hashlib.sha256(), 0.0
    header = {"descr": "<f2", "fortran_order": False, "shape": (n_windows, n_chans, n_freqs, n_times)}
    with replacing(array_path) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for fold in folds:
            part = open_fold(files, fold, config)
            for row, values in chunks(part.data, config):
                check_finite(part.path, row, values)
                content = _float16(part.path, row, values)
                largest = max(largest, float(np.abs(values).max()))
                file.write(content)
                sha256.update(content)
        if 0 < largest < np.finfo(np.float16).tiny:
            raise InputError(
                f"{files.data}: no value above {largest:g}, which float16 can't hold; store log power, or scale it"
            )
    write_json(
        axes_path,
        {
            "spectrogram": spectrogram,
            "ch_names": [f"ch{number}" for number in range(1, n_chans + 1)],
            "freqs": assumed_freqs(spectrogram, n_freqs, config).tolist(),
            "times": assumed_times(n_times, config).tolist(),
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


def _float16(path: Path, first: int, values: np.ndarray) -> bytes:
    with np.errstate(over="ignore", under="ignore"):
        converted = np.ascontiguousarray(values, dtype="<f2")
    fits = np.isfinite(converted).all(axis=(1, 2, 3))
    if not fits.all():
        row = int(np.argmin(fits))
        raise InputError(
            f"{path}: row {first + row} reaches {float(np.abs(values[row]).max()):g}, beyond float16 (65504); store "
            "log power, or scale it"
        )
    return converted.tobytes()


def assumed_freqs(spectrogram: str, n_freqs: int, config: FoldArrays) -> np.ndarray:
    """Frequencies in Hz that the bins are taken to have, lowest first: the arrays don't say.

    From `f_min` to `f_max` with both ends, evenly spaced in Hz; for `mel` the centres of `n_freqs`
    triangular filters evenly spaced on Slaney's mel scale (Auditory Toolbox, 1998), which is even in Hz
    below 1 kHz.
    """
    if spectrogram != "mel":
        return np.linspace(config.f_min, config.f_max, n_freqs)
    edges = np.linspace(_mel(config.f_min), _mel(config.f_max), n_freqs + 2)
    return np.array([_hertz(edge) for edge in edges[1:-1]])


def assumed_times(n_times: int, config: FoldArrays) -> np.ndarray:
    """Centres in seconds of `n_times` equal frames of a window: the arrays don't say."""
    return (np.arange(n_times) + 0.5) * (config.window_length / n_times)


def _mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def _hertz(mel: float) -> float:
    return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)
