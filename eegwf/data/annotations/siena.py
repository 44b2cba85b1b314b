"""Annotations of the Siena Scalp EEG Database: lists `Seizures-list-PNxx.txt` with the clock times of seizures."""

import re
from pathlib import Path

from eegwf.data.annotations.files import original_names, read_lines
from eegwf.data.annotations.siena_slips import find_slip
from eegwf.data.events import SEIZURE, Annotation
from eegwf.errors import InputError

DAY = 86400
# The list of PN01 has times of seizures without the word.
FIELD = re.compile(r"(File name|(?:(?:Registration|Seizure)\s+)?(?:start|end)\s+time)\s*:\s*(.*)", re.IGNORECASE)
CLOCK = re.compile(r"([01]?\d|2[0-3])[.:]([0-5]\d)[.:]([0-5]\d)", re.ASCII)
NAMES = ("registration start time", "registration end time", "seizure start time", "seizure end time")
# Time and number of its line, by the name of the field.
Times = dict[str, tuple[int, int]]


def read_siena(path: Path, recording: Path, notes: list[str] | None = None) -> list[Annotation]:
    """Read the seizures of a recording from the list of its patient.

    Parameters
    ----------
    path
        The list.
    recording
        The recording. It, or the file to which it is a link, has the name that the list contains.
    notes
        List to which a sentence is appended for each known slip of the published lists that is corrected.

    Returns
    -------
    list of Annotation
        Seizures, in seconds from the start of the recording; a time before that of the start is on the next day.

    Raises
    ------
    InputError
        If the list is missing or does not contain the recording, or the times of its seizures are not valid or not
        within the recording.

    References
    ----------
    Detti (2020), Siena Scalp EEG Database, PhysioNet, doi:10.13026/5d4a-j060.
    """
    names = original_names(recording)
    files: list[str] = []
    seizures: list[Times] = []
    known: Times = {}
    current = False
    for number, line in enumerate(read_lines(path), start=1):
        match = FIELD.fullmatch(line)
        if match is None:
            if current and re.match("(seizure|registration) .*time", line, re.IGNORECASE):
                raise InputError(
                    f"{path}, line {number}: found {line[:60]!r}, expected 'Seizure start time: 19.58.36' or another "
                    "of the four times; correct the line"
                )
            continue
        name = " ".join(match[1].lower().split())
        name = f"seizure {name}" if name in ("start time", "end time") else name
        slip = find_slip(path.name, match[2])
        value = slip.meant if slip else match[2]
        if name == "file name":
            files.append(match[2])
            current = value.casefold() in names
        if not current:
            continue
        if slip and notes is not None:
            notes.append(f"line {number} of {path.name}: {name} {match[2]!r} read as {value} ({slip.reason})")
        if name == "file name":
            continue
        clock = CLOCK.fullmatch(value)
        if clock is None:
            raise InputError(
                f"{path}, line {number}: {name} is {value!r}, expected hours, minutes and seconds such as 19.58.36; "
                "correct it"
            )
        hours, minutes, seconds = map(int, clock.groups())
        time = (3600 * hours + 60 * minutes + seconds, number)
        if name.startswith("registration"):
            known[name] = time
        elif name == NAMES[2]:
            seizures.append({**known, name: time})
        elif not seizures or name in seizures[-1]:
            raise InputError(f"{path}, line {number}: a seizure end time without its start time; correct the list")
        else:
            seizures[-1][name] = time
    if not seizures:
        listed = ", ".join(ascii(name)[1:-1] for name in files[:4]) + " ..." * (len(files) > 4)
        raise InputError(
            f"{path}: expected the seizures of {' or '.join(sorted(names))}, found {listed or 'no file name'}; correct "
            "the list, or make the recording a link to the file that it contains"
        )
    return [_annotation(path, times) for times in seizures]


def listed_recordings(path: Path) -> list[str]:
    """Names of the recordings in a list, each once, with the known slips corrected."""
    matches = filter(None, map(FIELD.fullmatch, read_lines(path)))
    names = [match[2] for match in matches if match[1].lower().startswith("file")]
    return list(dict.fromkeys(slip.meant if (slip := find_slip(path.name, name)) else name for name in names))


def _annotation(path: Path, times: Times) -> Annotation:
    """Seizure with its times relative to the start of the recording."""
    place = f"{path}, line {times[NAMES[2]][1]}"
    if missing := [name for name in NAMES if name not in times]:
        raise InputError(f"{place}: a seizure without {' and '.join(missing)}; add the line")
    origin = times[NAMES[0]][0]
    stop, onset, end = ((times[name][0] - origin) % DAY for name in NAMES[1:])
    for name, seconds in ((NAMES[2], onset), (NAMES[3], end)):
        if seconds > stop:
            raise InputError(
                f"{path}, line {times[name][1]}: {name} is {_clock(times[name][0])}, not between the registration's "
                f"start at {_clock(origin)} and end at {_clock(times[NAMES[1]][0])}; correct it"
            )
    if end < onset:
        raise InputError(
            f"{path}, line {times[NAMES[3]][1]}: {NAMES[3]} is {_clock(times[NAMES[3]][0])}, before its start at "
            f"{_clock(times[NAMES[2]][0])}; correct it"
        )
    return Annotation(f"line {times[NAMES[2]][1]}", float(onset), float(end - onset), SEIZURE)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}.{seconds // 60 % 60:02d}.{seconds % 60:02d}"
