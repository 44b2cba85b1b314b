"""Conversion of a BIDS data set to the tables and arrays of a study: recordings are read, cut and labeled."""

import glob
import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eegwf.config.data import Annotations, Bids, Signals, Synthetic, Windows
from eegwf.config.paths import DataPaths
from eegwf.data.annotations.reading import recording_events
from eegwf.data.bids import Discovery, Recording, discover
from eegwf.data.dataset_tables import Parts, events_table, recordings_table, windows_table
from eegwf.data.events import EventRules
from eegwf.data.patients import compare_mapping
from eegwf.data.seizure_counts import SeizureCounts, count_seizures
from eegwf.data.signals.brainvision_files import companion_files
from eegwf.data.signals.signal import FlatChannels, Signal, common_derivations, header, open_signal
from eegwf.data.windows import label_windows, window_starts
from eegwf.errors import InputError
from eegwf.progress import Progress
from eegwf.storage.files import digest_file, read_json, replacing, write_json, write_table
from eegwf.storage.job_state import state_folder
from eegwf.storage.locks import exclusive_lock
from eegwf.storage.worker_pool import worker_pool

logger = logging.getLogger(__name__)

# Seconds of signal that are read into memory at once; windows are cut from such a block.
BLOCK_SECONDS = 300.0
# Bytes that are copied at once from a part to the array of all windows.
COPY_BYTES = 1 << 24
FLOAT16_MAX = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class ReadingSettings:
    """Settings on which the windows of a data set depend.

    Attributes
    ----------
    root
        Root of the BIDS data set.
    dataset
        Event types, and the event type of time without an event.
    signals
        Montage, filters, sampling rate, and the treatment of bad recordings.
    windows
        Length and step of the windows, and the rules for their labels.
    patients
        Name of the patient for each `sub-*` that is a second identifier of the same person.
    """

    root: Path
    dataset: Bids | Synthetic
    signals: Signals
    windows: Windows
    patients: dict[str, str]

    @property
    def annotations(self) -> Annotations | None:
        """Format and place of the annotations; None for tables of events beside the recordings."""
        return self.dataset.annotations if isinstance(self.dataset, Bids) else None


def write_dataset_windows(
    reading: ReadingSettings, output: Path, state_root: Path, workers: int = 1, code: str = ""
) -> None:
    """Read every recording of a data set and write the study's data tables and arrays.

    Parameters
    ----------
    reading
        Data set and settings.
    output
        Folder in which `recordings.tsv`, `events.tsv`, `windows.tsv`, `windows.json` and `windows.npy` are written;
        the last is a float16 array `(n_windows, n_chans, n_times)` in microvolts.
    state_root
        Folder of unfinished work: after an interruption, recordings that were already read are not read again.
    workers
        Number of reader processes; the results do not depend on it.
    code
        Digest of the code; results of other code are not reused.

    Raises
    ------
    InputError
        If a recording can't be used (unless `on_bad_recording: exclude`), or there are no windows.
    """
    found = discover(reading.root, reading.annotations)
    _log_findings(found, reading)
    if reading.signals.on_bad_recording == "stop":
        found.refuse_faults()
    derivations = _derivations(found.usable, reading)
    state = state_folder(state_root, "windows", _identity(reading), derivations, code)
    with exclusive_lock(state):
        parts = _read_all(found.usable, derivations, reading, state, workers)
        parts |= {name: {"bad": fault} for name, fault in found.faults.items()}
        _assemble(found.recordings, parts, reading, state, output)
        for part in state.glob("*.f2"):
            part.unlink()


def _log_findings(found: Discovery, reading: ReadingSettings) -> None:
    """Log what is not read, and entries of `patients` without effect."""
    mapping = compare_mapping(reading.patients, {recording.patient for recording in found.recordings})
    for line in mapping.notes:
        logger.info("%s", line)
    for line in (*found.ignored, *mapping.warnings):
        logger.warning("warning: %s", line)


