"""Compressed samples: EDF and BDF files with gzip, and variables of MATLAB."""

import atexit
import os
import tempfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import IO, BinaryIO, cast

import numpy as np

from eegwf.data.signals.matlab import inflate
from eegwf.data.signals.samples import BrainVisionSamples, EdfSamples
from eegwf.errors import InputError

# Decompressed files that a process keeps.
MAX_KEPT = 2
CHUNK_BYTES = 1 << 20
_KEPT: OrderedDict[tuple[str, int, int, int], IO[bytes]] = OrderedDict()


@atexit.register
def close_kept() -> None:
    """Close the decompressed files, and so remove them."""
    while _KEPT:
        _KEPT.popitem()[1].close()


def is_compressed(path: Path) -> bool:
    """Whether the name of a file ends with `.gz`."""
    return path.suffix.lower() == ".gz"


@contextmanager
def open_content(path: Path) -> Iterator[BinaryIO]:
    """Open a file that may be compressed, for reading from its beginning to its end.

    Parameters
    ----------
    path
        The file.

    Yields
    ------
    BinaryIO
        Its content, decompressed.

    Raises
    ------
    InputError
        If the file is cut off, damaged or not compressed with gzip.
    """
    if not is_compressed(path):
        with open(path, "rb") as file:
            yield file
        return
    with _readable(path), GzipFile(path, "rb") as file:
        yield cast("BinaryIO", file)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error) as error:
        raise InputError(f"{path}: cut off or damaged within its compressed content; fetch it again") from error
    except BadGzipFile as error:
        raise InputError(f"{path}: not compressed with gzip, or damaged ({error}); fetch it again") from error


def content_size(path: Path, expected: int) -> int:
    """Size of a file after decompression.

    Parameters
    ----------
    path
        The file.
    expected
        Size according to its header. If the last bytes of a compressed file, which have its size, agree, it is not
        decompressed; damage within it is found when its samples are read.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    InputError
        If the file is cut off or damaged.
    """
    if not is_compressed(path):
        return path.stat().st_size
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(end - 4, 0))
        declared = int.from_bytes(file.read(4), "little")
    if declared == expected % 2**32:
        return expected
    with open_content(path) as content:
        size = 0
        while chunk := content.read(CHUNK_BYTES):
            size += len(chunk)
    return size


@dataclass(frozen=True)
class CompressedEdfSamples(EdfSamples):
    """Samples of a compressed EDF or BDF file, which is decompressed once in each process that reads it.

    The decompressed file is in the folder of temporary files (`TMPDIR`), has no name, and is removed by the operating
    system when the process ends, in whatever way; a process keeps the `MAX_KEPT` last ones.
    """

    def _bytes(self, position: int, n_bytes: int) -> np.ndarray:
        return _read_decompressed(self.path, _content_chunks, 0, position, n_bytes)


@dataclass(frozen=True)
class CompressedVariableSamples(BrainVisionSamples):
    """Samples in a compressed variable of MATLAB, which is decompressed like a compressed EDF file.

    Attributes
    ----------
    stream
        Position of the compressed variable in the file.
    """

    stream: int = 0

    def _bytes(self, position: int, n_bytes: int) -> np.ndarray:
        return _read_decompressed(self.path, _variable_chunks, self.stream, position, n_bytes)


def _content_chunks(path: Path, _: int) -> Iterator[bytes]:
    with open_content(path) as content:
        while chunk := content.read(CHUNK_BYTES):
            yield chunk


def _variable_chunks(path: Path, stream: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(stream)
        yield from inflate(path, file, path.stat().st_size - stream)


Chunks = Callable[[Path, int], Iterator[bytes]]


def _read_decompressed(path: Path, chunks: Chunks, stream: int, position: int, n_bytes: int) -> np.ndarray:
    content = os.pread(_decompressed(path, chunks, stream).fileno(), n_bytes, position)
    if len(content) < n_bytes:
        raise InputError(f"{path}: became shorter while it was read; fetch or export it again")
    return np.frombuffer(content, np.uint8)


def _decompressed(path: Path, chunks: Chunks, stream: int) -> IO[bytes]:
    """The decompressed content, from those that are kept if the compressed file has not changed."""
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror}); fetch it again") from error
    key = (str(path), state.st_size, state.st_mtime_ns, stream)
    if key in _KEPT:
        _KEPT.move_to_end(key)
        return _KEPT[key]
    while len(_KEPT) >= MAX_KEPT:
        _KEPT.popitem(last=False)[1].close()
    file = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        for chunk in chunks(path, stream):
            file.write(chunk)
        file.flush()
    except OSError as error:
        file.close()
        raise InputError(
            f"{path}: can't be decompressed to {tempfile.gettempdir()} ({error.strerror or error}); make room there, "
            "or set TMPDIR to another folder"
        ) from error
    except BaseException:
        file.close()
        raise
    _KEPT[key] = file
    return file
