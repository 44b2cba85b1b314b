"""Lists and object arrays of equal-shaped things, stacked into one array of numbers or text."""

import math
from typing import Any

import numpy as np

_TEXT = "SU"


def stacked(value: Any, largest: int) -> np.ndarray:
    """Stack nested lists, tuples and object arrays into one array.

    Parameters
    ----------
    value
        A number, a text, an array, or lists, tuples and object arrays of such, to any depth.
    largest
        Most bytes that the result may take: lists that hold one part many times can grow without end.

    Returns
    -------
    np.ndarray
        Of numbers, of text (`U`) or of byte strings (`S`); a list adds one leading axis, an object array
        its own axes.

    Raises
    ------
    ValueError
        If parts differ in shape or mix text with numbers, if a part is something else (None, a dict, a
        set), or if the result is too large.
    """
    return _stacked(value, largest, {})


def _stacked(value: Any, largest: int, done: dict[int, np.ndarray]) -> np.ndarray:
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return value
    if isinstance(value, str | bytes | bool | int | float | complex | np.generic):
        return _plain(np.asarray(value))
    if isinstance(value, dict):
        names = ", ".join(repr(name) for name in list(value)[:5])
        raise ValueError(f"a dict with {len(value)} entries: {names}")
    if not isinstance(value, list | tuple | np.ndarray):
        raise ValueError(f"it holds {'None' if value is None else f'a {type(value).__name__}'}")
    if id(value) not in done:
        done[id(value)] = _joined(value, largest, done)
    return done[id(value)]


def _joined(value: list | tuple | np.ndarray, largest: int, done: dict[int, np.ndarray]) -> np.ndarray:
    shape = value.shape if isinstance(value, np.ndarray) else (len(value),)
    items = list(value.flat) if isinstance(value, np.ndarray) else value
    if not items:
        return np.zeros(shape)
    kinds = {type(item) for item in items}
    if kinds in ({str}, {np.str_}, {str, np.str_}, {bytes}):
        _check_size(len(items) * max(map(len, items)) * (1 if kinds == {bytes} else 4), largest)
        return np.array(items).reshape(shape)
    if kinds <= {bool, int, float, complex}:
        return _plain(np.array(items)).reshape(shape)
    parts = [_stacked(item, largest, done) for item in items]
    first = parts[0]
    for index, part in enumerate(parts):
        if part.shape != first.shape:
            raise ValueError(f"its parts differ in shape: number 0 is {first.shape}, {index} is {part.shape}")
        if (part.dtype.kind in _TEXT or first.dtype.kind in _TEXT) and part.dtype.kind != first.dtype.kind:
            raise ValueError(f"its parts are {first.dtype} (number 0) and {part.dtype} (number {index})")
    _check_size(len(parts) * math.prod(first.shape) * max(part.dtype.itemsize for part in parts), largest)
    return np.stack(parts).reshape(shape + first.shape)


def _plain(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biufcSU":
        raise ValueError("a whole number of more than 64 bits")
    return array


def _check_size(size: int, largest: int) -> None:
    if size > largest:
        raise ValueError(f"its lists unfold to {size} bytes")
