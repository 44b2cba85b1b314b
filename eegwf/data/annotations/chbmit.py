"""Annotations of CHB-MIT: summaries `chbNN-summary.txt`, which list the seizures of all recordings of a patient."""

import re
from pathlib import Path

from eegwf.data.annotations.files import original_names, read_lines
from eegwf.data.annotations.rows import interval, parse_seconds
from eegwf.data.events import SEIZURE, Annotation
from eegwf.errors import InputError

FILE = re.compile(r"File Name\s*:\s*(.*)", re.IGNORECASE)
NUMBER = re.compile(r"Number of Seizures in File\s*:\s*(.*)", re.IGNORECASE)
# The number of the seizure is written in some summaries, and not in others.
TIME = re.compile(r"Seizure\s*\d*\s*(Start|End) Time\s*:\s*(.*?)\s*(?:(?<![a-z])(?:s|secs?|seconds?))?", re.IGNORECASE)


def read_chbmit(path: Path, recording: Path) -> list[Annotation]:
    """Read the seizures of a recording from the summary of its patient.

    Parameters
    ----------
    path
        The summary.
    recording
        The recording. It, or the file to which it is a link, has the name that the summary lists.

    Returns
    -------
    list of Annotation
        Seizures, in seconds from the start of the recording.

    Raises
    ------
    InputError
        If the summary is missing, does not list the recording, lists it twice, or what it lists is not valid.

    References
    ----------
    Guttag (2010), CHB-MIT Scalp EEG Database, PhysioNet, doi:10.13026/C2K01R.
    """
    lines = read_lines(path)
    files = [(number, match[1]) for number, line in enumerate(lines) if (match := FILE.fullmatch(line))]
    names = original_names(recording)
    found = [number for number, name in files if name.casefold() in names]
    if len(found) != 1:
        listed = f"lists it {len(found)} times (lines {', '.join(str(number + 1) for number in found)})"
        raise InputError(
            f"{path}: expected {' or '.join(sorted(names))} once, "
            + (listed if found else f"found {_shortened([name for _, name in files])}")
            + "; correct the summary, or make the recording a link to the file that it lists"
        )
    stop = next((number for number, _ in files if number > found[0]), len(lines))
    return _seizures(path, [(number + 1, lines[number]) for number in range(found[0] + 1, stop)], found[0] + 1)


def listed_recordings(path: Path) -> list[str]:
    """Names of the recordings in a summary."""
    return [match[1] for line in read_lines(path) if (match := FILE.fullmatch(line))]


def _seizures(path: Path, lines: list[tuple[int, str]], first: int) -> list[Annotation]:
    """Seizures that the lines below the name of a recording list."""
    expected: int | None = None
    times: list[tuple[str, str, int]] = []
    for number, line in lines:
        place = f"{path}, line {number}"
        if match := NUMBER.fullmatch(line):
            if expected is not None or not re.fullmatch(r"[0-9]{1,6}", match[1]):
                raise InputError(
                    f"{place}: found {line[:60]!r}, expected one whole number of seizures after each file name; "
                    "correct the summary"
                )
            expected = int(match[1])
        elif match := TIME.fullmatch(line):
            kind = match[1].lower()
            if (kind == "start") != (len(times) % 2 == 0):
                raise InputError(
                    f"{place}: found {line[:60]!r}, expected the {'start' if kind == 'end' else 'end'} of a seizure; "
                    "each seizure has a start time and then an end time; correct the summary"
                )
            parse_seconds(match[2], kind, place)
            times.append((kind, match[2], number))
        elif line.lower().startswith("seizure"):
            raise InputError(
                f"{place}: found {line[:60]!r}, expected 'Seizure 1 Start Time: 2670 seconds' or 'Seizure 1 End Time: "
                "2841 seconds'; correct the line"
            )
    if expected is None:
        raise InputError(f"{path}, line {first}: no 'Number of Seizures in File' below this file name; add it")
    if len(times) != 2 * expected:
        raise InputError(
            f"{path}, line {first}: the number of seizures in the file is {expected}, but {len(times)} start and end "
            f"times are listed, expected {2 * expected}; correct the summary"
        )
    return [
        interval(start[1], end[1], SEIZURE, path, end[2]) for start, end in zip(times[::2], times[1::2], strict=True)
    ]


def _shortened(names: list[str]) -> str:
    return ", ".join(ascii(name)[1:-1] for name in names[:4]) + " ..." * (len(names) > 4) if names else "no file name"
