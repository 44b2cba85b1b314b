"""Read arrays that earlier studies pickled, without executing anything that a pickle requests.

A pickle is a program for a stack machine. Its opcodes import objects by name (GLOBAL, STACK_GLOBAL, INST), call them
(REDUCE, OBJ, NEWOBJ) and set their state (BUILD). `pickle.load` on a hostile file can therefore run any command. Even
an unpickler that refuses unknown names can exhaust the memory or crash the process. This module reads pickles in three
steps:

1. `_check_opcodes` walks through the opcodes without executing them. It refuses opcodes that bypass the check of names,
   and sizes and nesting that could exhaust memory or the stack.
2. `_RestrictedUnpickler` executes the opcodes. The only names it admits are those of
   `eegwf.data.fold_arrays.pickled_names`, each replaced by an object that only records its arguments.
3. `ArrayBuilder` constructs the arrays from the records, after checking all sizes.
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
from typing import Any, BinaryIO, NoReturn

import numpy as np

from eegwf.data.fold_arrays.pickled_names import ADMITTED_NAMES, MAX_DEPTH, AdmittedCall, ArrayBuilder
from eegwf.data.fold_arrays.stacking import stack_nested
from eegwf.errors import InputError

_NPY = b"\x93NUMPY"
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive (.npz?)",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
}
_NUMBERS_AND_TEXT = "biufcSU"
# Errors that NumPy and pickle raise for damaged files. NameError and AssertionError are not among them, so that defects
# of this module are not reported as damaged files.
_READ_ERRORS = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, MemoryError, SyntaxError),
    *(RecursionError, OverflowError, pickle.UnpicklingError, struct.error, tokenize.TokenError),
)
_REMEDY = "save it again with np.save(file, array, allow_pickle=False)"


def read_array_file(path: Path | str) -> np.ndarray:
    """Read one array from a `.npy` file or a pickle, independent of the extension of the file.

    Parameters
    ----------
    path
        A plain `.npy` file, a `.npy` file of Python objects, or a raw pickle (protocols 0 to 5, including those of
        Python 2) of an array or of nested lists of numbers, text or arrays.

    Returns
    -------
    np.ndarray
        Numbers or text, never objects. A plain `.npy` file is a read-only memory map; lists of arrays of equal shape
        are stacked along new leading axes.

    Raises
    ------
    InputError
        If the file does not exist, is damaged or of another format, its pickle contains anything but NumPy arrays and
        plain containers, or its arrays differ in shape.
    """
    value = read_object(path)
    if isinstance(value, np.ndarray) and value.dtype.kind in _NUMBERS_AND_TEXT:
        return value
    try:
        # Stacked lists are not much larger than their file, unless the pickle refers to the same array many times.
        return stack_nested(value, max_bytes=2**30 + 16 * Path(path).stat().st_size)
    except (ValueError, TypeError, MemoryError, OverflowError) as error:
        raise InputError(f"{path}: not one array of numbers or text ({_one_line(error)}); {_REMEDY}") from None


def read_object(path: Path | str) -> Any:
    """Read the content of a `.npy` file or a pickle: arrays, lists, tuples, dicts, sets, text, numbers, None.

    Raises
    ------
    InputError
        As `read_array_file`, except for arrays that differ in shape.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; correct the pattern in the configuration")
    with open(path, "rb") as file:
        start = file.read(len(_NPY))
        for magic, kind in _OTHER_FORMATS.items():
            if start.startswith(magic):
                raise InputError(f"{path}: {kind}, expected a .npy file or a pickle; unpack it and {_REMEDY}")
        try:
            file.seek(0)
            with warnings.catch_warnings():
                # NumPy and pickle warn about headers and escapes of old versions; the content is validated anyway.
                warnings.simplefilter("ignore")
                array = _map_npy(file, path) if start == _NPY else None
                return _read_pickle(file, path) if array is None else array
        except _READ_ERRORS as error:
            kind = ".npy array" if start == _NPY else ".npy array or pickle of arrays"
            raise InputError(f"{path}: not a complete {kind} ({_one_line(error)}); {_REMEDY}") from None


def _one_line(error: Exception) -> str:
    """Message of an error in one line of ASCII: it may contain control characters from the file."""
    text = " ".join(str(error).split())
    return ascii(text[:200])[1:-1] if text else type(error).__name__


