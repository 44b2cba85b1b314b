"""Conversion of a data set of recordings to the tables and arrays of a study: recordings are read, cut and labeled."""

import hashlib
import logging
import math
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import numpy as np

from eegwf.config.data_paths import DataPaths
from eegwf.data.amplitude import implausible_amplitudes
from eegwf.data.bids import Recording
from eegwf.data.dataset_tables import Parts, events_table, recordings_table, windows_table
from eegwf.data.events import EventRules
from eegwf.data.inspection import Inspection, inspect_dataset
from eegwf.data.opened_recording import open_recording
from eegwf.data.patients import compare_mapping, exclude_advice, lost_ids
from eegwf.data.reading_settings import ReadingSettings
from eegwf.data.seizure_counts import SeizureCounts, count_seizures
from eegwf.data.signals.channel_table import channel_table_path
from eegwf.data.signals.file_names import recording_files
from eegwf.data.signals.signal import FlatChannels
from eegwf.data.start_times import SameStarts, compare_starts
from eegwf.errors import InputError
from eegwf.progress import Progress
from eegwf.storage.files import digest_file, read_json, replacing, write_json, write_table
from eegwf.storage.job_state import state_folder
from eegwf.storage.locks import exclusive_lock
from eegwf.storage.worker_pool import worker_pool

logger = logging.getLogger(__name__)

# Bytes that are copied at once from a part to the array of all windows.
COPY_BYTES = 1 << 24


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
        the last is a float16 array `(n_windows, n_chans, n_times)` in microvolts, each window with its context.
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
    inspection = inspect_dataset(reading)
    starts = compare_starts(inspection.usable, reading.patients)
    _log_findings(inspection, reading, starts)
    if reading.derivations is not None:
        inspection.refuse_unfit(reading.root)
    inspection.refuse_faults(reading.signals)
    recordings = [item.recording for item in inspection.items]
    usable = [item.recording for item in inspection.usable]
    state = state_folder(state_root, "windows", _identity(reading), inspection.requested, code)
    with exclusive_lock(state):
        parts = _read_all(usable, inspection.requested, reading, state, workers)
        for name, note in starts.notes.items():
            parts[name]["notes"].append(note)
        parts |= {name: {"bad": fault} for name, fault in inspection.faults.items()}
        _assemble(recordings, parts, reading, state, output)
        for part in state.glob("*.f2"):
            part.unlink()


def _log_findings(found: Inspection, reading: ReadingSettings, starts: SameStarts) -> None:
    """Log what is not read, entries of `patients` without effect, and patients who may be one person."""
    mapping = compare_mapping(reading.patients, {item.recording.patient for item in found.items})
    for line in mapping.notes:
        logger.info("%s", line)
    for line in (*found.ignored, *mapping.warnings, *starts.warnings):
        logger.warning("warning: %s", line)
    if reading.exclude:
        logger.info("not read, as dataset.exclude: %s", ", ".join(reading.exclude))
    patient_of = [(item.recording.patient, _patient(item.recording, reading)) for item in found.items]
    lost = lost_ids(patient_of, {_patient(item.recording, reading) for item in found.usable})
    if lost and found.usable and reading.signals.on_bad_recording == "exclude":
        line = "warning: no recording of %s can be used; with `folds: leave-one-patient-out`, stop the run and %s"
        logger.warning(line, ", ".join(lost), exclude_advice(lost))


def _patient(recording: Recording, reading: ReadingSettings) -> str:
    return reading.patients.get(recording.patient, recording.patient)


def _identity(reading: ReadingSettings) -> list[Any]:
    sections = (reading.dataset, reading.signals, reading.windows, reading.channels)
    # The order of the aliases decides which channel is taken, but not the JSON.
    order = list(reading.channels.aliases)
    # Recordings that were read remain valid if a patient is excluded, whatever number of seizures is expected.
    values = [section.model_dump(mode="json", exclude={"exclude", "expected_seizures"}) for section in sections]
    return [str(reading.root), *values, order]


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
    files = set(recording_files(path))
    if channel_table_path(path).exists():
        files.add(channel_table_path(path))
    sizes = [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in sorted(files)]
    return [sizes, *(digest_file(file) for file in recording.annotation_files)]


