"""An `.npy` array that is written in chunks; the chunks committed before a kill are kept."""

import hashlib
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from eegwf.storage.files import replacing, write_text

BUFFER = 2**22
"""Bytes that are read at once while committed chunks are verified."""


class GrowingArray:
    """An array whose rows are appended in order and committed in chunks.

    A folder contains the unfinished file and a journal with one line for each committed chunk: the number of rows after
    this chunk, and the sha256 of the bytes of all rows so far. A chunk is synchronized to the disk before its line is
    written. When the array is opened again, everything after the last line that matches the file is removed.

    The array is used in a `with` block, which opens and closes the file.

    Parameters
    ----------
    folder
        Folder of the unfinished file; only one process may use it at a time.
    shape, dtype
        Shape and type of the complete array.

    Attributes
    ----------
    done : int
        Number of committed rows, and thus the index of the next row to append.

    Raises
    ------
    OSError
        If the file system refuses (full, read-only), with `filename` set.
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
        with _add_filename(self.path):
            self._resume()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._file.close()

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes of all rows so far, without the header."""
        return self._sha.hexdigest()

    def append(self, rows: np.ndarray) -> None:
        """Append rows; they are lost if the process is killed before the next `commit`."""
        if not len(rows):
            return
        data = np.ascontiguousarray(rows).data.cast("B")
        with _add_filename(self.path):
            written = 0
            while written < len(data):
                written += self._file.write(data[written:])
        self._sha.update(data)
        self._appended += len(rows)

    def commit(self) -> None:
        """Synchronize the rows appended so far to the disk and record them in the journal."""
        if not self._appended:
            return
        with _add_filename(self.path):
            os.fdatasync(self._file.fileno())
        self.done += self._appended
        with _add_filename(self.journal), open(self.journal, "a", encoding="ascii") as journal:
            journal.write(f"{self.done}\t{self.sha256}\n")
            journal.flush()
            os.fsync(journal.fileno())
        self._appended = 0

    def publish(self, path: Path) -> None:
        """Create the complete array under its final name.

        The folder keeps the array until `discard`, since the job may be killed before it has written its other outputs.

        Raises
        ------
        ValueError
            If rows are missing.
        """
        if self.done != self.shape[0]:
            raise ValueError(f"{self.path}: {self.done} of {self.shape[0]} rows are committed")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        try:
            path.hardlink_to(self.path)
        except OSError:  # the file system does not support links, or `path` is on another one
            with replacing(path) as file, open(self.path, "rb") as source:
                shutil.copyfileobj(source, file, BUFFER)
        os.utime(path)

    def discard(self) -> None:
        """Remove the unfinished file and the journal.

        The array is removed first. With the journal removed first, a kill in between would leave an array without a
        journal, which is truncated when it is opened again; as a hard link, the published array would be truncated too.
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
        """Read the rows, and return the lines of the journal that match them, up to the first that does not."""
        lines = []
        text = self.journal.read_text(encoding="ascii", errors="replace") if self.journal.exists() else ""
        for line in text.splitlines(keepends=True):
            rows, _, sha = line.rstrip("\n").partition("\t")
            if not line.endswith("\n") or not rows.isdecimal() or not self.done < int(rows) <= self.shape[0]:
                break
            extended = self._sha.copy()
            remaining = (int(rows) - self.done) * self.row_bytes
            while remaining and (data := self._file.read(min(remaining, BUFFER))):
                extended.update(data)
                remaining -= len(data)
            if extended.hexdigest() != sha:
                break
            self._sha, self.done = extended, int(rows)
            lines.append(line)
        return lines


@contextmanager
def _add_filename(path: Path) -> Iterator[None]:
    """Add the name of a file to errors of the file system without one, such as those of `write` and `fsync`."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
