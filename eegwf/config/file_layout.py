"""Patterns for the recordings of a data set in any folder layout, and for the ids of their patients in the paths."""

import re
import warnings
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

MAX_PATTERNS = 100
MAX_LENGTH = 200  # characters of a pattern
ANY_FOLDERS = "**"
# A pattern of the id may try many ways to match a path, each in turn. Few repetitions, none within another, and short
# paths keep their number small.
MAX_PATH = 255
MAX_REPETITIONS = 3  # * + {m,n}
MAX_CHOICES = 5  # ? |
TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]|\{\d*(?:,\d*)?\}|\(\?(?:[:=!]|<[=!]|P<\w+>|i\))?|.",
    re.DOTALL,
)


@dataclass(frozen=True)
class FileLayout:
    """Places of the recordings of a data set, and of the ids of their patients.

    Attributes
    ----------
    recordings
        Patterns of the paths of the recordings, relative to the root of the data set.
    patient
        Regular expression that is searched in these paths; its first group, or the whole match without a group, is the
        id.
    """

    recordings: tuple[str, ...]
    patient: str


def split_pattern(pattern: str) -> tuple[str, ...]:
    """Split a pattern of paths into patterns of names.

    Parameters
    ----------
    pattern
        Such as `edf/**/*.edf`.

    Returns
    -------
    tuple of str
        One for each folder and the last for the file; `**` stands for any number of folders.
    """
    parts = tuple(part for part in pattern.split("/") if part not in ("", "."))
    return (*parts, "*") if parts[-1:] == (ANY_FOLDERS,) else parts


def check_patterns(patterns: str | list[str]) -> str | list[str]:
    """Refuse patterns of paths that leave the data set, or have no meaning.

    Parameters
    ----------
    patterns
        A pattern, or a list of patterns.

    Returns
    -------
    str or list of str
        The same.

    Raises
    ------
    ValueError
        With what is wrong, and what to write.
    """
    listed = [patterns] if isinstance(patterns, str) else patterns
    if not 0 < len(listed) <= MAX_PATTERNS:
        raise ValueError(f"has {len(listed)} patterns, expected 1 to {MAX_PATTERNS}")
    for pattern in listed:
        _check_pattern(pattern)
    return patterns


def _check_pattern(pattern: str) -> None:
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"a pattern has {len(pattern)} characters, at most {MAX_LENGTH} are possible; shorten it")
    if pattern.startswith(("/", "~")) or re.match("[A-Za-z]:", pattern):
        raise ValueError(f"pattern {pattern!r} is an absolute path; write it relative to dataset.root")
    if "\\" in pattern:
        raise ValueError(f"pattern {pattern!r} has a backslash; write / between folders")
    if ".." in pattern.split("/"):
        raise ValueError(f"pattern {pattern!r} leaves dataset.root by '..'; set dataset.root to a folder above")
    if re.search(r"(?<!\[)[{}]", pattern):
        raise ValueError(f"pattern {pattern!r} has a brace, which is no wildcard; write a list of patterns, or [{{]")
    if not pattern.isprintable():
        raise ValueError(f"pattern {pattern!r} has a character that can't be printed; remove it")
    parts = split_pattern(pattern)
    if not parts or pattern.endswith("/"):
        raise ValueError(f"pattern {pattern!r} names no files; add that of the recordings, such as '*.edf'")
    if any(ANY_FOLDERS in part and part != ANY_FOLDERS for part in parts):
        raise ValueError(f"pattern {pattern!r} has ** within a name; write it alone between slashes, as in '**/*.edf'")


def check_patient(pattern: str) -> str:
    """Refuse a regular expression that is not valid, or that could take very long.

    Parameters
    ----------
    pattern
        The regular expression.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ValueError
        With what is wrong, and what to write.
    """
    if not 0 < len(pattern) <= MAX_LENGTH:
        raise ValueError(f"has {len(pattern)} characters, expected 1 to {MAX_LENGTH}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, OverflowError, Warning) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"is no regular expression: {reason}; write one such as 'chb\\d+' or '^([^/]+)/', in single quotes"
        ) from None
    repetitions = choices = 0
    before = ""
    for token in TOKEN.findall(pattern):
        kind = _kind(token)
        if kind and _kind(before):  # lazy or possessive
            before = ""
            continue
        if token == "(?":
            raise ValueError(
                "has a special group; of these, only (?:...), lookaround, names and a leading (?i) are allowed"
            )
        if kind == "repetition" and before == ")":
            raise ValueError("repeats a group; repeat single characters or sets such as [a-z0-9] only")
        repetitions += kind == "repetition" and not token.strip("{}").isdecimal()
        choices += kind == "choice" or token == "|"
        before = token
    if repetitions > MAX_REPETITIONS:
        raise ValueError(
            f"has {repetitions} repetitions (* + {{m,n}}), at most {MAX_REPETITIONS} are possible; shorten it: the "
            "pattern is searched, and need not match the whole path"
        )
    if choices > MAX_CHOICES:
        raise ValueError(f"has {choices} choices (? and |), at most {MAX_CHOICES} are possible; shorten it")
    return pattern


def _kind(token: str) -> str:
    if token in ("*", "+") or (token.startswith("{") and len(token) > 2):
        return "repetition"
    return "choice" if token == "?" else ""


PathPatterns = Annotated[str | list[str], AfterValidator(check_patterns)]
IdPattern = Annotated[str, AfterValidator(check_patient)]
