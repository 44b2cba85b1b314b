"""Recordings that are predicted: files, and those of BIDS data sets, which need no annotations here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eegwf.config.patients import normalize_id
from eegwf.data.bids_folders import eeg_folders, entries
from eegwf.data.signals.file_names import SUFFIXES, is_readable, is_recording, recording_name
from eegwf.errors import InputError

SUBJECT = re.compile(r"sub-[^_]+")


@dataclass(frozen=True)
class InputRecording:
    """A recording that is predicted.

    Attributes
    ----------
    name
        Name of the recording, which the names of its output files begin with.
    path
        The file; of several files, that with the header.
    subject
        `sub-<label>` of its name; empty if the name has none.
    folder
        Folder of its output files in the output folder: that of the recording in a BIDS data set.
    """

    name: str
    path: Path
    subject: str
    folder: Path


def find_inputs(paths: Sequence[Path]) -> list[InputRecording]:
    """Find the recordings to predict.

    Parameters
    ----------
    paths
        Recordings, and roots of BIDS data sets.

    Returns
    -------
    list of InputRecording
        In the given order; those of a data set by patient and name.

    Raises
    ------
    InputError
        If there is no such file, a file is no recording, a folder is no BIDS data set, or two recordings would have
        the same output files.
    """
    found: list[InputRecording] = []
    for path in paths:
        found += _of_data_set(path) if path.is_dir() else [_of_file(path)]
    places: dict[Path, Path] = {}
    for item in found:
        first = places.setdefault(item.folder / item.name, item.path)
        if first != item.path:
            raise InputError(
                f"{item.path}: the same name as {first}, so that their output files would be the same; predict them "
                "with two commands and two folders of --output"
            )
    return list({item.path: item for item in found}.values())


def _of_file(path: Path) -> InputRecording:
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a recording or the root of a BIDS data set")
    if not is_readable(path):
        raise InputError(f"{path}: not a recording; expected a file with one of the suffixes {', '.join(SUFFIXES)}")
    return _described(path, Path())


def _of_data_set(root: Path) -> list[InputRecording]:
    found = [
        _described(folder.path / name, folder.path.relative_to(root))
        for folder in eeg_folders(root, ())
        if folder.same_as is None
        for name in entries(folder.path)
        if is_recording(folder.path / name)
    ]
    if not found:
        raise InputError(f"{root}: no recordings; expected sub-*/eeg/*_eeg or sub-*/ses-*/eeg/*_eeg, or give files")
    return sorted(found, key=lambda item: (item.subject, item.name))


def _described(path: Path, folder: Path) -> InputRecording:
    name = normalize_id(recording_name(path))
    subject = SUBJECT.match(name)
    return InputRecording(name, path, subject[0] if subject else "", folder)
