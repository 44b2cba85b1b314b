"""Read files, and write them atomically: to a temporary name, synchronized to the disk, then renamed."""

import fcntl
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from eegwf.errors import InputError

HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@contextmanager
def replacing(path: Path | str) -> Iterator[BinaryIO]:
    """Open a binary file that is renamed to `path` only when the block ends without an error.

    Parameters
    ----------
    path
        The final name; missing parent folders are created.

    Yields
    ------
    BinaryIO
        The temporary file, in the folder of `path`.

    Raises
    ------
    OSError
        If the file system refuses (full, read-only), with `filename` set to `path`. The temporary file is removed, also
        after an error of the block.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale_temporary_files(path)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield file
            file.flush()
            os.fsync(descriptor)
            umask = os.umask(0)
            os.umask(umask)
            Path(temporary).chmod(0o666 & ~umask)
            Path(temporary).replace(path)
    except BaseException as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        # An error about another file, such as one that is read in the block, keeps the name of that file.
        if isinstance(error, OSError) and error.strerror and (temporary is None or error.filename in (None, temporary)):
            error.filename = str(path)
        raise


def _remove_stale_temporary_files(path: Path) -> None:
    """Remove the temporary files of killed writers of `path`, which are those that no process has locked."""
    for temporary in path.parent.iterdir():
        if not temporary.name.startswith(f".{path.name}."):
            continue
        with suppress(OSError), open(temporary, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            temporary.unlink()


def write_text(path: Path | str, text: str) -> None:
    """Write a text file atomically.

    Parameters
    ----------
    path
        The file.
    text
        Its content, written in UTF-8.
    """
    with replacing(path) as file:
        file.write(text.encode())


def write_json(path: Path | str, value: Any) -> None:
    """Write a JSON file atomically, with a stable layout.

    Parameters
    ----------
    path
        The file.
    value
        A JSON-able value; NaN and infinity are refused with a ValueError (write None instead).
    """
    write_text(path, json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def write_table(path: Path | str, table: pd.DataFrame) -> None:
    """Write a tab-separated table with a header atomically.

    Parameters
    ----------
    path
        The file.
    table
        The table; its index is not written. Floats are written with 9 significant digits, missing values as empty
        cells.
    """
    text = table.to_csv(sep="\t", index=False, float_format="%.9g", lineterminator="\n", na_rep="")
    write_text(path, text)


def write_array(path: Path | str, array: np.ndarray) -> None:
    """Write an `.npy` file atomically.

    Parameters
    ----------
    path
        The file.
    array
        The array; Python objects are refused with a ValueError.
    """
    with replacing(path) as file:
        # If the object is not a real file, NumPy writes through Python, whose errors include the cause (disk full).
        np.lib.format.write_array(SimpleNamespace(write=file.write), np.asarray(array), allow_pickle=False)


def read_array(path: Path | str) -> np.memmap:
    """Open an `.npy` file as a read-only memory map.

    Raises
    ------
    InputError
        If the file is not a complete `.npy` array, or contains Python objects.
    """
    with open(path, "rb") as file:
        try:
            shape, fortran_order, dtype = HEADER_READERS[np.lib.format.read_magic(file)](file)
        except OSError:
            raise
        except (
            Exception
        ) as error:  # A header is parsed as Python source, and a damaged one raises many kinds of errors.
            raise InputError(f"{path}: not a complete .npy array ({error}); remove it and rerun") from None
        start, size = file.tell(), os.fstat(file.fileno()).st_size
    expected = start + math.prod(shape) * dtype.itemsize
    # numpy.memmap divides by the size of an element; a size of 0 bytes would crash the process.
    if dtype.hasobject or not dtype.itemsize or min(shape, default=0) < 0 or size < expected:
        raise InputError(
            f"{path}: not a complete .npy array ({size} bytes, expected {expected} for {shape} of {dtype}); "
            "remove it and rerun"
        )
    return np.memmap(path, dtype, "r", start, shape, "F" if fortran_order else "C")


def read_table(path: Path | str, columns: tuple[str, ...] = (), text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a tab-separated table with a header.

    Parameters
    ----------
    path
        The file.
    columns
        Required columns.
    text
        Columns read as strings: "001" and "NA" are kept, and "n/a" (missing in BIDS) becomes the empty string.

    Returns
    -------
    pandas.DataFrame
        The table.

    Raises
    ------
    InputError
        If the file is not a tab-separated table, or a required column is missing.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype=dict.fromkeys(text, str))
        # Text columns are read separately, since pandas would convert a patient named "NA" to a missing value.
        strings = pd.read_csv(path, sep="\t", dtype=str, na_filter=False, usecols=lambda name: name in text)
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path}: not a tab-separated table ({' '.join(str(error).split())})") from None
    if not isinstance(table.index, pd.RangeIndex):
        raise InputError(f"{path}: the rows have more cells than the header; add a name for every column")
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(map(repr, missing))}; found {', '.join(map(str, table.columns))}"
        )
    for name in strings.columns:
        table[name] = strings[name].replace("n/a", "").astype(object)
    return table


def read_json(path: Path | str) -> Any:
    """Read a JSON file.

    Raises
    ------
    InputError
        If the file is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error})") from None


def digest(value: Any) -> str:
    """Digest of a JSON-able value: 16 hexadecimal digits.

    It depends on the order of dictionary keys, since the order of the classes is that of the columns of a prediction.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_file(path: Path | str) -> str:
    """Digest of a file's bytes: 16 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
