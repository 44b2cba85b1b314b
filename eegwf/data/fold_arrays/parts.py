"""Read and check one fold of given arrays.

A fold consists of three files: the arrays, integer or one-hot labels, and the patient of each window.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eegwf.config.data import ArrayFiles, FoldArrays
from eegwf.config.patients import normalize_id
from eegwf.data.fold_arrays.unpickle import read_array_file
from eegwf.errors import InputError

CHUNK = 2**24  # bytes


@dataclass(frozen=True)
class FoldPart:
    """One fold of one spectrogram.

    Attributes
    ----------
    path
        File of the arrays.
    data
        The arrays with their axes as on disk; a read-only memory map if the file is a plain `.npy` file.
    labels
        Integer labels, shape (n_windows,); each has a name in the configuration.
    patients
        Id of the patient of each window.
    """

    path: Path
    data: np.ndarray
    labels: np.ndarray
    patients: list[str]


def axis_order(config: FoldArrays) -> tuple[int, int, int, int]:
    """Positions of the axes of windows, channels, frequencies and frames in the arrays on disk.

    In images (`n h w 3`) the colors are the channels, the height is the frequency axis and the width the time axis.
    """
    letters = ["n", "f", "t", "c"] if config.axes == "n h w 3" else config.axes.split()
    return letters.index("n"), letters.index("c"), letters.index("f"), letters.index("t")


def chunks(data: np.ndarray, config: FoldArrays, size: int = CHUNK) -> Iterator[tuple[int, np.ndarray]]:
    """Divide the arrays of a fold into chunks of consecutive windows.

    Parameters
    ----------
    data
        The arrays with their axes as on disk.
    config
        The data set, with `axes`.
    size
        Approximate size of a chunk in bytes; a chunk has at least one window.

    Yields
    ------
    first, values
        Row of the first window, and values of shape (n_rows, n_chans, n_freqs, n_frames).
    """
    data = data.transpose(axis_order(config))
    rows = max(1, size // max(1, data[:1].nbytes))
    for first in range(0, len(data), rows):
        yield first, data[first : first + rows]


def read_fold(files: ArrayFiles, fold: int, config: FoldArrays) -> FoldPart:
    """Read one fold of one spectrogram and check all its values.

    Parameters
    ----------
    files
        File patterns of the spectrogram.
    fold
        Number of the fold, from 1.
    config
        The data set, with axes and label names.

    Returns
    -------
    FoldPart
        The fold.

    Raises
    ------
    InputError
        If a file is missing, damaged or not of the shape of `config.axes`, the three files differ in length, a label
        has no name, a window has no patient, or a value is NaN or infinite.
    """
    part = open_fold(files, fold, config)
    if part.data.dtype.kind == "f":
        for first, values in chunks(part.data, config):
            check_finite(part.path, first, values)
    return part


def open_fold(files: ArrayFiles, fold: int, config: FoldArrays) -> FoldPart:
    """Read one fold of one spectrogram without the values of memory-mapped arrays.

    Parameters
    ----------
    files, fold, config
        As `read_fold` takes them.

    Returns
    -------
    FoldPart
        The fold.

    Raises
    ------
    InputError
        As `read_fold`, except for NaN and infinite values.
    """
    paths = [Path(pattern.replace("{fold}", str(fold))) for pattern in (files.data, files.labels, files.patients)]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise InputError(
            f"{', '.join(missing)}: no such file; fold {fold} of {config.n_folds} needs its data, labels and "
            "patients (dataset.arrays, dataset.n_folds)"
        )
    data, label_array, patient_array = (read_array_file(path) for path in paths)
    if data.ndim != 4 or (config.axes == "n h w 3" and data.shape[3] != 3):
        raise InputError(f"{paths[0]}: shape {data.shape}, expected the axes {config.axes!r} (dataset.axes)")
    if data.dtype.kind not in "biuf":
        raise InputError(f"{paths[0]}: values of type {data.dtype}, expected real numbers")
    labels, patients = _labels(paths[1], label_array, config), _patients(paths[2], patient_array)
    lengths = [data.shape[axis_order(config)[0]], len(labels), len(patients)]
    if len(set(lengths)) > 1:
        listing = ", ".join(f"{path} {length}" for path, length in zip(paths, lengths, strict=True))
        raise InputError(f"fold {fold}: files of different length: {listing}; expected one row for each window")
    if lengths[0] == 0 or data.size == 0:
        raise InputError(f"{paths[0]}: shape {data.shape}, expected at least one window; the array is empty")
    return FoldPart(paths[0], data, labels, patients)


def check_finite(path: Path, first: int, values: np.ndarray) -> None:
    """Check that all values are finite.

    Parameters
    ----------
    path
        File of the values, for the message.
    first
        Row of the first window in the file.
    values
        Consecutive windows, shape (n_rows, n_chans, n_freqs, n_frames).

    Raises
    ------
    InputError
        If a value is NaN or infinite; the message names the first such row.
    """
    finite = np.isfinite(values).all(axis=(1, 2, 3))
    if not finite.all():
        row = first + int(np.argmin(finite))
        raise InputError(f"{path}: row {row} contains NaN or infinite values; correct or remove this window")


def _labels(path: Path, values: np.ndarray, config: FoldArrays) -> np.ndarray:
    """Integer labels, shape (n_windows,), from integer or one-hot labels."""
    if values.dtype.kind not in "biuf" or values.ndim not in (1, 2):
        raise InputError(f"{path}: shape {values.shape} of {values.dtype}, expected one integer label for each window")
    if values.ndim == 2:
        one_hot = np.isin(values, (0, 1)).all(axis=1) & (values.sum(axis=1) == 1)
        if values.shape[1] < 2 or not one_hot.all():
            finding = "" if values.shape[1] < 2 else f", row {int(np.argmin(one_hot))} is {values[~one_hot][0]}"
            raise InputError(
                f"{path}: shape {values.shape}{finding}; expected one integer for each window, or one-hot rows (one 1, "
                "else 0); save them as labels.ravel() or labels.argmax(axis=1)"
            )
        values = values.argmax(axis=1)
    named = np.isin(values, list(config.label_names))
    if not named.all():
        row = int(np.argmin(named))
        names = ", ".join(f"{number}: {name}" for number, name in config.label_names.items())
        raise InputError(f"{path}: row {row} has label {values[row]}; dataset.label_names defines {names}")
    return values.astype(np.int64)


def _patients(path: Path, values: np.ndarray) -> list[str]:
    """Ids of the patients as text, from text, bytes in UTF-8 or integral numbers."""
    whole = values.dtype.kind in "iu" or (
        values.dtype.kind == "f" and np.isfinite(values).all() and (values % 1 == 0).all()
    )
    if (not whole and values.dtype.kind not in "SU") or values.size != max(values.shape, default=0):
        raise InputError(
            f"{path}: shape {values.shape} of {values.dtype}, expected the patient of each window as text or integer"
        )
    values = values.ravel()
    try:
        names = (np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values).tolist()
    except ValueError as error:
        raise InputError(f"{path}: text that can't be decoded ({error}); save the text as UTF-8") from None
    if values.dtype.kind not in "SU":
        return [str(int(name)) for name in names]
    for row, name in enumerate(names):
        if not name.strip() or not name.isprintable():
            raise InputError(f"{path}: row {row} has the patient {name!r}, expected printable text")
    return [normalize_id(name) for name in names]


def shape_of_window(part: FoldPart, config: FoldArrays) -> tuple[int, int, int]:
    """Shape of the windows of a fold.

    Parameters
    ----------
    part
        The fold.
    config
        The data set, with `axes`.

    Returns
    -------
    n_chans, n_freqs, n_frames
        Numbers of channels, frequencies and frames.
    """
    _, channels, frequencies, frames = (part.data.shape[axis] for axis in axis_order(config))
    return channels, frequencies, frames


def check_shape(first: FoldPart, part: FoldPart, config: FoldArrays) -> None:
    """Check that the windows of two folds have the same shape.

    Parameters
    ----------
    first, part
        The first fold, and another one.
    config
        The data set, with `axes`.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    expected, shape = (shape_of_window(fold, config) for fold in (first, part))
    if shape != expected:
        raise InputError(
            f"{part.path}: windows of (n_chans, n_freqs, n_frames) {shape}, but {first.path} has {expected}; the "
            "windows of all folds must have the same shape"
        )