def _read_part(
    recording: Recording, derivations: Sequence[str] | None, reading: ReadingSettings, state: Path
) -> dict[str, Any]:
    """Read a recording, and write its windows and their description to the state folder."""
    notes: list[str] = []
    description: dict[str, Any] = {"stamp": _stamp(recording), "bad": "", "notes": notes}
    try:
        opened = open_recording(recording, derivations, reading, notes)
        with replacing(state / f"{recording.recording}.f2") as file:
            for window in opened.read():
                file.write(window.tobytes())
    except InputError as error:
        if reading.signals.on_bad_recording == "stop" and not isinstance(error, FlatChannels):
            raise
        description["bad"] = str(error)
    else:
        signal, labels, kept = opened.signal, opened.labels, opened.kept
        rules = EventRules.of(reading.dataset)
        description |= {
            "sfreq": signal.sfreq,
            "duration": signal.duration,
            "span": signal.span,
            "n_gaps": len(signal.stretches) - 1,
            "ch_names": list(signal.derivations),
            "dropped": opened.signal.dropped,
            "sd": opened.deviation,
            "quality": list(map(_rounded, astuple(opened.quality))) if opened.quality else [],
            "events": [[event.onset, event.duration, event.label] for event in opened.events],
            "start": labels.start[kept].tolist(),
            "label": [label for label, keep in zip(labels.label, kept, strict=True) if keep],
            "overlap": labels.overlap[kept].tolist(),
            "carried": labels.carried.tolist(),
            **asdict(sum(count_seizures(opened.events, labels.carried, rules).values(), SeizureCounts())),
        }
    write_json(state / f"{recording.recording}.json", description)
    return description


def _rounded(value: float) -> float | None:
    """Value with three decimals, as JSON has it; None for NaN."""
    return None if math.isnan(value) else round(value, 3)


def _note_amplitudes(recordings: Sequence[Recording], parts: Parts, reading: ReadingSettings) -> None:
    """Note implausible amplitudes, or take them for faults."""
    paths = {recording.recording: recording.path for recording in recordings}
    used = {name: part["sd"] for name, part in parts.items() if not part["bad"] and part["start"]}
    found = implausible_amplitudes(used)
    for name, sentence in found.items():
        logger.warning("warning: %s: %s", paths[name], sentence)
    if reading.signals.on_implausible_amplitude == "note":
        for name, sentence in found.items():
            parts[name]["notes"].append(sentence)
        return
    faults = {name: f"{paths[name]}: {sentence}" for name, sentence in found.items()}
    if faults and reading.signals.on_bad_recording == "stop":
        raise InputError("\n       ".join(faults.values()))
    for name, fault in faults.items():
        parts[name]["bad"] = fault


def _assemble(
    recordings: Sequence[Recording], parts: Parts, reading: ReadingSettings, state: Path, output: Path
) -> None:
    """Concatenate the parts to the files of the study without loading the arrays into memory."""
    _note_amplitudes(recordings, parts, reading)
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
    n_times, context = reading.windows.n_stored(first["sfreq"]), reading.windows.n_context(first["sfreq"])
    shape = (n_windows, len(first["ch_names"]), n_times)
    sha = hashlib.sha256()
    paths = DataPaths(output)
    with replacing(paths.windows_array) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
        for recording in good:
            with open(state / f"{recording.recording}.f2", "rb") as part:
                while data := part.read(COPY_BYTES):
                    sha.update(data)
                    file.write(data)
    axes = {"sfreq": first["sfreq"], "n_times": n_times, "ch_names": first["ch_names"], "sha256": sha.hexdigest()}
    write_json(paths.windows_axes, axes | ({"context": context} if context else {}))

    def patient(recording: Recording) -> str:
        return _patient(recording, reading)

    write_table(paths.windows, windows_table(good, parts, patient, reading.windows.length))
    write_table(paths.events, events_table(good, parts))
    table = recordings_table(recordings, parts, patient, reading.root)
    write_table(paths.recordings, table)
    n_seizures, n_unlabeled = table["n_seizures"].sum(), table["n_unlabeled"].sum()
    logger.info("%d annotated seizures, %d of them in no window", n_seizures, n_unlabeled)
