"""Discovery of the recordings of a BIDS-EEG data set."""

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
        Name of the recording: the file name without `_eeg` and suffix (`sub-01_ses-01_task-sz_run-02`).
    patient
        `sub-<label>`.
    path
        EDF, BDF or BrainVision header file.
    events_path
        The recording's `_events.tsv`.
    """

    recording: str
    patient: str
    path: Path
    events_path: Path


def find_recordings(root: Path | str) -> list[Recording]:
    """Find the recordings of a data set, ordered by patient and name.

    The files are `*_eeg.edf`, `*_eeg.bdf` and `*_eeg.vhdr` in `sub-*/eeg/` and `sub-*/ses-*/eeg/`.

    Parameters
    ----------
    root
        Folder that contains the `sub-*` folders.

    Returns
    -------
    list of Recording
        At least one recording.

    Raises
    ------
    InputError
        If the folder or its recordings are missing, a recording has no `_events.tsv` beside it, the patient in its
        file name differs from that of its folder, two recordings have the same name, or a file is a link whose
        target has not been fetched.

    References
    ----------
    Pernet et al. (2019), EEG-BIDS, Scientific Data 6:103.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; dataset.root must be the folder that contains sub-*")
    paths = [
        path
        for pattern in ("sub-*/eeg/*", "sub-*/ses-*/eeg/*")
        for path in root.glob(pattern)
        if path.suffix.lower() in SUFFIXES and path.stem.endswith("_eeg") and not path.name.startswith(".")
    ]
    if not paths:
        raise InputError(
            f"{root}: no recordings; expected sub-*/eeg/*_eeg or sub-*/ses-*/eeg/*_eeg with one of the suffixes "
            f"{', '.join(SUFFIXES)}"
        )
    recordings: dict[str, Recording] = {}
    for path in sorted(paths, key=lambda path: path.relative_to(root).parts):
        recording = _recording(path, path.relative_to(root).parts[0])
        if recording.recording in recordings:
            raise InputError(
                f"{path}: duplicate recording {recording.recording}, also in "
                f"{recordings[recording.recording].path}; remove one of the files, or distinguish them by ses- or run-"
            )
        recordings[recording.recording] = recording
    return list(recordings.values())


def _recording(path: Path, patient: str) -> Recording:
    name = path.stem.removesuffix("_eeg")
    if name.split("_")[0] != patient:
        raise InputError(f"{path}: named {name.split('_')[0]} in the folder of {patient}; rename or move it")
    if not path.exists():
        raise InputError(f"{path}: link to a missing file; fetch the data set's files first")
    events = path.with_name(f"{name}_events.tsv")
    if not events.exists():
        raise InputError(
            f"{path}: no {events.name} beside it; create it (columns onset, duration, eventType; only the header line "
            "if the recording has no events)"
        )
    return Recording(name, patient, path, events)
