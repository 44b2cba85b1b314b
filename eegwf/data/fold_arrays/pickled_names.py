"""Names that a pickle of arrays may use, their replacements, and the construction of the arrays.

A pickle of an array calls functions of NumPy and passes a state to `ndarray.__setstate__` and `dtype.__setstate__`.
These methods do not fully validate the state. For example, the flags in the state of an object dtype can claim that its
elements are plain numbers; NumPy then uses the raw bytes of the pickle as pointers. Therefore each admitted name is
replaced by an object of this module that only records the arguments. `ArrayBuilder` constructs the arrays from the
records after it has compared each size with the number of bytes present.
"""

import math
import re
from collections.abc import Callable
from typing import Any, Literal, NoReturn

import numpy as np

# Maximum nesting of containers, far above that of real data sets. Without a limit, the recursion in `ArrayBuilder` and
# in the hash of nested tuples could overflow the stack.
MAX_DEPTH = 64


class _DtypeRecord:
    """Record of a dtype: kind, size and byte order; replaces `numpy.dtype`."""

    __slots__ = ("dtype",)

    def __init__(self, text: str, align: Any = False, copy: Any = True):
        # Only numbers, text, byte strings and objects. A structured or void dtype could contain object fields at any
        # offset, so that NumPy would use raw bytes as pointers.
        if not isinstance(text, str) or not re.fullmatch(r"[biufcSUO][0-9]{1,9}", text):
            raise ValueError(f"dtype {text!r}, expected numbers or text")
        self.dtype = np.dtype(text)

    def __setstate__(self, state: Any) -> None:
        version, order, subdtype, names, fields, size = state[:6]
        if version not in (3, 4) or order not in tuple("<>|=") or (subdtype, names, fields) != (None,) * 3:
            raise ValueError("a dtype with fields")
        # The item size follows from the name of the dtype; a larger one could exceed the bytes of the array.
        if size not in (-1, self.dtype.itemsize):
            raise ValueError(f"dtype {self.dtype} of {size} bytes")
        self.dtype = self.dtype.newbyteorder(order)


class _ArrayRecord:
    """Record of an array or a scalar, which is constructed after the whole pickle has been read."""

    __slots__ = ("axes", "data", "dtype", "order", "scalar", "shape")

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = None,
        data: Any = None,
        order: Literal["C", "F"] = "C",
        axes: Any = None,
        scalar: bool = False,
    ):
        self.shape, self.dtype, self.data, self.order = shape, dtype, data, order
        self.axes, self.scalar = axes, scalar

    def __setstate__(self, state: Any) -> None:
        version, shape, dtype, fortran, data = state
        if version != 1:
            raise ValueError(f"array of version {version!r}")
        self.shape, self.dtype, self.data = shape, dtype, data
        self.order = "F" if fortran else "C"

    def build(self, builder: "ArrayBuilder") -> Any:
        """Construct the array; `builder` constructs the elements of an object array."""
        if not isinstance(self.dtype, _DtypeRecord) or type(self.shape) is not tuple:
            raise ValueError("an array without dtype or shape")
        if not all(type(n) is int and n >= 0 for n in self.shape):
            raise ValueError(f"shape {self.shape}")
        dtype, count = self.dtype.dtype, math.prod(self.shape)
        if dtype.kind == "O":
            # The elements must be Python objects; bytes would be used as pointers.
            if type(self.data) is not list or len(self.data) != count:
                raise ValueError(f"an array of shape {self.shape} without its {count} objects")
            array = np.empty(count, object)
            for index, item in enumerate(self.data):
                array[index] = builder.build(item)
            # NumPy lists the objects in C order, also those of an array in Fortran order.
            return array.reshape(self.shape)
        # The unpickler reads the bytes of a pickle of Python 2 as text in Latin-1.
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        if not isinstance(data, bytes | bytearray) or len(data) != count * dtype.itemsize:
            raise ValueError(f"an array of shape {self.shape} and dtype {dtype} without its bytes")
        # Elements of 0 bytes would admit any shape without data.
        if dtype.itemsize == 0 and not self.scalar:
            raise ValueError("an array of empty elements")
        array = np.ndarray(self.shape, dtype, bytes(data), order=self.order)
        if self.scalar:
            return array[()]
        return array if self.axes is None else array.transpose(self.axes)


class AdmittedCall:
    """Replacement of a function or class that a pickle may name; it can be called, and has no other use.

    It is an instance, not a class, so that the opcodes NEWOBJ and NEWOBJ_EX, which call `cls.__new__` without
    `__call__`, are refused by the unpickler. `__setstate__` refuses the opcode BUILD, which could otherwise replace
    attributes such as `_call`.

    Parameters
    ----------
    call
        Function that records or converts the arguments.
    """

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]):
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise ValueError("a function with a state")


