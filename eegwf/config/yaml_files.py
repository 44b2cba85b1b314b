"""Read YAML files; what YAML would read as something else than was written is refused with its line."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from eegwf.errors import InputError

TAG = "tag:yaml.org,2002:"
MERGE = f"{TAG}merge"
# Types of keys that are no names; integers are left to the definition of the section (`dataset.label_names`).
NO_NAMES = {f"{TAG}{name}" for name in ("bool", "null", "float", "timestamp")}
OCTAL = re.compile(r"[-+]?0[0-7_]+")
SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
Place = tuple[Any, ...]


def read_yaml(path: Path | str) -> dict:
    """Read a YAML file that contains a mapping, with the safe loader.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    dict
        Its content; empty if the file is.

    Raises
    ------
    InputError
        If the file can't be read, is not YAML or contains something else; one line for each key that is given twice or
        left empty, and for each key or value that YAML reads as something else than was written: `no` as a key,
        `1:30`, `017`, dates.
    """
    node, loader = _compose(path)
    try:
        if faults := list(_faults(node, loader)) if node is not None else []:
            raise InputError("\n       ".join(f"{path}: {fault}" for fault in faults))
        content = loader.construct_document(node) if node is not None else None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _no_yaml(path, error) from None
    finally:
        loader.dispose()
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected keys with values, found {type(content).__name__}")
    return content


def _compose(path: Path | str) -> tuple[yaml.Node | None, yaml.SafeLoader]:
    """Root of a file's syntax tree, None if the file is empty, and the loader that constructs its values."""
    try:
        loader = yaml.SafeLoader(Path(path).read_text(encoding="utf-8"))
        return loader.get_single_node(), loader
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read ({error})") from None
    except yaml.YAMLError as error:
        raise _no_yaml(path, error) from None
    except RecursionError as error:
        raise _no_yaml(path, error) from None


def _no_yaml(path: Path | str, error: Exception) -> InputError:
    if isinstance(error, RecursionError):
        return InputError(f"{path}: sections are nested too deeply for a configuration; remove the inner ones")
    return InputError(f"{path}: not YAML: {' '.join(str(error).split())}")


def written_at(path: Path | str, place: Place) -> tuple[int, str] | None:
    """What a YAML file contains at a place, before YAML interprets it.

    Parameters
    ----------
    path
        The file.
    place
        Keys of the sections, and numbers of list items, down to the value.

    Returns
    -------
    tuple of int and str, or None
        Line, counted from 1, and text of a value without quotes; None if there is no such value.
    """
    try:
        node, loader = _compose(path)
    except InputError:
        return None
    for part in place:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            node = None
    loader.dispose()
    return (_line(node), node.value) if isinstance(node, yaml.ScalarNode) and node.style is None else None


def line_of_key(path: Path | str, place: Place) -> int | None:
    """Line of a YAML file with the key at a place.

    Parameters
    ----------
    path
        The file.
    place
        Keys of the sections, down to the key.

    Returns
    -------
    int or None
        Counted from 1; None if there is no such key.
    """
    try:
        node, loader = _compose(path)
    except InputError:
        return None
    loader.dispose()
    line = None
    for part in place:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        key, node = next((pair for pair in pairs if pair[0].value == str(part)), (None, None))
        line = _line(key) if key is not None else None
    return line


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _faults(node: yaml.Node, loader: yaml.SafeLoader) -> Iterator[str]:
    """What is refused in a syntax tree; each part that aliases refer to is visited once."""
    seen: set[int] = set()

    def visit(node: yaml.Node, place: Place, above: tuple[int, ...]) -> Iterator[str]:
        if id(node) in above:
            yield f"{_name(place)}: an alias refers to the section that contains it, which has no end"
            return
        if id(node) in seen:
            return
        seen.add(id(node))
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            yield from _doubled(node, place, loader)
            for key, value in node.value:
                if fault := _key_fault(key, loader):
                    yield f"{_name(place)}: {fault}" if place else fault
                yield from visit(value, (*place, key.value if isinstance(key, yaml.ScalarNode) else "?"), above)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                yield from visit(item, (*place, number), above)
        elif fault := _value_fault(node, loader):
            yield f"{_name(place)}: {fault}" if place else fault

    return visit(node, (), ())


def _name(place: Place) -> str:
    return ".".join(map(str, place))


def _doubled(node: yaml.MappingNode, place: Place, loader: yaml.SafeLoader) -> Iterator[str]:
    """Keys that a mapping contains more than once; YAML would keep the last."""
    lines: dict[str, list[int]] = {}
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
            lines.setdefault(str(loader.construct_object(key)), []).append(_line(key))
    for name, found in lines.items():
        if len(found) > 1:
            times = "twice" if len(found) == 2 else f"{len(found)} times"
            numbers = f"lines {', '.join(map(str, found[:-1]))} and {found[-1]}"
            if len(set(found)) == 1:
                numbers = f"line {found[0]}"
            full_name = _name((*place, name))
            yield f"{full_name}: given {times}, in {numbers}, of which YAML would keep the last; write it once"


def _key_fault(key: yaml.Node, loader: yaml.SafeLoader) -> str:
    if not isinstance(key, yaml.ScalarNode):
        return ""
    if key.tag not in NO_NAMES or key.style is not None:
        return _value_fault(key, loader)
    if not key.value:
        return f"line {_line(key)}: a key is missing before the colon"
    reading = describe(loader.construct_object(key))
    return f"line {_line(key)}: the key {key.value} is {reading} in YAML; write '{key.value}'"


def _value_fault(node: yaml.Node, loader: yaml.SafeLoader) -> str:
    """Why a plain value is refused wherever it stands."""
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return ""
    line, text = _line(node), node.value
    if node.tag == f"{TAG}null" and not text:
        return (
            f"empty (line {line}), which YAML reads as null; write its value (null for none) or the keys below it, or "
            "remove the line"
        )
    if node.tag == f"{TAG}timestamp":
        return f"line {line}: YAML reads {text} as a date; write '{text}'"
    is_number = node.tag in (f"{TAG}int", f"{TAG}float")
    if is_number and SEXAGESIMAL.fullmatch(text):
        return (
            f"line {line}: YAML reads {text} as {loader.construct_object(node)}, in base 60; write this number, or "
            f"'{text}' for text"
        )
    if is_number and OCTAL.fullmatch(text) and text.strip("+-0_"):
        decimal = int(text.replace("_", ""), 10)
        return (
            f"line {line}: YAML reads {text} as {loader.construct_object(node)}, in base 8; write {decimal} for the "
            f"decimal number, or '{text}' for text"
        )
    return ""


def describe(value: Any) -> str:
    """Name a value as YAML writes it.

    Parameters
    ----------
    value
        Value of a configuration.

    Returns
    -------
    str
        Such as `false`, `null`, `the number 2` or `a date`.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value:g}" if isinstance(value, float) else f"the number {value}"
    return "text" if isinstance(value, str) else "a date"
