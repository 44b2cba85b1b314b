"""Read and merge configuration files; errors name the file, the key and the most similar known key."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from eegwf.config.patients import normalize_id
from eegwf.config.renamed import present_name
from eegwf.config.study import Study, StudyDesign
from eegwf.errors import InputError

# A later file replaces these as a whole: a mixture of two data sets is never intended.
WHOLE = [("dataset",), ("classes", "*"), ("models", "*", "search", "*")]
# In these, `null` removes an entry of an earlier file.
REMOVABLE = [("patients", "*")]
COMMAND_LINE = "--config"
ABSENT = object()
Layers = Sequence[tuple[str, dict]]


def load_study(default: Path | str, files: Sequence[Path | str] = (), overrides: dict | None = None) -> Study:
    """Merge and validate configuration files.

    Parameters
    ----------
    default
        File with the defaults of the workflow.
    files
        Further files; a later file overrides an earlier one key by key. `dataset`, each class set and each entry of a
        search space are replaced as a whole; `null` removes an entry of `patients`.
    overrides
        Settings of the command line; `data_root` means `dataset.root`.

    Returns
    -------
    Study
        The validated configuration.

    Raises
    ------
    InputError
        One line for each error.
    """
    merged, layers = read_layers(default, files, overrides)
    return validate(merged, layers)


def read_layers(
    default: Path | str, files: Sequence[Path | str] = (), overrides: dict | None = None
) -> tuple[dict, Layers]:
    """Read and merge configuration files without validating them.

    Parameters
    ----------
    default, files, overrides
        As in `load_study`.

    Returns
    -------
    merged, layers
        The merged mapping, and the contents of each file and of the command line in their order, from which errors
        find the file that sets a key.

    Raises
    ------
    InputError
        If a file is not YAML, or `data_root` is given for a data set without a root.
    """
    layers = [(str(path), read_yaml(path)) for path in (default, *files)]
    overrides = dict(overrides or {})
    data_root = overrides.pop("data_root", None)
    layers.append((COMMAND_LINE, overrides))
    merged: dict = {}
    for _, layer in layers:
        merged = merge(merged, layer)
    if data_root is not None:
        dataset = merged.get("dataset")
        kind = dataset.get("kind") if isinstance(dataset, dict) else None
        if kind != "bids" or not isinstance(dataset, dict):
            raise InputError(
                f"{COMMAND_LINE} data_root={data_root}: only a dataset of kind 'bids' has a root, this dataset is "
                f"{kind!r}; add the data set's file (--configfile config/datasets/NAME.yaml)"
            )
        merged["dataset"] = {**dataset, "root": str(data_root)}
    return merged, layers


def read_yaml(path: Path | str) -> dict:
    """Read a YAML file that contains a mapping, with the safe loader.

    Raises
    ------
    InputError
        If the file can't be read, is not YAML or contains something else.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read ({error})") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected keys with values, found {type(content).__name__}")
    return content


def merge(base: dict, other: dict, place: tuple[str, ...] = ()) -> dict:
    """Merge two mappings key by key; some keys are replaced as a whole, and `null` removes an entry of `patients`.

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


def validate(merged: dict, layers: Layers) -> Study:
    """Validate a merged configuration.

    Parameters
    ----------
    merged, layers
        As `read_layers` returns them.

    Returns
    -------
    Study
        The configuration.

    Raises
    ------
    InputError
        One line for each error, with the file that sets the key.
    """
    try:
        return Study.model_validate(merged)
    except ValidationError as error:
        lines = {_sentence(detail, merged, layers): None for detail in error.errors()}
        raise InputError("\n       ".join(lines)) from None


def validate_record(config: dict, path: Path) -> StudyDesign:
    """Validate the configuration that a finished run recorded.

    Parameters
    ----------
    config
        The recorded configuration.
    path
        The file that contains it.

    Returns
    -------
    StudyDesign
        The configuration.

    Raises
    ------
    InputError
        If another version of eegwf, with other keys, recorded it.
    """
    try:
        return StudyDesign.model_validate(config)
    except ValidationError as error:
        detail = error.errors()[0]
        place = ".".join(map(str, detail["loc"]))
        raise InputError(
            f"{path}: config: {place}: {detail['msg']}; another version of eegwf wrote this file: use that version, or "
            "repeat the run"
        ) from None


def _sentence(detail: ErrorDetails, merged: dict, layers: Layers) -> str:
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
    found = "" if not location or isinstance(detail["input"], dict) else f" (found {detail['input']!r})"
    return f"{origin}: {place + ': ' if place else ''}{message}{found}"


def _inside(value: Any, part: Any) -> Any:
    """Value of a mapping or list at `part`, or ABSENT."""
    if isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return ABSENT


def _keys(loc: tuple, merged: dict, named: bool) -> tuple:
    """Keys of the file in a location of pydantic, which also contains the names of union members."""
    keys, value = [], merged
    for number, part in enumerate(loc):
        inner = _inside(value, part)
        if inner is not ABSENT:
            value = inner
        elif not named or number < len(loc) - 1:
            continue
        keys.append(part)
    return tuple(keys)


def _named_keys(message: str, location: tuple, merged: dict) -> list[tuple]:
    """Keys that a message about a section names: its first word, and every dotted word, if they are keys."""
    if not isinstance(_reach(merged, location), dict):
        return []
    words = re.findall(r"[a-zA-Z0-9_.-]+", message)
    words = [word.rstrip(".") for number, word in enumerate(words) if location or number == 0 or "." in word]
    places = [(*location, *word.split(".")) for word in words]
    return [place for place in places if _reach(merged, place) is not ABSENT]


def _reach(value: Any, place: tuple) -> Any:
    for part in place:
        value = _inside(value, part)
        if value is ABSENT:
            break
    return value


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
        while reached < len(place) and _reach(layer, place[: reached + 1]) is not ABSENT:
            reached += 1
        if any(_matches(place[:length], WHOLE) for length in range(1, reached + 1)):
            best = (0.0, 0)  # this layer replaces what earlier layers set
        if reached:
            best = max(best, (reached / len(place), number))
    return best


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
