"""Recordings in any folder layout: their files, the ids of their patients, and their names."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eegwf.config.file_layout import MAX_PATH, FileLayout
from eegwf.config.patients import normalize_id
from eegwf.data.file_search import Folders, Matches, files_below, search
from eegwf.data.signals.file_names import is_readable, recording_name, recording_stem
from eegwf.errors import format_names

# Paths that a line lists before it counts the others.
MAX_NAMES = 4
# Bytes of the name of a recording, from which names of files in the results are made.
MAX_NAME_BYTES = 200
PREFIX = "sub-"
# Patient of a recording in whose path no id is found. It is not used, and no id can be equal.
UNKNOWN = "unknown"
# Suffixes of EEG recordings, some of which are not read.
EEG_SUFFIXES = (".edf", ".bdf", ".vhdr", ".set", ".fif", ".cnt", ".gdf", ".nwb", ".mff", ".mefd", ".lay")


@dataclass(frozen=True)
class FoundFile:
    """What the path of a recording tells.

    Attributes
    ----------
    recording
        Name of the recording.
    patient
        Id of its patient, `sub-<label>`.
    fault
        Why it can't be used, without its path; empty if it can.
    """

    recording: str
    patient: str
    fault: str = ""


@dataclass(frozen=True)
class LayoutFiles:
    """Files of a data set in a folder layout.

    Attributes
    ----------
    root
        Root of the data set.
    suffixes
        Suffixes of files that are recordings, in lower case.
    matches
        Files that match the patterns.
    folders
        Contents of the folders that were searched.
    """

    root: Path
    suffixes: Sequence[str]
    matches: Matches
    folders: Folders = field(repr=False)

    @property
    def recordings(self) -> dict[tuple[str, str], Path]:
        """The matching files that are recordings, as in `Matches.files`."""
        return {key: path for key, path in self.matches.files.items() if self.is_recording(path)}

    def is_recording(self, path: Path) -> bool:
        """Whether a file, relative to the root, is a recording."""
        return is_readable(self.root / path)


def find_layout_files(root: Path, layout: FileLayout, suffixes: Sequence[str]) -> LayoutFiles:
    """Find the files of a data set.

    Parameters
    ----------
    root
        Root of the data set.
    layout
        Places of its recordings.
    suffixes
        Suffixes of files that are recordings, in lower case.

    Returns
    -------
    LayoutFiles
    """
    folders = Folders()
    return LayoutFiles(root, suffixes, search(root, layout.recordings, folders), folders)


def layout_data_files(files: LayoutFiles, endings: Sequence[str]) -> Iterator[Path]:
    """Files that hold signals or events: the recordings, and others in their folders.

    Parameters
    ----------
    files
        Files of the data set.
    endings
        Endings of the names of such files, in lower case.

    Yields
    ------
    Path
        A file, or a link whose target may be missing.
    """
    recordings = files.recordings
    yield from (files.root / path for path in sorted(recordings.values()))
    for real, folder in sorted({(real, path.parent) for (real, _), path in recordings.items()}):
        for entry in files.folders.entries(real):
            path = files.root / folder / entry.name
            if entry.name.lower().endswith(tuple(endings)) and not files.is_recording(path):
                yield path


def identify(files: LayoutFiles, pattern: str) -> dict[Path, FoundFile]:
    """Find the patients and the names of recordings.

    Parameters
    ----------
    files
        Files of the data set.
    pattern
        Regular expression for the ids of patients.

    Returns
    -------
    dict
        By path relative to the root. Several recordings of one name can't be distinguished.
    """
    paths = sorted(files.recordings.values())
    ids = {path: find_id(path, pattern) for path in paths}
    patients = {path: patient_of(text) for path, text in ids.items() if text}
    faults = _ambiguous_ids({path: str(ids[path]) for path, patient in patients.items() if patient})
    names = name_recordings({path: patient for path, patient in patients.items() if patient})
    found = {}
    for number, path in enumerate(paths, start=1):
        if name := names.get(path):
            fault = faults.get(path, "")
            if len(name.encode()) > MAX_NAME_BYTES:
                fault = (
                    f"the recording would have the name {name[:40]}..., of more than {MAX_NAME_BYTES} bytes; shorten "
                    "the names of the file and its folders"
                )
                name = f"{patients[path]}_{number}"
            found[path] = FoundFile(name, patients[path], fault)
        else:
            found[path] = FoundFile(f"{UNKNOWN}{number}", UNKNOWN, _id_fault(path, ids[path], pattern))
    return found


def find_id(path: Path, pattern: str) -> str | None:
    """Find the id of the patient in the path of a recording.

    Parameters
    ----------
    path
        Path relative to the root of the data set.
    pattern
        Regular expression; its first group, or the whole match if it has no group, is the id.

    Returns
    -------
    str or None
        The id; None if there is none, or the path is too long to be searched.
    """
    text = _text(path)
    match = re.search(pattern, text) if len(text) <= MAX_PATH else None
    return match[1 if match.re.groups else 0] if match else None


def patient_of(text: str) -> str:
    """Spell the id of a patient as in BIDS.

    Parameters
    ----------
    text
        An id, such as `PN-00`.

    Returns
    -------
    str
        `sub-` and the letters and digits of the id, such as `sub-PN00`; empty if it has none.
    """
    label = "".join(filter(str.isalnum, normalize_id(text).removeprefix(PREFIX)))
    return f"{PREFIX}{label}" if label else ""


def name_recordings(patients: Mapping[Path, str]) -> dict[Path, str]:
    """Name recordings by their patients and files, and their folders if the files of a patient have equal names.

    Parameters
    ----------
    patients
        Patient of each path relative to the root of the data set.

    Returns
    -------
    dict
        A valid file name for each path, such as `sub-chb01_chb01_03`. Names that differ only in upper and lower case
        are the same, since some file systems don't distinguish them.
    """
    names = {path: _name(patient, [recording_name(path)]) for path, patient in patients.items()}
    folders: dict[str, set[Path]] = {}
    for path, name in names.items():
        folders.setdefault(name.casefold(), set()).add(path.parent)
    spellings: dict[str, str] = {}
    for path, name in names.items():
        if len(folders[name.casefold()]) > 1:
            name = _name(patients[path], [*path.parent.parts, recording_name(path)])
        names[path] = spellings.setdefault(name.casefold(), name)
    return names


def describe_unread(files: LayoutFiles) -> list[str]:
    """Describe recordings that are not read, one line for each reason.

    Parameters
    ----------
    files
        Files of the data set.

    Returns
    -------
    list of str
        Lines for the user. A copy of a recording in another format is not described.
    """
    recordings = files.recordings
    stems = {(real, recording_stem(Path(name)).casefold()) for real, name in recordings}
    suffixes = "|".join(map(re.escape, {*EEG_SUFFIXES, *files.suffixes}))
    like_recording = re.compile(rf"(.*)({suffixes})(\.gz)?", re.IGNORECASE)
    unmatched, others = [], []
    for key, path in files_below(files.root, files.folders, like_recording).items():
        match = like_recording.fullmatch(path.name)
        if key not in recordings and files.is_recording(path):
            unmatched.append(path)
        elif key not in recordings and match and (key[0], match[1].casefold()) not in stems:
            others.append(path)
    expected = ", ".join(files.suffixes)
    reasons = {
        "not read, because no pattern of dataset.recordings matches; add a pattern, or remove them": unmatched,
        f"not read, because of their format; expected {expected}; convert or remove them": others,
        "links to folders that are read under another name; their recordings are read once": files.matches.again,
        "folders that can't be listed; make them readable": [Path(path) for path in files.folders.unlisted],
    }
    return [
        f"{format_names([path.as_posix() for path in paths], MAX_NAMES)}: {reason}"
        for reason, paths in reasons.items()
        if paths
    ]


def _text(path: Path) -> str:
    return normalize_id(path.as_posix())


def _id_fault(path: Path, found: str | None, pattern: str) -> str:
    """Why the path of a recording has no id of a patient."""
    text = _text(path)
    if len(text) > MAX_PATH:
        return f"the path below dataset.root has {len(text)} characters, at most {MAX_PATH} are possible; shorten it"
    reason = f"finds {found!r}, without letter or digit," if found else "finds no id"
    return (
        f"dataset.patient {pattern!r} {reason} in {text!r}; correct it, or choose patterns of dataset.recordings that "
        "do not match the file"
    )


def _ambiguous_ids(ids: Mapping[Path, str]) -> dict[Path, str]:
    """Faults of recordings whose ids differ only in characters that are removed, or in upper and lower case."""
    spellings: dict[str, dict[str, Path]] = {}
    for path, text in ids.items():
        spellings.setdefault(patient_of(text).casefold(), {}).setdefault(text, path)
    faults = {}
    for path, text in ids.items():
        for other, place in spellings[patient_of(text).casefold()].items():
            if other != text:
                faults[path] = (
                    f"the id of the patient is {text!r}, but {other!r} in {place.as_posix()}; ids must differ in their "
                    "letters or digits, and one patient must have one id; correct dataset.patient, or rename the files"
                )
    return faults


def _name(patient: str, parts: Sequence[str]) -> str:
    """Name of a recording that begins with its patient once."""
    name = "_".join(re.sub(r"[^\w.-]", "-", normalize_id(part)) for part in parts).removesuffix("_eeg")
    return name if f"{name}_".startswith(f"{patient}_") else f"{patient}_{name}"
