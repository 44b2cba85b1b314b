"""The recordings of a BIDS-EEG data set."""

from dataclasses import dataclass
from pathlib import Path

from eegwf.errors import InputError

SUFFIXES = (".edf", ".bdf", ".vhdr")


@dataclass(frozen=True)
class Recording:
    """A recording of a patient.

    Attributes
    ----------
    recording
        Its name: the file's name without `_eeg` and suffix (`sub-01_ses-01_task-sz_run-02`).
    patient
        `sub-<label>`.
    path
        The EDF, BDF or BrainVision header file.
    events_path
        Its `_events.tsv`.
    """

    recording: str
    patient: str
    path: Path
    events_path: Path


def find_recordings(root: Path | str) -> list[Recording]:
    """Recordings of a data set, ordered by patient and name.

    Looks for `sub-*/eeg/` and `sub-*/ses-*/eeg/` with `*_eeg.edf`, `*_eeg.bdf` or `*_eeg.vhdr`.

    Parameters
    ----------
    root
        Folder that holds the `sub-*` folders.

    Raises
    ------
    InputError
        If the folder or its recordings are missing, a recording has no `_events.tsv` beside it, bears another
        patient's name than its folder, shares its name with another, or is a link to a file not fetched.

    References
    ----------
    Pernet et al. (2019), EEG-BIDS, Scientific Data 6:103.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; dataset.root must be the folder that holds sub-*")
    found = [
        path
        for pattern in ("sub-*/eeg/*", "sub-*/ses-*/eeg/*")
        for path in root.glob(pattern)
        if path.suffix.lower() in SUFFIXES and path.stem.endswith("_eeg") and not path.name.startswith(".")
    ]
    if not found:
        raise InputError(
            f"{root}: no recordings; looked for sub-*/eeg/*_eeg and sub-*/ses-*/eeg/*_eeg with the suffixes "
            f"{', '.join(SUFFIXES)}"
        )
    recordings: dict[str, Recording] = {}
    for path in sorted(found, key=lambda path: path.relative_to(root).parts):
        recording = _recording(path, path.relative_to(root).parts[0])
        if recording.recording in recordings:
            raise InputError(
                f"{path}: a second recording named {recording.recording}, besides "
                f"{recordings[recording.recording].path}; remove one, or tell them apart by ses- or run-"
            )
        recordings[recording.recording] = recording
    return list(recordings.values())


def _recording(path: Path, patient: str) -> Recording:
    name = path.stem.removesuffix("_eeg")
    if name.split("_")[0] != patient:
        raise InputError(f"{path}: named {name.split('_')[0]} in the folder of {patient}; rename or move it")
    if not path.exists():
        raise InputError(f"{path}: a link to a file that is not there; fetch the data set's files first")
    events = path.with_name(f"{name}_events.tsv")
    if not events.exists():
        raise InputError(
            f"{path}: no {events.name} beside it; write one (onset, duration, eventType; the header alone if "
            "nothing happens)"
        )
    return Recording(name, patient, path, events)
