"""An `.npy` array that grows chunk by chunk: what was committed before a kill stands."""

import hashlib
import io
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from eegwf.storage.files import replacing, write_text

BUFFER = 2**22
"""Bytes read at once while finished chunks are checked."""


class GrowingArray:
    """Rows of an array, appended in their order and committed in chunks.

    A folder holds the growing file and a journal, a line for each committed chunk: the rows that were there after
    it, and the sha256 of the bytes of all of them. A chunk is on disk before its line is. What is behind the last
    line that holds true is cut off when the array is opened again.

    It is used in a `with` block, which opens and closes the file.

    Parameters
    ----------
    folder
        Where the file grows; held by one process.
    shape, dtype
        Of the whole array.

    Attributes
    ----------
    done : int
        Rows that are committed, the first to append next.

    Raises
    ------
    OSError
        From the file system (full, read-only), with `filename` set.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], dtype: str):
        self.path, self.journal = folder / "array.npy", folder / "chunks.tsv"
        self.shape, self.row_bytes = shape, int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": dtype, "fortran_order": False, "shape": shape})
        self._header = header.getvalue()
        self._sha = hashlib.sha256()
        self.done = self._appended = 0

    def __enter__(self) -> Self:
        self._file = open(self.path, "a+b", buffering=0)
        with _Named(self.path):
            self._resume()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._file.close()

    @property
    def sha256(self) -> str:
        """Digest of the bytes of all rows so far, without the header."""
        return self._sha.hexdigest()

    def append(self, rows: np.ndarray) -> None:
        """Write rows behind those that are there; a kill before the next `commit` loses them."""
        if not len(rows):
            return
        data = memoryview(np.ascontiguousarray(rows)).cast("B")
        with _Named(self.path):
            written = 0
            while written < len(data):
                written += self._file.write(data[written:])
        self._sha.update(data)
        self._appended += len(rows)

    def commit(self) -> None:
        """Make sure that the rows appended so far survive whatever comes."""
        if not self._appended:
            return
        with _Named(self.path):
            os.fdatasync(self._file.fileno())
        self.done += self._appended
        with _Named(self.journal), open(self.journal, "a", encoding="ascii") as journal:
            journal.write(f"{self.done}\t{self.sha256}\n")
            journal.flush()
            os.fsync(journal.fileno())
        self._appended = 0

    def publish(self, path: Path) -> None:
        """Give the whole array its name; the folder keeps it too, for the case that the job dies before it ends."""
        if self.done != self.shape[0]:
            raise ValueError(f"{self.path}: {self.done} of {self.shape[0]} rows are committed")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        try:
            path.hardlink_to(self.path)
        except OSError:  # no links on this file system, or none to another one
            with replacing(path) as file, open(self.path, "rb") as source:
                shutil.copyfileobj(source, file, BUFFER)
        os.utime(path)

    def discard(self) -> None:
        """Leave nothing in the folder.

        The array goes first: opened again with its journal gone, it would be cut off under its published name too.
        """
        self.path.unlink(missing_ok=True)
        self.journal.unlink(missing_ok=True)

    def _resume(self) -> None:
        lines = []
        if self.path.stat().st_size >= len(self._header):
            self._file.seek(0)
            if self._file.read(len(self._header)) == self._header:
                lines = self._checked_lines()
        self._file.truncate(len(self._header) + self.done * self.row_bytes if lines else 0)
        if not lines:
            self._file.write(self._header)
        write_text(self.journal, "".join(lines))

    def _checked_lines(self) -> list[str]:
        """Lines of the journal that hold true, from the first on; read from behind the header."""
        lines = []
        text = self.journal.read_text(encoding="ascii", errors="replace") if self.journal.exists() else ""
        for line in text.splitlines(keepends=True):
            rows, _, sha = line.rstrip("\n").partition("\t")
            if not line.endswith("\n") or not rows.isdecimal() or not self.done < int(rows) <= self.shape[0]:
                break
            longer = self._sha.copy()
            left = (int(rows) - self.done) * self.row_bytes
            while left and (data := self._file.read(min(left, BUFFER))):
                longer.update(data)
                left -= len(data)
            if longer.hexdigest() != sha:
                break
            self._sha, self.done = longer, int(rows)
            lines.append(line)
        return lines


class _Named:
    """Errors of the file system without a file's name get one."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> None:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(self.path)
