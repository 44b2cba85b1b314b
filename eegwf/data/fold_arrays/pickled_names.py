"""The names that a pickled array may use, each with a harmless stand-in, and the arrays made from them.

Nothing here calls NumPy's `__setstate__`, which trusts its input down to the memory: a stand-in notes what
the pickle asked for, and `Built` makes the arrays from the notes, every size checked against the bytes.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

DEEPEST = 64


class _Dtype:
    """Note of a dtype: its kind and size, and its byte order."""

    __slots__ = ("dtype",)

    def __init__(self, text: str, align: Any = False, copy: Any = True):
        if not isinstance(text, str) or not re.fullmatch(r"[biufcSUO][0-9]{1,9}", text):
            raise ValueError(f"dtype {text!r}, expected numbers or text")
        self.dtype = np.dtype(text)

    def __setstate__(self, state: Any) -> None:
        version, order, subdtype, names, fields, size = state[:6]
        if version not in (3, 4) or order not in tuple("<>|=") or (subdtype, names, fields) != (None,) * 3:
            raise ValueError("a dtype with fields")
        if size not in (-1, self.dtype.itemsize):
            raise ValueError(f"dtype {self.dtype} of {size} bytes")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Note of an array or of a scalar, to be built when the pickle has been read."""

    __slots__ = ("axes", "data", "dtype", "order", "scalar", "shape")

    def __init__(self, shape=None, dtype=None, data=None, order="C", axes=None, scalar=False):
        self.shape, self.dtype, self.data, self.order = shape, dtype, data, order
        self.axes, self.scalar = axes, scalar

    def __setstate__(self, state: Any) -> None:
        version, shape, dtype, fortran, data = state
        if version != 1:
            raise ValueError(f"array of version {version!r}")
        self.shape, self.dtype, self.data = shape, dtype, data
        self.order = "F" if fortran else "C"

    def build(self, built: "Built") -> Any:
        """Build the array; `built` builds the elements of one that holds objects."""
        if not isinstance(self.dtype, _Dtype) or type(self.shape) is not tuple:
            raise ValueError("an array without dtype or shape")
        if not all(type(n) is int and n >= 0 for n in self.shape):
            raise ValueError(f"shape {self.shape}")
        dtype, count = self.dtype.dtype, math.prod(self.shape)
        if dtype.kind == "O":
            if type(self.data) is not list or len(self.data) != count:
                raise ValueError(f"an array of shape {self.shape} without its {count} objects")
            array = np.empty(count, object)
            for index, item in enumerate(self.data):
                array[index] = built.of(item)
            return array.reshape(self.shape)  # objects are listed in C order, whatever the memory's
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        if not isinstance(data, bytes | bytearray) or len(data) != count * dtype.itemsize:
            raise ValueError(f"an array of shape {self.shape} and dtype {dtype} without its bytes")
        if dtype.itemsize == 0 and not self.scalar:
            raise ValueError("an array of empty elements")
        array = np.ndarray(self.shape, dtype, bytes(data), order=self.order)
        if self.scalar:
            return array[()]
        return array if self.axes is None else array.transpose(self.axes)


class Admitted:
    """Stands for a name that a pickle may use; it can be called, and nothing else."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable):
        self._call = call

    def __call__(self, *arguments):
        return self._call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise ValueError("a function with a state")


def _not_called(*arguments):
    raise ValueError("numpy.ndarray called")


_NDARRAY = Admitted(_not_called)


def _reconstruct(subtype: Any, shape: Any, typecode: Any) -> _Array:
    if subtype is not _NDARRAY:
        raise ValueError("an array of another type than numpy.ndarray")
    return _Array()


def _from_buffer(data, dtype, shape, order, axes=None) -> _Array:
    if order == "K":
        return _Array(shape, dtype, data, "C", axes)
    return _Array(shape, dtype, data, "F" if order == "F" else "C")


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes encoded as {encoding!r}")
    return text.encode("latin1")


def _set_of(make: type) -> Callable:
    def of(items: list = ()):  # a number here would be iterated or allocated
        if type(items) not in (list, tuple):
            raise ValueError(f"a {make.__name__} made of {type(items).__name__}")
        return make(items)

    return of


_BUILTINS = {
    "set": Admitted(_set_of(set)),
    "frozenset": Admitted(_set_of(frozenset)),
    "complex": Admitted(lambda real, imag: complex(float(real), float(imag))),
    "bytes": Admitted(lambda: b""),
}
NAMES = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): Admitted(_Dtype),
    ("_codecs", "encode"): Admitted(_encode),
    **{(module, name): value for module in ("builtins", "__builtin__") for name, value in _BUILTINS.items()},
}
for _core in ("numpy.core", "numpy._core"):
    NAMES[f"{_core}.multiarray", "_reconstruct"] = Admitted(_reconstruct)
    NAMES[f"{_core}.multiarray", "scalar"] = Admitted(lambda dtype, data: _Array((), dtype, data, scalar=True))
    NAMES[f"{_core}.numeric", "_frombuffer"] = Admitted(_from_buffer)


class Built:
    """Turns what the reader noted into arrays and plain containers; each shared part once."""

    def __init__(self):
        self._done: dict[int, Any] = {}
        self._depth = 0

    def of(self, value: Any) -> Any:
        """Build `value` and everything below it."""
        if value is None or type(value) in (str, bytes, bool, int, float, complex):
            return value
        if id(value) in self._done:
            if self._done[id(value)] is self:
                raise ValueError("it holds itself")
            return self._done[id(value)]
        if self._depth == DEEPEST:
            raise ValueError(f"nested deeper than {DEEPEST}")
        self._done[id(value)] = self
        self._depth += 1
        self._done[id(value)] = built = self._new(value)
        self._depth -= 1
        return built

    def _new(self, value: Any) -> Any:
        if type(value) in (list, tuple, set, frozenset):
            return type(value)(self.of(item) for item in value)
        if type(value) is dict:
            return {self.of(key): self.of(item) for key, item in value.items()}
        if type(value) is bytearray:
            return bytes(value)
        if isinstance(value, _Array):
            return value.build(self)
        raise ValueError("a name of NumPy in place of a value")
