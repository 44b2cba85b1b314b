"""Paths of the configuration: `~` and environment variables are expanded once, and each path has one spelling.

Not among them is `cluster.scratch`, which is expanded on the node that runs a job.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

from eegwf.config.data import LEAVE_ONE_OUT
from eegwf.config.layers import Layers, origin_of, reach
from eegwf.errors import InputError

# Places of the configuration that are paths; the asterisk stands for any key.
PATHS = [
    ("results",),
    ("folds",),
    ("dataset", "root"),
    *(("dataset", "arrays", "*", name) for name in ("data", "labels", "patients")),
    ("cluster", "image"),
    ("external", "*", "configfile"),
    ("external", "*", "root"),
    ("report", "published"),
]
DOLLAR = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\}|)")


def expand_paths(merged: dict, layers: Layers) -> dict:
    """Expand the paths of a configuration.

    Parameters
    ----------
    merged, layers
        The configuration, as `eegwf.config.load.read_layers` merges it.

    Returns
    -------
    dict
        A new mapping.

    Raises
    ------
    InputError
        One line for each path that can't be expanded, with the file that sets it.
    """
    faults: list[str] = []

    def expanded_at(place: tuple[str, ...], text: str) -> str:
        try:
            return expand_path(text, f"{origin_of([place], layers)}: {'.'.join(place)}")
        except InputError as error:
            faults.append(str(error))
            return text

    expanded = _with_paths(merged, expanded_at)
    results = reach(expanded, ("results",))
    if not faults and isinstance(results, str) and re.search(r"[{}]", results):
        faults.append(
            f"{origin_of([('results',)], layers)}: results: {results}: braces stand for wildcards in paths that "
            "Snakemake makes; choose a folder without braces"
        )
    if faults:
        raise InputError("\n       ".join(faults))
    return expanded


def escape_paths(config: dict) -> dict:
    """Write the paths of a configuration so that `expand_paths` returns them.

    Parameters
    ----------
    config
        A configuration with expanded paths.

    Returns
    -------
    dict
        A new mapping.
    """

    def escaped_at(place: tuple[str, ...], text: str) -> str:
        escaped = text.replace("$", "$$")
        return f"./{escaped}" if escaped.startswith("~") else escaped

    return _with_paths(config, escaped_at)


def _with_paths(config: dict, change: Callable[[tuple[str, ...], str], str], place: tuple[str, ...] = ()) -> dict:
    """Copy a configuration, with each path replaced by what a function returns for its place and text."""
    copy = dict(config)
    for key, value in config.items():
        here = (*place, str(key))
        if isinstance(value, dict):
            copy[key] = _with_paths(value, change, here)
        elif isinstance(value, str) and value and value != LEAVE_ONE_OUT and _is_path(here):
            copy[key] = change(here, value)
    return copy


def _is_path(place: tuple[str, ...]) -> bool:
    return any(
        len(pattern) == len(place) and all(part in ("*", key) for part, key in zip(pattern, place, strict=True))
        for pattern in PATHS
    )


def expand_path(text: str, place: str) -> str:
    """Expand `~` and environment variables in a path, and write it in its shortest form.

    Parameters
    ----------
    text
        The path: `~` and `~NAME` at its start are home folders, `$NAME` and `${NAME}` variables, `$$` is a dollar sign.
    place
        What sets the path, for errors.

    Returns
    -------
    str
        The path without `.`, `..` and repeated or final slashes. A relative one stays relative to the current folder,
        as Snakemake writes its targets.

    Raises
    ------
    InputError
        If a variable or a user does not exist, or a folder that `..` leaves is a symbolic link.
    """

    def value(found: re.Match) -> str:
        name = found[2] or found[3]
        if found[1]:
            return "$"
        if name is None:
            raise InputError(f"{place}: {text}: expected the name of a variable after $; write $$ for a dollar sign")
        if not os.environ.get(name):
            fault = "is empty" if name in os.environ else "is not set"
            raise InputError(
                f"{place}: {text}: the environment variable {name} {fault}; set it, write the path itself, or $$ for a "
                "dollar sign"
            )
        return os.environ[name]

    path = DOLLAR.sub(value, text)
    if text.startswith("~"):
        try:
            path = str(Path(path).expanduser())
        except RuntimeError:
            raise InputError(
                f"{place}: {text}: no home folder of this user; write the path itself, or ./{text}"
            ) from None
    short = os.path.normpath(path) if Path(path).is_absolute() else os.path.relpath(path)
    # `..` behind a symbolic link leads elsewhere than its removal from the text.
    if ".." in Path(path).parts and os.path.realpath(short) != os.path.realpath(path):
        raise InputError(f"{place}: {text}: .. leaves a symbolic link; write {os.path.realpath(path)}")
    return short
