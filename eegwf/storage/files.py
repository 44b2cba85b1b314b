"""Files that are either whole or absent: written to a temporary name, synced and renamed."""

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
    """Open a binary file that takes the name `path` only when the block ends without error.

    Parameters
    ----------
    path
        The final name; missing parent folders are made.

    Raises
    ------
    OSError
        From the file system (full, read-only), with `filename` set to `path`, or what the block raises. The
        temporary file is removed.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
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
        # An error that names another file, such as one read in the block, keeps that name.
        if isinstance(error, OSError) and error.strerror and (temporary is None or error.filename in (None, temporary)):
            error.filename = str(path)
        raise


def _sweep(path: Path) -> None:
    """Remove what writers of `path` that were killed have left: their locks fell with them."""
    for left in path.parent.iterdir():
        if not left.name.startswith(f".{path.name}."):
            continue
        with suppress(OSError), open(left, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with replacing(path) as file:
        file.write(text.encode())


def write_json(path: Path | str, value: Any) -> None:
    """Write JSON with a stable layout; NaN and infinity are refused (write None instead)."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def write_table(path: Path | str, table: pd.DataFrame) -> None:
    """Write a tab-separated table with a header: floats with 9 significant digits, no index."""
    text = table.to_csv(sep="\t", index=False, float_format="%.9g", lineterminator="\n", na_rep="")
    write_text(path, text)


def write_array(path: Path | str, array: np.ndarray) -> None:
    """Write one `.npy` array, whole or not at all."""
    with replacing(path) as file:
        # Given no real file, NumPy writes through Python, whose errors tell a full disk by its name.
        np.lib.format.write_array(SimpleNamespace(write=file.write), np.asarray(array), allow_pickle=False)


def read_array(path: Path | str) -> np.ndarray:
    """Open an `.npy` file as a read-only memory map.

    Raises
    ------
    InputError
        If the file is not a whole `.npy` array, or holds Python objects.
    """
    with open(path, "rb") as file:
        try:
            shape, fortran_order, dtype = HEADER_READERS[np.lib.format.read_magic(file)](file)
        except OSError:
            raise
        except Exception as error:  # A header is Python source: damaged, it fails in many ways.
            raise InputError(f"{path}: not a whole .npy array ({error}); remove it and run again") from None
        start, size = file.tell(), os.fstat(file.fileno()).st_size
    wanted = start + math.prod(shape) * dtype.itemsize
    # numpy.memmap divides by the size of an element, and dies of one of 0 bytes.
    if dtype.hasobject or not dtype.itemsize or min(shape, default=0) < 0 or size < wanted:
        raise InputError(
            f"{path}: not a whole .npy array ({size} bytes, {wanted} for {shape} of {dtype}); remove it and run again"
        )
    return np.memmap(path, dtype, "r", start, shape, "F" if fortran_order else "C")


def read_table(path: Path | str, columns: tuple[str, ...] = (), text: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a tab-separated table with a header.

    Parameters
    ----------
    path
        The file.
    columns
        Columns that must be there.
    text
        Columns kept as strings: "001" and "NA" stay as they are, BIDS's "n/a" becomes the empty string.

    Raises
    ------
    InputError
        If the file is not such a table or lacks a column.
    """
    try:
        table = pd.read_csv(path, sep="\t", dtype=dict.fromkeys(text, str))
        # Read by itself, since pandas would take a patient named "NA" for a missing value.
        strings = pd.read_csv(path, sep="\t", dtype=str, na_filter=False, usecols=lambda name: name in text)
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path}: not a tab-separated table ({' '.join(str(error).split())})") from None
    if not isinstance(table.index, pd.RangeIndex):
        raise InputError(f"{path}: the rows have more cells than the header; give every column a name")
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
        If it is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from None


def digest(value: Any) -> str:
    """Digest of a JSON-able value: 16 hexadecimal digits, the same for the same content in the same order.

    Order counts, since the order of classes decides what the columns of a prediction mean.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_file(path: Path | str) -> str:
    """Digest of a file's bytes: 16 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
