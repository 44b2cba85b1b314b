"""Reads arrays that earlier studies pickled, without running anything that a pickle asks for.

A pickle is a program: it names functions and calls them. Here every name it may use leads to a stand-in
(`eegwf.data.fold_arrays.pickled_names`) that only notes what was asked; any other name is refused.
"""

import math
import mmap
import pickle
import pickletools
import struct
import tokenize
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from eegwf.data.fold_arrays.pickled_names import DEEPEST, NAMES, Admitted, Built
from eegwf.data.fold_arrays.stacking import stacked
from eegwf.errors import InputError

_NPY = b"\x93NUMPY"
_FOREIGN = {
    b"PK\x03\x04": "a zip (npz?) archive",
    b"\x1f\x8b": "compressed with gzip",
    b"BZh": "a bzip2 file",
}
_NUMBERS_AND_TEXT = "biufcSU"
# What NumPy and pickle raise on damaged files; names and assertions of ours stay out.
_DAMAGE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, MemoryError, SyntaxError),
    *(RecursionError, OverflowError, pickle.UnpicklingError, struct.error, tokenize.TokenError),
)
_MEND = "save it again with np.save(file, array, allow_pickle=False)"


def read_array_file(path: Path | str) -> np.ndarray:
    """Read one array from a `.npy` file or a pickle, whatever the file's extension.

    Parameters
    ----------
    path
        A plain `.npy` file, an `.npy` file of Python objects, or a raw pickle (protocols 0 to 5,
        Python 2 included) of an array or of nested lists of numbers, text or arrays.

    Returns
    -------
    np.ndarray
        Numbers or text, never objects. A plain `.npy` file is a read-only memory map; lists of
        equal-shaped arrays are stacked along new leading axes.

    Raises
    ------
    InputError
        If there is no such file, it is broken or of another format, its pickle asks for anything but
        NumPy arrays and plain containers, or its arrays differ in shape.
    """
    value = read_object(path)
    if isinstance(value, np.ndarray) and value.dtype.kind in _NUMBERS_AND_TEXT:
        return value
    try:
        return stacked(value, largest=2**30 + 16 * Path(path).stat().st_size)
    except (ValueError, TypeError, MemoryError, OverflowError) as error:
        raise InputError(f"{path}: not one array of numbers or text ({_line(error)}); {_MEND}") from None


def read_object(path: Path | str) -> Any:
    """Read what a `.npy` file or a pickle holds: arrays, lists, tuples, dicts, sets, text, numbers, None.

    Raises
    ------
    InputError
        As for `read_array_file`, but for the shapes.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the pattern in the config")
    with open(path, "rb") as file:
        start = file.read(len(_NPY))
        for magic, what in _FOREIGN.items():
            if start.startswith(magic):
                raise InputError(f"{path}: {what}, not .npy or a pickle; unpack it and {_MEND}")
        try:
            file.seek(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # old headers, old escapes: what is read is checked anyway
                array = _mapped(file, path) if start == _NPY else None
                return _unpickled(file, path) if array is None else array
        except _DAMAGE as error:
            what = ".npy array" if start == _NPY else ".npy array or pickle of arrays"
            raise InputError(f"{path}: not a whole {what} ({_line(error)}); {_MEND}") from None


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return ascii(text[:200])[1:-1] if text else type(error).__name__


def _mapped(file, path: Path) -> np.memmap | None:
    """Map a plain `.npy` file; None, with `file` left behind the header, if it holds objects."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in readers:  # version 3 is for field names beyond Latin-1
        raise ValueError(f"format version {version}")
    shape, fortran, dtype = readers[version](file)
    if dtype.kind == "O":
        return None
    # Checked here because numpy.memmap dies of a division by zero on elements of 0 bytes, and sizes wrap.
    if dtype.kind not in _NUMBERS_AND_TEXT or dtype.itemsize == 0:
        raise ValueError(f"dtype {dtype}, expected numbers or text")
    size, there = math.prod(shape) * dtype.itemsize, path.stat().st_size - file.tell()
    if any(n < 0 for n in shape) or size > there:
        raise ValueError(f"{there} bytes of data, the header announces shape {shape} of {dtype}")
    return np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran else "C")


