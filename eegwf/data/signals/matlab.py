"""Variables in files of MATLAB 5 to 7, of which only those that are asked for are read, and large arrays only located.

SciPy's reader is not used: damaged files end the process (segmentation fault), and it reads all samples.
"""

import struct
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from eegwf.errors import InputError

# NumPy's types of the elements of arrays; text in `_TEXT`.
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXT = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_MATRIX, _ZLIB = 14, 15
_CELL, _STRUCT, _CHAR, _NUMERIC = 1, 2, 4, range(6, 16)
_COMPLEX = 0x800
# Bytes of an array that are read; larger ones are not needed, except the samples, which are located.
MAX_LOADED = 1 << 20
CHUNK_BYTES = 1 << 20
# Structs within structs.
MAX_DEPTH = 5


@dataclass(frozen=True)
class StoredArray:
    """Numbers in a file, in the order of MATLAB: the first index varies fastest.

    Attributes
    ----------
    dtype
        Type of a number, with its byte order.
    shape
        Lengths of the axes.
    position
        First byte, in the file or in the decompressed variable.
    stream
        Position of the compressed variable in the file; None if it is not compressed.
    """

    dtype: str
    shape: tuple[int, ...]
    position: int
    stream: int | None


def read_variables(path: Path, wanted: Collection[str], located: str) -> dict[str, Any]:
    """Read variables, and fields of structs, with certain names.

    Parameters
    ----------
    path
        File of MATLAB 5 to 7.
    wanted
        Names of variables and fields to read; all others are skipped.
    located
        The one of them whose numbers are located, not read.

    Returns
    -------
    dict
        Values by name: an array, a `StoredArray`, text, a list of cells or of structs (dicts); None for others.

    Raises
    ------
    InputError
        If the file is cut off, damaged, or of another format.
    """
    with open(path, "rb") as file:
        begin = file.read(128)
        if not begin.startswith(b"MATLAB 5.0 MAT-file") or len(begin) < 128:
            raise InputError(f"{path}: not a file of MATLAB 5 to 7 (begins with {begin[:20]!r}); fetch it again")
        order, size = (">" if begin[126:128] == b"MI" else "<"), path.stat().st_size
        variables: dict[str, Any] = {}
        position = 128
        while position < size:
            source = _Source(path, file, position, size, order)
            kind, length, _ = source.tag(size)
            stop = position + 8 + length
            if stop > size:
                raise source.damage("a variable")
            if kind == _ZLIB:
                source = _Deflated(path, file, position + 8, stop, order)
                kind, length, _ = source.tag(1 << 62)
            if kind != _MATRIX:
                raise source.damage(f"an element of type {kind}")
            name, value = source.matrix(source.position + length, wanted, located, None, 0)
            if name in wanted:
                variables[name] = value
            position = stop
    return variables


