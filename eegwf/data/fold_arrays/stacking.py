"""Stack nested lists and object arrays of equal shape into one array of numbers or text."""

import math
from typing import Any

import numpy as np

_TEXT = "SU"


def stack_nested(value: Any, max_bytes: int) -> np.ndarray:
    """Stack nested lists, tuples and object arrays into one array.

    Parameters
    ----------
    value
        A number, text, an array, or nested lists, tuples and object arrays of these.
    max_bytes
        Maximum size of the result. A list can contain the same object many times, so that a small pickle could
        otherwise require more memory than the machine has.

    Returns
    -------
    np.ndarray
        Array of numbers, text (`U`) or byte strings (`S`). A list adds one leading axis, an object array its own
        axes.

    Raises
    ------
    ValueError
        If parts differ in shape, text is mixed with numbers, a part is of another type (None, dict, set), or the
        result is too large.
    """
    return _stack(value, max_bytes, {})


def _stack(value: Any, max_bytes: int, done: dict[int, np.ndarray]) -> np.ndarray:
    """Stack a value; `done` contains the results of shared lists by their ids, each stacked once."""
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        return value
    if isinstance(value, str | bytes | bool | int | float | complex | np.generic):
        return _check_kind(np.asarray(value))
    if isinstance(value, dict):
        names = ", ".join(repr(name) for name in list(value)[:5])
        raise ValueError(f"a dict with {len(value)} entries: {names}")
    if not isinstance(value, list | tuple | np.ndarray):
        raise ValueError(f"it contains {'None' if value is None else f'a {type(value).__name__}'}")
    if id(value) not in done:
        done[id(value)] = _stack_parts(value, max_bytes, done)
    return done[id(value)]


def _stack_parts(value: list | tuple | np.ndarray, max_bytes: int, done: dict[int, np.ndarray]) -> np.ndarray:
    """Stack the elements of a list, tuple or object array."""
    shape = value.shape if isinstance(value, np.ndarray) else (len(value),)
    items = list(value.flat) if isinstance(value, np.ndarray) else value
    if not items:
        return np.zeros(shape)
    kinds = {type(item) for item in items}
    if kinds in ({str}, {np.str_}, {str, np.str_}, {bytes}):
        _check_size(len(items) * max(map(len, items)) * (1 if kinds == {bytes} else 4), max_bytes)
        return np.array(items).reshape(shape)
    if kinds <= {bool, int, float, complex}:
        return _check_kind(np.array(items)).reshape(shape)
    parts = [_stack(item, max_bytes, done) for item in items]
    first = parts[0]
    for index, part in enumerate(parts):
        if part.shape != first.shape:
            raise ValueError(f"its parts differ in shape: number 0 is {first.shape}, {index} is {part.shape}")
        if (part.dtype.kind in _TEXT or first.dtype.kind in _TEXT) and part.dtype.kind != first.dtype.kind:
            raise ValueError(f"its parts are {first.dtype} (number 0) and {part.dtype} (number {index})")
    _check_size(len(parts) * math.prod(first.shape) * max(part.dtype.itemsize for part in parts), max_bytes)
    return np.stack(parts).reshape(shape + first.shape)


def _check_kind(array: np.ndarray) -> np.ndarray:
    """Return the array; raises ValueError for integers of more than 64 bits, of which NumPy makes objects."""
    if array.dtype.kind not in "biufcSU":
        raise ValueError("an integer of more than 64 bits")
    return array


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise ValueError(f"its lists expand to {size} bytes, more than the maximum of {max_bytes}")