def _unpickled(file, path: Path) -> Any:
    start = file.tell()
    # A map gives no more bytes than there are, so that no length in the file can ask for memory.
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        view.seek(start)
        _refuse_traps(view, path)
        view.seek(start)
        return Built().of(_Reader(view, path).load())


_REFUSED = {
    "PERSID": "a persistent id",
    "BINPERSID": "a persistent id",
    "EXT1": "an extension code",
    "EXT2": "an extension code",
    "EXT4": "an extension code",
    "NEXT_BUFFER": "a buffer outside the file",
    "READONLY_BUFFER": "a buffer outside the file",
}
_OPCODES = {opcode.code.encode("latin1"): opcode for opcode in pickletools.opcodes}
_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_TUPLES = {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}


def _refuse_traps(file: mmap.mmap, path: Path) -> None:
    """Walk through a pickle without running it and refuse what could harm the machine that runs it.

    Extension codes may come from a cache that `find_class` never sees; a memo index of 2^32 takes
    64 GB; hashing tuples nested a million deep overflows the C stack. The walk therefore carries, for
    each place of the stack, how deep tuples are nested there.
    """
    stack: list[int | None] = []  # None is a mark
    memo: dict[int, int | None] = {}
    for opcode, argument in _opcodes(file):
        name = opcode.name
        if name in _REFUSED:
            raise InputError(f"{path}: its pickle holds {_REFUSED[name]}, which is not read; {_MEND}")
        if name in _PUTS:
            index = len(memo) if argument is None else argument
            if index > len(memo) + 1024:  # picklers number their memo one by one
                raise ValueError(f"memo index {index} after {len(memo)} entries")
            memo[index] = stack[-1]
        elif name in _GETS:
            stack.append(memo[argument])
        elif name == "DUP":
            stack.append(stack[-1])
        elif name == "MARK":
            stack.append(None)
        else:
            taken = _take(stack, opcode)
            depth = 1 + max(taken, default=0) if name in _TUPLES else 0
            if depth > DEEPEST:
                raise ValueError(f"tuples nested deeper than {DEEPEST}")
            stack.extend([depth] * len(opcode.stack_after))


def _opcodes(file: mmap.mmap) -> Iterator[tuple[pickletools.OpcodeInfo, int | None]]:
    """Opcodes up to the end of a pickle, with the argument where it is a number.

    `pickletools.genops` would copy every array, and fails on the byte strings of Python 2.
    """
    while True:
        code = file.read(1)
        if code not in _OPCODES:
            raise ValueError(f"{code!r} where the pickle should go on" if code else "it ends too early")
        opcode = _OPCODES[code]
        argument = None
        if opcode.arg is not None and opcode.arg.n >= 0:
            argument = int.from_bytes(file.read(opcode.arg.n), "little")
        elif opcode.arg is not None and opcode.arg.n == pickletools.UP_TO_NEWLINE:
            line = file.readline()
            if opcode.name in ("GLOBAL", "INST"):
                file.readline()
            elif opcode.name in ("PUT", "GET"):
                argument = int(line)
        elif opcode.arg is not None:
            size = int.from_bytes(file.read(_LENGTHS[opcode.arg.n]), "little")
            if size > len(file) - file.tell():
                raise ValueError(f"{opcode.name} of {size} bytes, beyond the end of the file")
            file.seek(size, 1)
        yield opcode, argument
        if opcode.name == "STOP":
            return


def _take(stack: list[int | None], opcode) -> list[int]:
    """Pop from the stack what an opcode pops."""
    taken = []
    before = len(opcode.stack_before)
    if pickletools.markobject in opcode.stack_before:
        while (depth := stack.pop()) is not None:
            taken.append(depth)
        before = opcode.stack_before.index(pickletools.markobject)
    for _ in range(before):
        taken.append(stack.pop() or 0)
    return taken


class _Reader(pickle.Unpickler):
    """An unpickler for which only the names above exist."""

    def __init__(self, file: mmap.mmap, path: Path):
        super().__init__(file, encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> Admitted:
        if (module, name) not in NAMES:
            raise InputError(
                f"{self._path}: its pickle asks for {f'{module}.{name}'[:200]!a}; only NumPy arrays and "
                f"plain lists, tuples, dicts, sets, text and numbers are read; {_MEND}"
            )
        return NAMES[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise InputError(f"{self._path}: its pickle holds a persistent id, which is not read; {_MEND}")
