"""One line for each error of a configuration: the file, the key, what was found, and what to do."""

import difflib
import math
import re
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from eegwf.config.layers import ABSENT, Layers, inside, origin_of, reach
from eegwf.config.renamed import present_name
from eegwf.config.section import TruthValue
from eegwf.config.study import Study
from eegwf.config.yaml_files import describe, line_of_key, written_at

# Types of errors of pydantic.
SECTION_EXPECTED = ("dict_type", "model_type", "model_attributes_type")
NUMBER_EXPECTED = ("int_parsing", "float_parsing", "int_type", "float_type", "int_from_float")


def sentence(detail: ErrorDetails, merged: dict, layers: Layers) -> str:
    """Write an error of pydantic as one line.

    Parameters
    ----------
    detail
        The error.
    merged, layers
        The configuration, as `eegwf.config.load.read_layers` returns it.

    Returns
    -------
    str
        The file that sets the key, the key, what was found, and what to do.
    """
    location = _keys(detail["loc"], merged, named=detail["type"] == "missing")
    place = ".".join(map(str, location))
    message = re.sub(r"^(Value error, |Input )", "", detail["msg"])
    origin = origin_of(_named_keys(message, location, merged) or [location], layers)
    if detail["type"] == "extra_forbidden":
        if renamed := present_name(tuple(map(str, location))):
            return f"{origin}: {place}: this key has been renamed; write {renamed}"
        known = _known_keys(location[:-1], merged)
        near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
        advice = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
        return f"{origin}: {place}: unknown key; {advice}"
    if detail["type"] == "missing":
        return f"{origin}: {place}: missing; add it there, or in a later file"
    if detail["type"] in ("union_tag_not_found", "union_tag_invalid"):
        return f"{origin}: {place}.kind: {_kind_expected(detail)}"
    if detail["input"] is None and detail["type"] in SECTION_EXPECTED:
        return f"{origin}: {place}: null in place of a section; write its keys below it, or remove it"
    return f"{origin}: {place + ': ' if place else ''}{message}{_found(detail, location, origin)}"


def _kind_expected(detail: ErrorDetails) -> str:
    """What is wrong with the key `kind`, which tells the keys that a section has."""
    if detail["type"] == "union_tag_invalid":
        return "found '{tag}'; write one of {expected_tags}".format(**detail["ctx"])
    return "missing; this section replaces that of earlier files as a whole, so write all its keys, first its kind"


def _found(detail: ErrorDetails, location: tuple, origin: str) -> str:
    """What was found at the place of an error, and what YAML made of it if this is something else."""
    value = detail["input"].value if isinstance(detail["input"], TruthValue) else detail["input"]
    if not location or isinstance(value, dict):
        return ""
    if detail["loc"][-1] == "[key]":
        line = line_of_key(origin, location)
        if isinstance(value, str):
            return f" (line {line}: the key {value})" if line else ""
        return f" ({f'line {line}: ' if line else ''}the key {value} is {describe(value)} in YAML; write '{value}')"
    number = _as_number(value) if isinstance(value, str) and detail["type"] in NUMBER_EXPECTED else None
    text_expected = detail["type"] == "string_type"
    surprising = value is None or isinstance(value, bool) or number is not None or text_expected
    written = written_at(origin, location) if surprising else None
    if written is None or isinstance(value, list):
        return f" (found {value!r})"
    line, text = written
    if number is not None:
        return f" (line {line}: found {text}, which is text in YAML; write {number:g})"
    # Of a list of allowed texts, only one of them is suggested.
    as_text = text_expected or (detail["type"] == "literal_error" and f"'{text}'" in detail["msg"])
    advice = f"; write '{text}' if it is text" if as_text else ""
    reading = "a number" if isinstance(value, int | float) and not isinstance(value, bool) else describe(value)
    return f" (line {line}: found {text}, which is {reading} in YAML{advice})"


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _keys(loc: tuple, merged: dict, named: bool) -> tuple:
    """Keys of the file in a location of pydantic, which also contains the names of union members."""
    keys, value = [], merged
    for number, part in enumerate(loc):
        inner = inside(value, part)
        if inner is not ABSENT:
            value = inner
        elif not named or number < len(loc) - 1:
            continue
        keys.append(part)
    return tuple(keys)


def _named_keys(message: str, location: tuple, merged: dict) -> list[tuple]:
    """Keys that a message about a section names: its first word, and every dotted word, if they are keys."""
    if not isinstance(reach(merged, location), dict):
        return []
    words = re.findall(r"[a-zA-Z0-9_.-]+", message)
    words = [word.rstrip(".") for number, word in enumerate(words) if location or number == 0 or "." in word]
    places = [(*location, *word.split(".")) for word in words]
    return [place for place in places if reach(merged, place) is not ABSENT]


def _known_keys(location: tuple, merged: dict) -> list[str]:
    """Known keys of the section at a place of the configuration."""
    section: Any = Study
    value: Any = merged
    for part in location:
        value = value[part] if isinstance(value, dict | list) else None
        if isinstance(section, type) and issubclass(section, BaseModel):
            section = section.model_fields[part].annotation if part in section.model_fields else None
        elif getattr(section, "__args__", None):
            section = section.__args__[-1]
        section = _choose(section, value)
    if isinstance(section, type) and issubclass(section, BaseModel):
        return sorted(section.model_fields)
    return []


def _choose(annotation: Any, value: Any) -> Any:
    """Member of a union of sections that fits a value: by `kind`, or else by the number of common keys."""
    arguments = [
        getattr(member, "__origin__", member) if hasattr(member, "__metadata__") else member
        for member in getattr(annotation, "__args__", ())
    ]
    members = [member for member in arguments if isinstance(member, type) and issubclass(member, BaseModel)]
    origin = getattr(annotation, "__origin__", None)
    if origin is dict or not members or not isinstance(value, dict):
        if getattr(annotation, "__metadata__", None):
            return _choose(annotation.__origin__, value)
        return annotation

    def likeness(member: type[BaseModel]) -> tuple[bool, int]:
        kind = member.model_fields.get("kind")
        named = kind is not None and value.get("kind") in getattr(kind.annotation, "__args__", ())
        return named, len(set(value) & set(member.model_fields))

    return max(members, key=likeness)
