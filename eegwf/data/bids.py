"""Discovery of the recordings of a BIDS-EEG data set."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from eegwf.config.data import Annotations
from eegwf.config.patients import normalize_id
from eegwf.data.annotations.files import DEFAULT_FILES, find_sidecars, locate
from eegwf.data.bids_folders import eeg_folders, entries, unread_folders
from eegwf.data.signals.file_names import COMPANION_SUFFIXES, SUFFIXES, is_recording, recording_name, recording_stem
from eegwf.errors import InputError

# Endings of the files that hold signals, events, or the status of channels.
DATA_SUFFIXES = (*SUFFIXES, *COMPANION_SUFFIXES, "_events.tsv", "_channels.tsv")
TABLES = Annotations(format="events")
FETCH = "link to a missing file; fetch the data set's files first"


@dataclass(frozen=True)
class Recording:
    """A recording of a patient.

    Attributes
    ----------
    recording
        Name of the recording: the file name without `_eeg` and suffix (`sub-01_ses-01_task-sz_run-02`), normalized.
    patient
        `sub-<label>`, normalized.
    path
        The file; of several files, that with the header.
    events_path
        File of the recording's annotations, by default its `_events.tsv`; does not exist if the recording has that
        fault.
    format
        Format of the annotations.
    sidecars
        Further files on which the events depend.
    """

    recording: str
    patient: str
    path: Path
    events_path: Path
    format: str = "events"
    sidecars: tuple[Path, ...] = ()

    @property
    def annotation_files(self) -> tuple[Path, ...]:
        """Files of the annotations, besides the recording."""
        return (self.events_path,) * (self.events_path != self.path) + self.sidecars


@dataclass(frozen=True)
class Discovery:
    """Recordings of a data set according to the names of its files.

    Attributes
    ----------
    recordings
        All recordings, each name once, ordered by patient and name.
    faults
        One line for each recording that can't be used, by its name: a link to a missing file, no annotations, a file
        name of another patient, or several files of the same name.
    ignored
        Lines about folders of patients and recordings that are not read.
    """

    recordings: tuple[Recording, ...]
    faults: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    @property
    def usable(self) -> tuple[Recording, ...]:
        """Recordings without a fault."""
        return tuple(recording for recording in self.recordings if recording.recording not in self.faults)

    def refuse_faults(self) -> None:
        """Raise an InputError with all faults, one line each, if there are any."""
        if self.faults:
            raise InputError("\n       ".join(self.faults.values()))


def discover(root: Path | str, annotations: Annotations | None = None) -> Discovery:
    """Find the recordings of a data set; faults of single recordings are listed, not raised.

    The files are `*_eeg.edf` and those with the other `SUFFIXES` in `sub-*/eeg/` and `sub-*/ses-*/eeg/`.

    Parameters
    ----------
    root
        Folder that contains the `sub-*` folders.
    annotations
        Format and place of the annotations; by default, each recording has a table `_events.tsv`.

    Returns
    -------
    Discovery
        At least one recording, possibly with a fault.

    Raises
    ------
    InputError
        If the folder or its recordings are missing.

    References
    ----------
    Pernet et al. (2019), EEG-BIDS, Scientific Data 6:103.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; dataset.root must be the folder that contains sub-*")
    paths, ignored, linked = {}, [], set()
    for folder in eeg_folders(root):
        if folder.same_as is not None:
            linked.add(folder.path.relative_to(root).parts[0])
            ignored.append(
                f"{folder.path.relative_to(root).as_posix()}: the same folder as "
                f"{folder.same_as.relative_to(root).as_posix()} by a link; its recordings are read once"
            )
            continue
        for name in entries(folder.path):
            path = folder.path / name
            if is_recording(path):
                paths[path.relative_to(root)] = folder.patient
    ignored += unread_folders(root, {path.as_posix() for path in paths}, linked)
    if not paths:
        raise InputError(
            f"{root}: no recordings; expected sub-*/eeg/*_eeg or sub-*/ses-*/eeg/*_eeg with one of the suffixes "
            f"{', '.join(SUFFIXES)}" + "".join(f"; {line}" for line in ignored[:1])
        )
    files: dict[str, list[Path]] = {}
    for path in sorted(paths, key=lambda path: ([normalize_id(part) for part in path.parts], path.parts)):
        files.setdefault(normalize_id(recording_name(path)), []).append(path)
    annotations = annotations or TABLES
    recordings, faults = [], {}
    for name, (first, *others) in files.items():
        path = root / first
        places = locate(path, paths[first], annotations)
        sidecars = find_sidecars(path, root) if annotations.format == "hed" else ()
        events = places[0] if len(places) == 1 else path.with_name(f"{recording_stem(path)}_annotations")
        recordings.append(Recording(name, paths[first], path, events, annotations.format, sidecars))
        fault = _fault(recordings[-1], [root / other for other in others])
        if fault := fault or _annotation_fault(recordings[-1], places, annotations):
            faults[name] = fault
    return Discovery(tuple(recordings), faults, tuple(ignored))