def _refuse_call(*arguments: Any) -> NoReturn:
    """Refuse `numpy.ndarray(shape)`, which would allocate memory; pickles only pass the class to `_reconstruct`."""
    raise ValueError("numpy.ndarray called")


_NDARRAY = AdmittedCall(_refuse_call)


def _reconstruct(subtype: Any, shape: Any, typecode: Any) -> _ArrayRecord:
    """Record an array, whose shape, dtype and data follow as its state; only `numpy.ndarray` itself is admitted."""
    if subtype is not _NDARRAY:
        raise ValueError("an array of another type than numpy.ndarray")
    return _ArrayRecord()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> _ArrayRecord:
    """Record an array of protocol 5, whose data are in the pickle."""
    if order == "K":
        return _ArrayRecord(shape, dtype, data, "C", axes)
    return _ArrayRecord(shape, dtype, data, "F" if order == "F" else "C")


def _scalar(dtype: Any, data: Any) -> _ArrayRecord:
    """Record a NumPy scalar."""
    return _ArrayRecord((), dtype, data, scalar=True)


def _encode(text: str, encoding: str) -> bytes:
    """Encode bytes of protocols below 3; other codecs are refused, because their lookup imports modules by name."""
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes encoded as {encoding!r}")
    return text.encode("latin1")


def _set_maker(kind: type[set] | type[frozenset]) -> Callable[..., set | frozenset]:
    """Replacement of `set` or `frozenset` that accepts a list or tuple only, not any iterable."""

    def make(items: list | tuple = ()) -> set | frozenset:
        if type(items) not in (list, tuple):
            raise ValueError(f"a {kind.__name__} made of {type(items).__name__}")
        return kind(items)

    return make


# Built-in names in pickles of containers: sets up to protocol 3, complex numbers, and empty bytes up to protocol 2.
_BUILTINS = {
    "set": AdmittedCall(_set_maker(set)),
    "frozenset": AdmittedCall(_set_maker(frozenset)),
    "complex": AdmittedCall(lambda real, imag: complex(float(real), float(imag))),
    # Without arguments only: bytes(n) would allocate n bytes.
    "bytes": AdmittedCall(lambda: b""),
}
# The names that pickles of arrays, NumPy scalars and plain containers contain, and no others. Python 2 writes
# `__builtin__` for `builtins`; NumPy 1 writes `numpy.core` for `numpy._core`.
ADMITTED_NAMES = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): AdmittedCall(_DtypeRecord),
    ("_codecs", "encode"): AdmittedCall(_encode),
    **{(module, name): value for module in ("builtins", "__builtin__") for name, value in _BUILTINS.items()},
}
for _core in ("numpy.core", "numpy._core"):
    ADMITTED_NAMES[f"{_core}.multiarray", "_reconstruct"] = AdmittedCall(_reconstruct)
    ADMITTED_NAMES[f"{_core}.multiarray", "scalar"] = AdmittedCall(_scalar)
    ADMITTED_NAMES[f"{_core}.numeric", "_frombuffer"] = AdmittedCall(_from_buffer)


class ArrayBuilder:
    """Replaces the records in an unpickled object by arrays; shared objects are constructed once."""

    def __init__(self) -> None:
        # Results by the ids of the unpickled objects; an object that is still being constructed maps to the builder.
        self._done: dict[int, Any] = {}
        self._depth = 0

    def build(self, value: Any) -> Any:
        """Construct an object and all its parts.

        Raises
        ------
        ValueError
            If the object contains itself, is nested deeper than `MAX_DEPTH`, or is inconsistent.
        """
        if value is None or type(value) in (str, bytes, bool, int, float, complex):
            return value
        if id(value) in self._done:
            if self._done[id(value)] is self:
                raise ValueError("it contains itself")
            return self._done[id(value)]
        if self._depth == MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        self._done[id(value)] = self
        self._depth += 1
        self._done[id(value)] = result = self._construct(value)
        self._depth -= 1
        return result

    def _construct(self, value: Any) -> Any:
        if type(value) in (list, tuple, set, frozenset):
            return type(value)(self.build(item) for item in value)
        if type(value) is dict:
            return {self.build(key): self.build(item) for key, item in value.items()}
        if type(value) is bytearray:
            return bytes(value)
        if isinstance(value, _ArrayRecord):
            return value.build(self)
        raise ValueError("a class or function of NumPy in place of a value")
