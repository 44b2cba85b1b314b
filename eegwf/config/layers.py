"""The layers of a configuration (files, command line): how they are merged, and which of them sets a key."""

from collections.abc import Sequence
from typing import Any

from eegwf.config.patients import normalize_id

# A later file replaces these as a whole: a mixture of two data sets is never intended.
WHOLE = [("dataset",), ("classes", "*"), ("models", "*", "search", "*")]
# In these, `null` removes an entry of an earlier file.
REMOVABLE = [("patients", "*"), ("channels", "aliases", "*"), ("external", "*")]
COMMAND_LINE = "--config"
ABSENT = object()
Layers = Sequence[tuple[str, dict]]


def merge(base: dict, other: dict, place: tuple[str, ...] = ()) -> dict:
    """Merge two mappings key by key; some keys are replaced as a whole, and `null` removes an entry of some.

    Parameters
    ----------
    base, other
        The mappings; values of `other` override those of `base`.
    place
        Keys of the sections that contain the mappings.

    Returns
    -------
    dict
        A new mapping.
    """
    merged = dict(base)
    for key, value in other.items():
        if place == ("patients",) and isinstance(key, str):
            key = normalize_id(key)
        here = (*place, str(key))
        if value is None and _matches(here, REMOVABLE):
            merged.pop(key, None)
        elif isinstance(value, dict) and not _matches(here, WHOLE):
            earlier = merged.get(key)
            merged[key] = merge(earlier if isinstance(earlier, dict) else {}, value, here)
        else:
            merged[key] = value
    return merged


def _matches(place: tuple, patterns: Sequence[tuple[str, ...]]) -> bool:
    return any(
        len(pattern) == len(place) and all(part in ("*", str(key)) for part, key in zip(pattern, place, strict=True))
        for pattern in patterns
    )


def origin_of(places: list[tuple], layers: Layers) -> str:
    """Name of the configuration file that sets a key.

    Parameters
    ----------
    places
        Keys, each with the keys of the sections that contain it.
    layers
        Contents of each file.

    Returns
    -------
    str
        The last layer that sets one of the keys; if none does, the last that sets most of the sections of one.
    """
    _, number = max((_nearest(place, layers) for place in places), default=(0.0, 0))
    return layers[number][0]


def _nearest(place: tuple, layers: Layers) -> tuple[float, int]:
    """Largest fraction of a key's place that a layer sets, and the number of the last such layer."""
    best = (0.0, 0)
    for number, (_, layer) in enumerate(layers):
        reached = 0
        while reached < len(place) and reach(layer, place[: reached + 1]) is not ABSENT:
            reached += 1
        if any(_matches(place[:length], WHOLE) for length in range(1, reached + 1)):
            best = (0.0, 0)  # this layer replaces what earlier layers set
        if reached:
            best = max(best, (reached / len(place), number))
    return best


def inside(value: Any, part: Any) -> Any:
    """Value of a mapping or list at a key or number.

    Parameters
    ----------
    value
        The mapping or list; anything else contains nothing.
    part
        The key or number.

    Returns
    -------
    object
        The value, or ABSENT.
    """
    if isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return ABSENT


def reach(value: Any, place: tuple) -> Any:
    """Value of a mapping at a place.

    Parameters
    ----------
    value
        The mapping.
    place
        Keys of the sections, down to the value.

    Returns
    -------
    object
        The value, or ABSENT.
    """
    for part in place:
        value = inside(value, part)
        if value is ABSENT:
            break
    return value