def find_recordings(root: Path | str) -> list[Recording]:
    """Find the recordings of a data set, ordered by patient and name.

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
        If the folder or its recordings are missing, or recordings have faults (see `Discovery`): one line for each.
    """
    found = discover(root)
    found.refuse_faults()
    return list(found.recordings)


def data_files(root: Path, annotations: Annotations | None = None) -> Iterator[Path]:
    """Files of a data set that hold signals or events, in the folders in which recordings are searched.

    Parameters
    ----------
    root
        Folder that contains the `sub-*` folders; a missing folder has no files.
    annotations
        Format and place of the annotations; their files, which may be in other folders, are added.

    Yields
    ------
    Path
        A file, or a link whose target may be missing.
    """
    for folder in eeg_folders(root):
        if folder.same_as is None:
            names = entries(folder.path)
            yield from (folder.path / name for name in names if name.lower().endswith(DATA_SUFFIXES))
    if annotations is not None:
        try:
            recordings = discover(root, annotations).usable
        except InputError:  # its reader reports it
            return
        yield from dict.fromkeys(file for recording in recordings for file in recording.annotation_files)


def _fault(recording: Recording, others: list[Path]) -> str:
    """Reason why a recording can't be used; empty if there is none."""
    path, events = recording.path, recording.events_path
    named = recording.recording.split("_")[0]
    if others:
        return (
            f"{path}: duplicate recording {recording.recording}, also in {', '.join(map(str, others))}; remove one of "
            "the files, or distinguish them by ses- or run-"
        )
    if named != recording.patient:
        return f"{path}: named {named} in the folder of {recording.patient}; rename or move it"
    for file in (path, events):
        if file.is_symlink() and not file.exists():
            return f"{file}: {FETCH}"
        if file.is_dir():
            return f"{file}: a folder, expected a file; replace it by the file, or rename it"
    return ""


def _annotation_fault(recording: Recording, places: list[Path], annotations: Annotations) -> str:
    """Reason why the annotations of a recording can't be read; empty if there is none."""
    path, events = recording.path, recording.events_path
    if len(places) != 1:
        names = ", ".join(file.name for file in places[:4]) + " ..." * (len(places) > 4)
        return (
            f"{path}: expected one file {annotations.file or DEFAULT_FILES[annotations.format]!r} of its annotations, "
            f"found {f'{len(places)} ({names})' if places else 'none'}; correct dataset.annotations.file"
        )
    if events.exists():
        return ""
    if annotations.file is None and events.name.endswith("_events.tsv"):
        return (
            f"{path}: no {events.name} beside it; create it (columns onset, duration, eventType; only the header line "
            "if the recording has no events)"
        )
    return (
        f"{path}: no file {events}, expected its annotations (dataset.annotations, format {annotations.format}); fetch "
        "the file, or correct dataset.annotations.file"
    )
