"""Folders of a BIDS data set that hold EEG, and folders of patients that are not read."""

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from eegwf.config.patients import normalize_id
from eegwf.data.signals.file_names import SUFFIXES, recording_suffix, without_part

# Names of patients and of recordings that a line lists before it counts the others.
MAX_NAMES = 4
EXPECTED = f"*_eeg.edf ({', '.join(SUFFIXES[1:])}) in sub-*/eeg/ or sub-*/ses-*/eeg/"
# Sidecar files, which every recording has, whatever its format.
SIDECARS = (".tsv", ".json", ".txt", ".md")
# Like a patient's folder, but in another spelling than `sub-*`.
LIKE_PATIENT = re.compile(r"sub(-|[_ ]?\d)", re.IGNORECASE)
# Like an EEG recording, but in a format, folder or spelling that is not read.
LIKE_RECORDING = re.compile(r"(.*_eeg)\.(edf|bdf|vhdr|set|fif|cnt|gdf|nwb|mff|mefd|lay)(\.gz)?", re.IGNORECASE)
UNLISTED = "a folder that can't be listed"
# What is wrong with a folder of a patient.
PATIENT = "no recording is read"
RECORDINGS = "recordings that are not read"
LINK = "link to a missing folder; fetch the data set's files, or remove the link"
NAME = "not read; folders of patients are named sub-<label> in lower case; rename the folder"
# Levels of folders below that of a patient: session, modality, file.
LEVELS = 3


@dataclass(frozen=True)
class EegFolder:
    """A folder of recordings.

    Attributes
    ----------
    patient
        Id of the patient, `sub-<label>`, normalized.
    path
        The folder, `sub-*/eeg` or `sub-*/ses-*/eeg` below the root.
    same_as
        The folder that is read instead, if both are one folder by a symbolic link; None if this folder is read.
    """

    patient: str
    path: Path
    same_as: Path | None = None


def eeg_folders(root: Path, exclude: Collection[str] = ()) -> list[EegFolder]:
    """Find the folders of recordings, in the order of their names.

    Parameters
    ----------
    root
        Folder that contains the `sub-*` folders. Its other folders, such as `derivatives` and `.git`, are not searched.
    exclude
        Normalized ids of patients whose folders are not searched either.

    Returns
    -------
    list of EegFolder
        Symbolic links are followed; of several names of one folder, one is read, if possible that without a link.
    """
    found = []
    for patient in _with_prefix(entries(root), "sub-"):
        if normalize_id(patient) in exclude:
            continue
        names = entries(root / patient)
        inside = {Path(patient): names}
        inside |= {Path(patient, name): entries(root / patient / name) for name in _with_prefix(names, "ses-")}
        # Compares names as stored, because some file systems don't distinguish `eeg` from `EEG`.
        places = [place / "eeg" for place, names in inside.items() if "eeg" in names]
        found += [(normalize_id(patient), place) for place in places if (root / place).is_dir()]
    names_of: dict[str, list[Path]] = {}
    for _, place in found:
        names_of.setdefault(os.path.realpath(root / place), []).append(place)
    base = os.path.realpath(root)
    read: dict[Path, Path] = {}
    for target, places in names_of.items():
        itself = [place for place in places if Path(base, place) == Path(target)]
        read |= dict.fromkeys(places, (itself or places)[0])
    return [
        EegFolder(patient, root / place, None if read[place] == place else root / read[place])
        for patient, place in found
    ]


def entries(folder: Path) -> list[str]:
    """Names in a folder in alphabetical order; none if it can't be listed."""
    try:
        return sorted((path.name for path in folder.iterdir()), key=lambda name: (normalize_id(name), name))
    except OSError:
        return []


def unread_folders(root: Path, read: Collection[str], linked: Collection[str] = ()) -> list[str]:
    """Describe patients without a recording, and recordings that are not read, one line for each kind.

    Parameters
    ----------
    root
        Folder that contains the `sub-*` folders.
    read
        Recordings that are read, relative to the root.
    linked
        Folders of patients, relative to the root, that are links to folders that are read.

    Returns
    -------
    list of str
        Lines for the user. Other modalities of patients with a recording, and sidecar files, are not described.
    """
    stems = {without_part(path[: len(path) - len(recording_suffix(Path(path)))].casefold()) for path in read}
    with_recordings = {path.split("/")[0] for path in read}
    patients_of: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name in entries(root):
        path = root / name
        if not LIKE_PATIENT.match(name) or name in linked or not (path.is_dir() or path.is_symlink()):
            continue
        patterns: tuple[str, ...] = ()
        if name in with_recordings:
            kind = RECORDINGS
            patterns = _patterns(file for file in _files(path) if _is_lost(f"{name}/{file}", read, stems))
        elif not path.is_dir():
            kind = LINK
        else:
            kind = PATIENT if name.startswith("sub-") else NAME
            patterns = _patterns(_files(path))
        if patterns or kind in (LINK, PATIENT):
            patients_of.setdefault((kind, patterns if kind != NAME else ()), []).append(name)
    return [_line(names, *kind) for kind, names in patients_of.items()]


def _with_prefix(names: list[str], prefix: str) -> list[str]:
    return [name for name in names if name.startswith(prefix)]


def _files(folder: Path, levels: int = LEVELS) -> Iterator[str]:
    """Files of a patient but sidecars, relative to the patient's folder; links to folders are not followed."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        yield f"{UNLISTED} ({error.strerror})"
        return
    for name in names:
        path = folder / name
        if name.startswith(".") or name.lower().endswith(SIDECARS):
            continue
        if path.is_dir() and not Path(name).suffix:
            if path.is_symlink():
                yield f"{name} (a link)"
            elif levels > 1:
                yield from (f"{name}/{file}" for file in _files(path, levels - 1))
        else:
            yield name


def _is_lost(file: str, read: Collection[str], stems: Collection[str]) -> bool:
    """Whether a file is like an EEG recording and is not read, in this or another format."""
    match = LIKE_RECORDING.fullmatch(file)
    if match is None:
        return UNLISTED in file
    return file not in read and without_part(match[1].casefold()) not in stems


def _patterns(files: Iterator[str]) -> tuple[str, ...]:
    """Files without patient, session and run: `ses-*/EEG/*_eeg.edf`."""
    found: dict[str, None] = {}
    for file in files:
        folder, _, name = file.rpartition("/")
        folder = re.sub(r"^(ses-)[^/]*", r"\1*", folder, flags=re.IGNORECASE)
        ending = re.search(r"(_[A-Za-z]+)?(\.[A-Za-z0-9]+)(\.gz)?$", name)
        found[f"{folder}/" * bool(folder) + ("*" + ending[0] if ending else name)] = None
    return tuple(sorted(found))


def _line(patients: list[str], kind: str, patterns: tuple[str, ...]) -> str:
    line = f"{_shortened(patients)}: {kind}"
    if kind in (LINK, NAME):
        return line
    found = f"found {_shortened(list(patterns))}" if patterns else "found no file of a recording"
    return f"{line}: {found}; expected {EXPECTED}; convert, rename or move the files, or remove them from the data set"


def _shortened(names: list[str]) -> str:
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