def _identity(reading: ReadingSettings) -> list[Any]:
    sections = (reading.dataset, reading.signals, reading.windows)
    return [str(reading.root), *(section.model_dump(mode="json") for section in sections)]


def _derivations(recordings: Sequence[Recording], reading: ReadingSettings) -> list[str] | None:
    """Derivations of the study if they depend on the headers of all recordings; None if the montage defines them."""
    signals = reading.signals
    if signals.montage != "as recorded" and signals.missing != "exclude" and signals.sfreq != "as recorded":
        return None
    headers = []
    for recording in recordings:
        try:
            headers.append(header(recording.path))
        except InputError:
            if signals.on_bad_recording == "stop":
                raise
    if signals.sfreq == "as recorded":
        rates = {head.sfreq: head.path for head in reversed(headers)}
        if len(rates) > 1:
            examples = ", ".join(f"{path}: {rate:g} Hz" for rate, path in sorted(rates.items()))
            raise InputError(f"signals.sfreq: 'as recorded', but the rates differ ({examples}); set one rate in Hz")
    if not headers or (signals.montage != "as recorded" and signals.missing != "exclude"):
        return None
    return common_derivations(headers, signals)


def _read_all(
    recordings: Sequence[Recording],
    derivations: Sequence[str] | None,
    reading: ReadingSettings,
    state: Path,
    workers: int,
) -> Parts:
    """Read the recordings that have no valid part in the state folder; return the descriptions of all parts."""
    parts: Parts = {}
    pending = []
    for recording in recordings:
        stamp = _stamp(recording)
        path = state / f"{recording.recording}.json"
        part = read_json(path) if path.exists() else None
        if part and part["stamp"] == stamp and (part["bad"] or (state / f"{recording.recording}.f2").exists()):
            parts[recording.recording] = part
        else:
            pending.append(recording)
    progress = Progress(f"reading {reading.root}", len(recordings))
    progress.skip(len(parts))
    if workers <= 1 or len(pending) <= 1:
        for recording in pending:
            parts[recording.recording] = _read_part(recording, derivations, reading, state)
            progress.step(recording.recording)
        return parts
    with worker_pool(min(workers, len(pending))) as pool:
        futures = {pool.submit(_read_part, item, derivations, reading, state): item for item in pending}
        try:
            for future in as_completed(futures):
                name = futures[future].recording
                parts[name] = future.result()
                progress.step(name)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return parts


def _stamp(recording: Recording) -> list[Any]:
    """Stamp that changes with the recording: size and time of its files, and the digests of its annotations."""
    path = Path(recording.path)
    # BrainVision stores the samples in another file, usually but not always with the same stem.
    files = {file for file in path.parent.glob(f"{glob.escape(path.stem)}.*") if file.exists()}
    if path.suffix.lower() == ".vhdr":
        files.update(companion_files(path))
    sizes = [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in sorted(files)]
    return [sizes, *(digest_file(file) for file in recording.annotation_files)]


def _read_part(
    recording: Recording, derivations: Sequence[str] | None, reading: ReadingSettings, state: Path
) -> dict[str, Any]:
    """Read a recording, and write its windows and their description to the state folder."""
    path = Path(recording.path)
    notes: list[str] = []
    description: dict[str, Any] = {"stamp": _stamp(recording), "bad": "", "notes": notes}
    try:
        signal = open_signal(path, reading.signals, derivations)
        notes.extend(signal.notes)
        if signal.recorded_sfreq != signal.sfreq:
            notes.append(f"recorded at {signal.recorded_sfreq:g} Hz and resampled")
        if signal.flat:
            notes.append(f"flat from start to end: {', '.join(signal.flat)} (signals.flat: {reading.signals.flat})")
        rules = EventRules.of(reading.dataset)
        events = recording_events(recording, signal.duration, rules, notes)
        length = reading.windows.n_times(signal.sfreq)
        starts = window_starts(signal.n_times, length, reading.windows.n_step(signal.sfreq))
        labeled = label_windows(
            starts, signal.sfreq, events, reading.windows, reading.dataset.unannotated, rules.event_types
        )
        keep = np.array([reading.windows.borderline == "keep" or label != "" for label in labeled.label], dtype=bool)
        _write_windows(state / f"{recording.recording}.f2", path, signal, starts[keep], length)
    except InputError as error:
        if reading.signals.on_bad_recording == "stop" and not isinstance(error, FlatChannels):
            raise
        description["bad"] = str(error)
    else:
        description |= {
            "sfreq": signal.sfreq,
            "duration": signal.duration,
            "ch_names": list(signal.derivations),
            "events": [[event.onset, event.duration, event.label] for event in events],
            "start": starts[keep].tolist(),
            "label": [label for label, kept in zip(labeled.label, keep, strict=True) if kept],
            "overlap": labeled.overlap[keep].tolist(),
            "carried": labeled.carried.tolist(),
            **asdict(sum(count_seizures(events, labeled.carried, rules).values(), SeizureCounts())),
        }
    write_json(state / f"{recording.recording}.json", description)
    return description