class _Source:
    """Elements of a variable, read one after the other."""

    stream: int | None = None

    def __init__(self, path: Path, file: BinaryIO, position: int, size: int, order: str) -> None:
        self.path, self.file, self.order = path, file, order
        self.position, self.size = position, size
        file.seek(position)

    def damage(self, what: str) -> InputError:
        return InputError(f"{self.path}: cut off or damaged ({what} at byte {self.position}); fetch or save it again")

    def read(self, n_bytes: int) -> bytes:
        content = self.file.read(n_bytes) if 0 <= n_bytes <= self.size - self.position else b""
        if len(content) < n_bytes:
            raise self.damage("an end")
        self.position += n_bytes
        return content

    def skip(self, n_bytes: int) -> None:
        if not 0 <= n_bytes <= self.size - self.position:
            raise self.damage("an end")
        self.position += n_bytes
        self.file.seek(self.position)

    def tag(self, end: int) -> tuple[int, int, int]:
        """Type and length of the next element, and the bytes that fill it up to a multiple of 8."""
        first = self.read(4)
        kind, length = struct.unpack(self.order + "I", first)[0], 0
        if kind >> 16:
            kind, length, padding = kind & 0xFFFF, kind >> 16, 4 - (kind >> 16)
        else:
            length = struct.unpack(self.order + "I", self.read(4))[0]
            padding = -length % 8 if kind not in (_MATRIX, _ZLIB) else 0
        padding = min(padding, max(end - self.position - length, 0))
        if padding < 0 or self.position + length > end:
            raise self.damage("an element")
        return kind, length, padding

    def content(self, end: int) -> tuple[int, bytes]:
        kind, length, padding = self.tag(end)
        if length > MAX_LOADED:
            raise self.damage("an element")
        content = self.read(length)
        self.skip(padding)
        return kind, content

    def matrix(self, end: int, wanted: Collection[str], located: str, field: str | None, depth: int) -> tuple[str, Any]:
        """Name and value of an array; the name of a field is that of the struct's field."""
        if self.position == end:  # an empty array without any description
            return field or "", None
        flags = int.from_bytes(self.content(end)[1][:4], "little" if self.order == "<" else "big")
        kind, dims = self.content(end)
        if kind != 5 or not 8 <= len(dims) <= 256:
            raise self.damage("the size of an array")
        shape = tuple(np.frombuffer(dims, self.order + "i4").tolist())
        own_name = self.content(end)[1].decode("latin-1")
        name = own_name if field is None else field
        value = None
        if (name in wanted or (depth == 0 and name == "EEG")) and depth < MAX_DEPTH and min(shape) >= 0:
            value = self.value(flags, shape, end, wanted, located, name, depth)
        self.skip(end - self.position)
        return name, value

    def value(
        self, flags: int, shape: tuple[int, ...], end: int, wanted: Collection[str], located: str, name: str, depth: int
    ) -> Any:
        kind, count = flags & 0xFF, prod(shape)
        if kind in _NUMERIC and not flags & _COMPLEX:
            stored, length, _ = self.tag(end)
            dtype = np.dtype(self.order + _NUMBERS[stored]) if stored in _NUMBERS else None
            if dtype is None or length != count * dtype.itemsize:
                raise self.damage("an array")
            if name == located:
                return StoredArray(dtype.str, shape, self.position, self.stream)
            return np.frombuffer(self.read(length), dtype).reshape(shape, order="F") if length <= MAX_LOADED else None
        if kind == _CHAR:
            stored, content = self.content(end)
            codec = _TEXT.get(stored, "")
            codec += {"<": "-le", ">": "-be"}[self.order] * codec.startswith(("utf-16", "utf-32"))
            return content.decode(codec, errors="replace") if codec else None
        if kind not in (_CELL, _STRUCT):
            return None
        names = [name]
        if kind == _STRUCT:
            width = int.from_bytes(self.content(end)[1][:4], "little" if self.order == "<" else "big")
            content = self.content(end)[1]
            if not 1 <= width <= 256:
                raise self.damage("the fields of a struct")
            fields = [content[start : start + width] for start in range(0, len(content), width)]
            names = [field.split(b"\0")[0].decode("latin-1") for field in fields]
        if count * len(names) * 8 > end - self.position:
            raise self.damage("an array of structs or cells")
        items: list[Any] = []
        for _ in range(count):
            item = {}
            for field in names:
                stored, length, _ = self.tag(end)
                if stored != _MATRIX:
                    raise self.damage("a field")
                item[field] = self.matrix(self.position + length, wanted, located, field, depth + 1)[1]
            items.append(item if kind == _STRUCT else item[name])
        return items


class _Deflated(_Source):
    """Elements of a compressed variable, decompressed while they are read."""

    def __init__(self, path: Path, file: BinaryIO, position: int, stop: int, order: str) -> None:
        super().__init__(path, file, position, 1 << 62, order)
        self.stream, self.position = position, 0
        self._chunks = inflate(path, file, stop - position)
        self._rest = b""

    def read(self, n_bytes: int) -> bytes:
        parts, missing = [], n_bytes
        while missing:
            if not self._rest:
                self._rest = next(self._chunks, b"")
                if not self._rest:
                    raise self.damage("the end of a compressed variable")
            parts.append(self._rest[:missing])
            self._rest = self._rest[missing:]
            missing -= len(parts[-1])
        self.position += n_bytes
        return b"".join(parts)

    def skip(self, n_bytes: int) -> None:
        if n_bytes < 0:
            raise self.damage("an element")
        while n_bytes:
            n_bytes -= len(self.read(min(n_bytes, CHUNK_BYTES)))


def inflate(path: Path, file: BinaryIO, n_bytes: int) -> Iterator[bytes]:
    """Decompress a variable, some megabytes at a time.

    Parameters
    ----------
    path
        The file.
    file
        The file, open at the first byte of the variable.
    n_bytes
        Bytes of the compressed variable.

    Yields
    ------
    bytes
        Its content.

    Raises
    ------
    InputError
        If it is damaged.
    """
    engine = zlib.decompressobj()
    try:
        while n_bytes > 0 and not engine.eof:
            content = file.read(min(n_bytes, CHUNK_BYTES))
            if not content:
                break
            n_bytes -= len(content)
            while content and not engine.eof:
                if decompressed := engine.decompress(content, CHUNK_BYTES):
                    yield decompressed
                content = engine.unconsumed_tail
    except zlib.error as error:
        raise InputError(f"{path}: damaged within a compressed variable ({error}); fetch or save it again") from error
