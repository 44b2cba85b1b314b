"""One fold of arrays as earlier notebooks kept them: three files, read and checked.

The arrays, integer (or one-hot) labels, and the patient of each window.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eegwf.config.data import ArrayFiles, FoldArrays
from eegwf.data.fold_arrays.unpickle import read_array_file
from eegwf.errors import InputError

CHUNK = 2**24  # bytes read at a time


@dataclass(frozen=True)
class FoldPart:
    """One fold of one spectrogram.

    Attributes
    ----------
    path
        File of the arrays.
    data
        The arrays with their axes as on disk; a read-only memory map where the file allows it.
    labels
        (n_windows,) integer labels, each with a name in the config.
    patients
        Patient of each window.
    """

    path: Path
    data: np.ndarray
    labels: np.ndarray
    patients: list[str]


def axis_order(config: FoldArrays) -> tuple[int, int, int, int]:
    """Places of the windows, channels, frequencies and times among the axes on disk.

    In pictures (`n h w 3`) the colours are taken for channels and the height for the frequency axis.
    """
    letters = ["n", "f", "t", "c"] if config.axes == "n h w 3" else config.axes.split()
    return tuple(letters.index(letter) for letter in "ncft")


def chunks(data: np.ndarray, config: FoldArrays, size: int = CHUNK):
    """Yield (first row, array of (n_rows, n_chans, n_freqs, n_times)), each of about `size` bytes."""
    data = data.transpose(axis_order(config))
    rows = max(1, size // max(1, data[:1].nbytes))
    for first in range(0, len(data), rows):
        yield first, data[first : first + rows]


def read_fold(files: ArrayFiles, fold: int, config: FoldArrays) -> FoldPart:
    """Read one fold of one spectrogram and check all of it.

    Parameters
    ----------
    files
        The file patterns of the spectrogram.
    fold
        Number of the fold, from 1.
    config
        Axes and label names.

    Raises
    ------
    InputError
        If a file is missing, broken or of another shape than `config.axes` says, the three files differ
        in length, a label has no name, a window no patient, or a value is NaN or infinite.
    """
    part = open_fold(files, fold, config)
    if part.data.dtype.kind == "f":
        for first, values in chunks(part.data, config):
            check_finite(part.path, first, values)
    return part


def open_fold(files: ArrayFiles, fold: int, config: FoldArrays) -> FoldPart:
    """As `read_fold`, without reading the values of the arrays."""
    paths = [Path(p.replace("{fold}", str(fold))) for p in (files.data, files.labels, files.patients)]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise InputError(
            f"{', '.join(missing)}: no such file; fold {fold} of {config.n_folds} needs its data, labels and "
            "patients (dataset.arrays, dataset.n_folds)"
        )
    data, labels, patients = (read_array_file(path) for path in paths)
    if data.ndim != 4 or (config.axes == "n h w 3" and data.shape[3] != 3):
        raise InputError(f"{paths[0]}: shape {data.shape}, expected the axes {config.axes!r} (dataset.axes)")
    if data.dtype.kind not in "biuf":
        raise InputError(f"{paths[0]}: values of type {data.dtype}, expected real numbers")
    labels, patients = _labels(paths[1], labels, config), _patients(paths[2], patients)
    lengths = [data.shape[axis_order(config)[0]], len(labels), len(patients)]
    if len(set(lengths)) > 1:
        found = ", ".join(f"{path} {length}" for path, length in zip(paths, lengths, strict=True))
        raise InputError(f"fold {fold}: files of different length: {found}; expected one row for each window")
    if lengths[0] == 0 or data.size == 0:
        raise InputError(f"{paths[0]}: shape {data.shape}, expected at least one window; it holds nothing")
    return FoldPart(paths[0], data, labels, patients)


def check_finite(path: Path, first: int, values: np.ndarray) -> None:
    """Raise InputError for a NaN or infinite value in the rows from `first` on."""
    finite = np.isfinite(values).all(axis=(1, 2, 3))
    if not finite.all():
        row = first + int(np.argmin(finite))
        raise InputError(f"{path}: row {row} holds NaN or infinite values; mend or leave out that window")


def _labels(path: Path, values: np.ndarray, config: FoldArrays) -> np.ndarray:
    if values.dtype.kind not in "biuf" or values.ndim not in (1, 2):
        raise InputError(f"{path}: shape {values.shape} of {values.dtype}, expected one integer label for each window")
    if values.ndim == 2:
        one_hot = np.isin(values, (0, 1)).all(axis=1) & (values.sum(axis=1) == 1)
        if values.shape[1] < 2 or not one_hot.all():
            row = "" if values.shape[1] < 2 else f", row {int(np.argmin(one_hot))} is {values[~one_hot][0]}"
            raise InputError(
                f"{path}: shape {values.shape}{row}; expected one integer for each window, or one-hot rows (a 1, "
                "else 0); save them as labels.ravel() or labels.argmax(axis=1)"
            )
        values = values.argmax(axis=1)
    known = np.isin(values, list(config.label_names))
    if not known.all():
        row = int(np.argmin(known))
        names = ", ".join(f"{number}: {name}" for number, name in config.label_names.items())
        raise InputError(f"{path}: row {row} has label {values[row]}; dataset.label_names knows {names}")
    return values.astype(np.int64)


def _patients(path: Path, values: np.ndarray) -> list[str]:
    whole = values.dtype.kind in "iu" or (
        values.dtype.kind == "f" and np.isfinite(values).all() and (values % 1 == 0).all()
    )
    if (not whole and values.dtype.kind not in "SU") or values.size != max(values.shape, default=0):
        raise InputError(
            f"{path}: shape {values.shape} of {values.dtype}, expected the patient of each window as text or "
            "whole number"
        )
    values = values.ravel()
    try:
        names = (np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values).tolist()
    except ValueError as error:
        raise InputError(f"{path}: text that can't be decoded ({error}); save it as UTF-8") from None
    if values.dtype.kind not in "SU":
        return [str(int(name)) for name in names]
    for row, name in enumerate(names):
        if not name.strip() or not name.isprintable():
            raise InputError(f"{path}: row {row} has the patient {name!r}, expected a name")
    return names


def shape_of_window(part: FoldPart, config: FoldArrays) -> tuple[int, int, int]:
    """(n_chans, n_freqs, n_times) of a fold's windows."""
    return tuple(part.data.shape[axis] for axis in axis_order(config)[1:])


def check_shape(first: FoldPart, part: FoldPart, config: FoldArrays) -> None:
    """Raise InputError if two folds hold windows of different shape."""
    one, other = (shape_of_window(each, config) for each in (first, part))
    if one != other:
        raise InputError(
            f"{part.path}: windows of (n_chans, n_freqs, n_times) {other}, but {first.path} has {one}; all folds "
            "must have one shape"
        )
