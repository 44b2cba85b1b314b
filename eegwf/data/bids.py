"""Discovery of the recordings of a data set."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eegwf.config.data import Annotations
from eegwf.config.file_layout import FileLayout
from eegwf.config.patients import normalize_id
from eegwf.data.annotations.files import DEFAULT_FILES, further_files, locate
from eegwf.data.bids_folders import eeg_folders, entries, unread_folders
from eegwf.data.file_layout import (
    FoundFile,
    describe_unread,
    find_layout_files,
    identify,
    layout_data_files,
)
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
        Name of the recording: the file name without `_eeg` and suffix (`sub-01_ses-01_task-sz_run-02`), normalized; in
        a folder layout, as from `eegwf.data.file_layout.name_recordings`.
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
        One line for each recording that can't be used, by its name: a link to a missing file, no annotations, no
        patient or a file name of another one, or several files of the same name.
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


def discover(
    root: Path | str,
    annotations: Annotations | None = None,
    layout: FileLayout | None = None,
    exclude: Collection[str] = (),
) -> Discovery:
    """Find the recordings of a data set; faults of single recordings are listed, not raised.

    Without a layout, the files are `*_eeg.edf` and those with the other `SUFFIXES` in `sub-*/eeg/` and
    `sub-*/ses-*/eeg/`.

    Parameters
    ----------
    root
        Folder of the data set, which contains the `sub-*` folders if there is no layout.
    annotations
        Format and place of the annotations; by default, each recording has a table `_events.tsv`.
    layout
        Places of the recordings; None for those of BIDS.
    exclude
        Normalized ids of patients who are not read.

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
        place = "that contains sub-*" if layout is None else "to which dataset.recordings is relative"
        raise InputError(f"{root}: no such folder; dataset.root must be the folder {place}")
    if layout is None:
        found, ignored = _bids_files(root, exclude)
        expected = "sub-*/eeg/*_eeg or sub-*/ses-*/eeg/*_eeg"
    else:
        files = find_layout_files(root, layout, SUFFIXES)
        identified = identify(files, layout.patient)
        ignored = _without_effect(exclude, {file.patient for file in identified.values()}, "patient")
        ignored += describe_unread(files)
        found = _without(identified, exclude)
        expected = f"files {' or '.join(layout.recordings[:4])} (dataset.recordings)"
    if not found:
        raise InputError(
            f"{root}: no recordings; expected {expected} with one of the suffixes {', '.join(SUFFIXES)}"
            + " besides those of the patients in dataset.exclude" * bool(exclude)
            + "".join(f"; {line}" for line in ignored[:1])
        )
    return _described(root, found, annotations or TABLES, ignored)


def _without(found: dict[Path, FoundFile], exclude: Collection[str]) -> dict[Path, FoundFile]:
    return {path: file for path, file in found.items() if file.patient not in exclude}


def _without_effect(exclude: Collection[str], known: set[str], kind: str) -> list[str]:
    return [
        f"dataset.exclude: {patient}: no such {kind} in the data set, so the entry has no effect; correct or remove it"
        for patient in sorted(set(exclude) - known)
    ]


def _bids_files(root: Path, exclude: Collection[str] = ()) -> tuple[dict[Path, FoundFile], list[str]]:
    """Recordings of a BIDS data set by path, and lines about what is not read."""
    names = entries(root)
    found, linked = {}, {name for name in names if normalize_id(name) in exclude}
    ignored = _without_effect(exclude, set(map(normalize_id, names)), "folder")
    for folder in eeg_folders(root, exclude):
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
                recording = normalize_id(recording_name(path))
                named = recording.split("_")[0]
                fault = f"named {named} in the folder of {folder.patient}; rename or move it"
                found[path.relative_to(root)] = FoundFile(
                    recording, folder.patient, fault if named != folder.patient else ""
                )
    return found, ignored + unread_folders(root, {path.as_posix() for path in found}, linked)


def _described(
    root: Path, found: dict[Path, FoundFile], annotations: Annotations, ignored: Sequence[str] = ()
) -> Discovery:
    """Recordings with their annotations and faults."""
    files: dict[str, list[Path]] = {}
    for path in sorted(found, key=lambda path: (found[path].patient, list(map(normalize_id, path.parts)), path.parts)):
        files.setdefault(found[path].recording, []).append(path)
    recordings, faults = [], {}
    for name, (first, *others) in files.items():
        path, patient = root / first, found[first].patient
        places = locate(path, patient, annotations)
        events = places[0] if len(places) == 1 else path.with_name(f"{recording_stem(path)}_annotations")
        sidecars = further_files(path, root, annotations, events)
        recordings.append(Recording(name, patient, path, events, annotations.format, sidecars))
        fault = _fault(recordings[-1], [root / other for other in others], found[first].fault)
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


def data_files(
    root: Path,
    annotations: Annotations | None = None,
    layout: FileLayout | None = None,
    exclude: Collection[str] = (),
) -> Iterator[Path]:
    """Files of a data set that hold signals or events, in the folders in which recordings are searched.

    Parameters
    ----------
    root
        Folder of the data set; a missing folder has no files.
    annotations
        Format and place of the annotations; their files, which may be in other folders, are added.
    layout
        Places of the recordings; None for those of BIDS.
    exclude
        Normalized ids of patients who are not read.

    Yields
    ------
    Path
        A file, or a link whose target may be missing.
    """
    if layout is not None:
        files = find_layout_files(root, layout, SUFFIXES)
        yield from layout_data_files(files, DATA_SUFFIXES)
        identified = _without(identify(files, layout.patient), exclude)
        found = _described(root, identified, annotations) if annotations else None
    else:
        for folder in eeg_folders(root, exclude):
            if folder.same_as is None:
                names = entries(folder.path)
                yield from (folder.path / name for name in names if name.lower().endswith(DATA_SUFFIXES))
        try:
            found = discover(root, annotations, None, exclude) if annotations else None
        except InputError:  # its reader reports it
            found = None
    if found is not None:
        yield from dict.fromkeys(file for recording in found.usable for file in recording.annotation_files)


def _fault(recording: Recording, others: list[Path], fault: str) -> str:
    """Reason why a recording can't be used, which may be the fault of its path; empty if there is none."""
    path, events = recording.path, recording.events_path
    if others:
        return (
            f"{path}: duplicate recording {recording.recording}, also in {', '.join(map(str, others))}; remove or "
            "rename one of the files, in BIDS by ses- or run-"
        )
    if fault:
        return f"{path}: {fault}"
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