def _write_windows(output: Path, path: Path, signal: Signal, starts: np.ndarray, length: int) -> None:
    """Write windows `(len(starts), n_chans, length)` as raw float16; the signal is read block by block."""
    span = max(int(BLOCK_SECONDS * signal.sfreq), length)
    row = 0
    with replacing(output) as file:
        while row < len(starts):
            last = int(np.searchsorted(starts, starts[row] + span - length, side="right"))
            begin, end = int(starts[row]), int(starts[last - 1]) + length
            block = signal.read(begin, end)
            peak = float(np.abs(block).max())
            if not peak < FLOAT16_MAX:
                raise InputError(
                    f"{path}: {peak:g} microvolts between {begin / signal.sfreq:g} s and {end / signal.sfreq:g} s, "
                    f"beyond {FLOAT16_MAX:g}; check the unit in its header"
                )
            block = block.astype(np.float16)
            for start in starts[row:last]:
                file.write(np.ascontiguousarray(block[:, start - begin : start - begin + length]).tobytes())
            row = last


def _assemble(
    recordings: Sequence[Recording], parts: Parts, reading: ReadingSettings, state: Path, output: Path
) -> None:
    """Concatenate the parts to the files of the study without loading the arrays into memory."""
    good = [recording for recording in recordings if not parts[recording.recording]["bad"]]
    n_windows = sum(len(parts[recording.recording]["start"]) for recording in good)
    if not good:
        reason = parts[recordings[0].recording]["bad"]
        raise InputError(f"{reading.root}: all {len(recordings)} recording(s) are left out; the first: {reason}")
    if not n_windows:
        raise InputError(
            f"{reading.root}: no window of {reading.windows.length:g} s in {len(recordings)} recording(s); shorten "
            "windows.length"
        )
    first = parts[good[0].recording]
    length = reading.windows.n_times(first["sfreq"])
    shape = (n_windows, len(first["ch_names"]), length)
    sha = hashlib.sha256()
    paths = DataPaths(output)
    with replacing(paths.windows_array) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
        for recording in good:
            with open(state / f"{recording.recording}.f2", "rb") as part:
                while data := part.read(COPY_BYTES):
                    sha.update(data)
                    file.write(data)
    write_json(
        paths.windows_axes,
        {"sfreq": first["sfreq"], "n_times": length, "ch_names": first["ch_names"], "sha256": sha.hexdigest()},
    )

    def patient(recording: Recording) -> str:
        return reading.patients.get(recording.patient, recording.patient)

    write_table(paths.windows, windows_table(good, parts, patient, reading.windows.length))
    write_table(paths.events, events_table(good, parts))
    table = recordings_table(recordings, parts, patient, reading.root)
    write_table(paths.recordings, table)
    n_seizures, n_unlabeled = table["n_seizures"].sum(), table["n_unlabeled"].sum()
    logger.info("%d annotated seizures, %d of them in no window", n_seizures, n_unlabeled)