def _map_npy(file: BinaryIO, path: Path) -> np.memmap | None:
    """Map a plain `.npy` file; None if it contains objects, with the position of `file` after the header."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    # Version 3 exists for structured arrays with names beyond Latin-1, which are refused in any case.
    if version not in readers:
        raise ValueError(f"format version {version}")
    shape, fortran, dtype = readers[version](file)
    if dtype.kind == "O":
        return None
    # numpy.memmap divides by the item size, which can be 0, and its product of the shape can overflow.
    if dtype.kind not in _NUMBERS_AND_TEXT or dtype.itemsize == 0:
        raise ValueError(f"dtype {dtype}, expected numbers or text")
    size, available = math.prod(shape) * dtype.itemsize, path.stat().st_size - file.tell()
    if any(n < 0 for n in shape) or size > available:
        raise ValueError(f"{available} bytes of data, but the header specifies shape {shape} of {dtype}")
    return np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran else "C")


def _read_pickle(file: BinaryIO, path: Path) -> Any:
    """Read the pickle at the position of `file`."""
    start = file.tell()
    # `mmap.read(n)` allocates at most the bytes of the file, but `file.read(n)` n bytes even if the file is shorter.
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        view.seek(start)
        _check_opcodes(view, path)
        view.seek(start)
        return ArrayBuilder().build(_RestrictedUnpickler(view, path).load())


# Opcodes that are refused because they obtain objects without `find_class`, the only place where names are checked:
# - Persistent ids and buffers come from the program that reads the pickle; pickles of arrays in files contain neither.
# - Extension codes refer to the registry of `copyreg`. Once any unpickler of the process has resolved a code, the C
#   unpickler takes the object from a cache and does not call `find_class`.
_REFUSED_OPCODES = {
    "PERSID": "a persistent id",
    "BINPERSID": "a persistent id",
    "EXT1": "an extension code",
    "EXT2": "an extension code",
    "EXT4": "an extension code",
    "NEXT_BUFFER": "a buffer outside the file",
    "READONLY_BUFFER": "a buffer outside the file",
}
_OPCODES = {opcode.code.encode("latin1"): opcode for opcode in pickletools.opcodes}
# Bytes of the length that precedes an argument of variable size.
_LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_TUPLES = {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
# The pickle module numbers memo entries consecutively; the margin admits pickles without their unused entries.
_MEMO_MARGIN = 1024


def _check_opcodes(file: mmap.mmap, path: Path) -> None:
    """Walk through a pickle without executing it, and refuse what could harm the process that executes it.

    Besides the opcodes of `_REFUSED_OPCODES`, these are:

    - An argument that is longer than the file (see `_opcodes`).
    - A large memo index: the C unpickler allocates the memo as an array, 64 GB for the index 2**32.
    - Deeply nested tuples: if a tuple is a key of a dict or an element of a set, Python computes its hash by recursion
      in C without a limit, which overflows the stack for a million levels. Lists, dicts and sets have no hash, and a
      frozenset uses the stored hashes of its elements. The walk simulates the stack and the memo, and stores for each
      entry how deep tuples are nested in it.
    """
    stack: list[int | None] = []  # depth of nested tuples of each entry; None is a mark
    memo: dict[int, int | None] = {}
    for opcode, argument in _opcodes(file):
        name = opcode.name
        if name in _REFUSED_OPCODES:
            raise InputError(f"{path}: its pickle contains {_REFUSED_OPCODES[name]}, which is not supported; {_REMEDY}")
        if name in _PUTS:
            index = len(memo) if argument is None else argument
            if index > len(memo) + _MEMO_MARGIN:
                raise ValueError(f"memo index {index} after {len(memo)} entries")
            memo[index] = stack[-1]
        elif name in _GETS:
            assert argument is not None
            stack.append(memo[argument])
        elif name == "DUP":
            stack.append(stack[-1])
        elif name == "MARK":
            stack.append(None)
        else:
            taken = _pop(stack, opcode)
            depth = 1 + max(taken, default=0) if name in _TUPLES else 0
            if depth > MAX_DEPTH:
                raise ValueError(f"tuples nested deeper than {MAX_DEPTH}")
            stack.extend([depth] * len(opcode.stack_after))


def _opcodes(file: mmap.mmap) -> Iterator[tuple[pickletools.OpcodeInfo, int | None]]:
    """Opcodes of a pickle until STOP, with their argument if it is a number.

    `pickletools.genops` is not used: it copies the bytes of every array, and fails on byte strings of Python 2.
    """
    while True:
        code = file.read(1)
        if code not in _OPCODES:
            raise ValueError(f"{code!r} where an opcode is expected" if code else "it ends too early")
        opcode = _OPCODES[code]
        argument = None
        if opcode.arg is not None and opcode.arg.n >= 0:
            argument = int.from_bytes(file.read(opcode.arg.n), "little")
        elif opcode.arg is not None and opcode.arg.n == pickletools.UP_TO_NEWLINE:
            line = file.readline()
            if opcode.name in ("GLOBAL", "INST"):  # the module and the name, a line each
                file.readline()
            elif opcode.name in ("PUT", "GET"):
                argument = int(line)
        elif opcode.arg is not None:
            size = int.from_bytes(file.read(_LENGTH_BYTES[opcode.arg.n]), "little")
            # The unpickler would allocate the size that the pickle specifies.
            if size > len(file) - file.tell():
                raise ValueError(f"{opcode.name} of {size} bytes, beyond the end of the file")
            file.seek(size, 1)
        yield opcode, argument
        if opcode.name == "STOP":
            return


def _pop(stack: list[int | None], opcode: pickletools.OpcodeInfo) -> list[int]:
    """Remove the entries from the stack that an opcode removes; returns their depths."""
    taken = []
    before = len(opcode.stack_before)
    if pickletools.markobject in opcode.stack_before:
        while (depth := stack.pop()) is not None:
            taken.append(depth)
        before = opcode.stack_before.index(pickletools.markobject)
    for _ in range(before):
        taken.append(stack.pop() or 0)
    return taken


class _RestrictedUnpickler(pickle.Unpickler):
    """Unpickler that admits only the names of `ADMITTED_NAMES`.

    REDUCE, OBJ and INST can only call the replacements of these names. NEWOBJ and NEWOBJ_EX fail, because they require
    a class and the replacements are instances. BUILD can only set the state of a record.
    """

    def __init__(self, file: mmap.mmap, path: Path):
        # Latin-1 maps each byte of a string of Python 2 to one character, so that array data can be restored exactly.
        super().__init__(file, encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> AdmittedCall:
        # The pair is looked up as a whole. The inherited method would resolve dotted names such as `lib.os.system`, and
        # thus reach any module through an admitted one.
        if (module, name) not in ADMITTED_NAMES:
            raise InputError(
                f"{self._path}: its pickle requests {f'{module}.{name}'[:200]!a}; only NumPy arrays and "
                f"plain lists, tuples, dicts, sets, text and numbers are read; {_REMEDY}"
            )
        return ADMITTED_NAMES[module, name]

    def persistent_load(self, pid: Any) -> NoReturn:
        raise InputError(f"{self._path}: its pickle contains a persistent id, which is not supported; {_REMEDY}")
