"""From a BIDS root to the tables and arrays of a study: every recording read, cut and labelled."""

import difflib
import glob
import hashlib
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.data import Bids, Signals, Synthetic, Windows
from eegwf.data.bids import Recording, find_recordings
from eegwf.data.events import read_events
from eegwf.data.signals.signal import FlatChannels, common_derivations, header, open_signal
from eegwf.data.windows import label_windows, window_starts
from eegwf.errors import InputError
from eegwf.progress import Progress
from eegwf.storage.files import digest_file, read_json, replacing, write_json, write_table
from eegwf.storage.job_state import state_folder
from eegwf.storage.locks import held
from eegwf.storage.worker_pool import worker_pool

# Seconds of signal in memory at a time; whole windows are cut from it.
BLOCK_SECONDS = 300.0
COPY_BYTES = 1 << 24
FLOAT16_MAX = float(np.finfo(np.float16).max)
EVENT_COLUMNS = ["recording", "onset", "duration", "label"]


@dataclass(frozen=True)
class Reading:
    """How a data set is read: what decides the bytes of its windows."""

    root: Path
    dataset: Bids | Synthetic
    signals: Signals
    windows: Windows
    patients: dict[str, str]


def write_dataset_windows(reading: Reading, output: Path, state_root: Path, workers: int = 1, code: str = "") -> None:
    """Read every recording of a data set and write the study's data tables and arrays.

    Parameters
    ----------
    reading
        What is read, and how.
    output
        Folder that gets `recordings.tsv`, `events.tsv`, `windows.tsv`, `windows.json` and `windows.npy`, a float16
        array `(n_windows, n_chans, n_times)` in microvolts.
    state_root
        Folder of unfinished work: a recording that was read is not read again after a kill.
    workers
        Processes that read; the bytes don't depend on it.
    code
        Digest of the code that reads.

    Raises
    ------
    InputError
        For a bad recording (unless `on_bad_recording: exclude`), if `patients` names one that is not there, or if no
        window is left.
    """
    recordings = find_recordings(reading.root)
    _check_patients(recordings, reading)
    derivations = _derivations(recordings, reading)
    state = state_folder(state_root, "windows", _identity(reading), derivations, code)
    with held(state):
        parts = _read_all(recordings, derivations, reading, state, workers)
        _assemble(recordings, parts, reading, state, output)
        for part in state.glob("*.f2"):
            part.unlink()


def _identity(reading: Reading) -> list[Any]:
    return [
        str(reading.root),
        reading.dataset.model_dump(mode="json"),
        reading.signals.model_dump(mode="json"),
        reading.windows.model_dump(mode="json"),
    ]


def _check_patients(recordings: Sequence[Recording], reading: Reading) -> None:
    """Refuse ids that join nobody: a slip of the pen would leave one person in two folds."""
    known = sorted({recording.patient for recording in recordings})
    for patient, person in reading.patients.items():
        if patient not in known:
            near = difflib.get_close_matches(patient, known, n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"patients are named like {known[0]!r}"
            raise InputError(f"patients: {patient}: no such patient in {reading.root}; {advice}")
        if reading.patients.get(person, person) != person:
            raise InputError(
                f"patients: {patient}: {person}, but {person} is joined to {reading.patients[person]}; "
                f"give {patient} the same name"
            )


def _derivations(recordings: Sequence[Recording], reading: Reading) -> list[str] | None:
    """Derivations of the study where they depend on all recordings' headers; None where the montage fixes them."""
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
        rates = {found.sfreq: found.path for found in reversed(headers)}
        if len(rates) > 1:
            told = ", ".join(f"{path}: {rate:g} Hz" for rate, path in sorted(rates.items()))
            raise InputError(f"signals.sfreq: 'as recorded', but the rates differ ({told}); give one rate in Hz")
    if signals.montage != "as recorded" and signals.missing != "exclude":
        return None
    return common_derivations(headers, signals)


def _read_all(recordings, derivations, reading, state, workers) -> dict[str, dict[str, Any]]:
    """Description of every recording's part, read now or before; the parts stand in the state folder."""
    parts: dict[str, dict[str, Any]] = {}
    waiting = []
    for recording in recordings:
        stamp = _stamp(recording)
        done = state / f"{recording.recording}.json"
        known = read_json(done) if done.exists() else None
        if known and known["stamp"] == stamp and (known["bad"] or (state / f"{recording.recording}.f2").exists()):
            parts[recording.recording] = known
        else:
            waiting.append(recording)
    progress = Progress(f"reading {reading.root}", len(recordings))
    progress.skip(len(parts))
    if workers <= 1 or len(waiting) <= 1:
        for recording in waiting:
            parts[recording.recording] = _read_part(recording, derivations, reading, state)
            progress.step(recording.recording)
        return parts
    with worker_pool(min(workers, len(waiting))) as pool:
        futures = {pool.submit(_read_part, item, derivations, reading, state): item for item in waiting}
        try:
            for future in as_completed(futures):
                recording = futures[future].recording
                parts[recording] = future.result()
                progress.step(recording)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return parts


def _stamp(recording: Recording) -> list[Any]:
    """What tells that a recording has not changed: size and time of its files, digest of the events."""
    path = Path(recording.path)
    # A BrainVision header has its samples in a file beside it.
    files = [file for file in sorted(path.parent.glob(f"{glob.escape(path.stem)}.*")) if file.exists()]
    sizes = [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    return [sizes, digest_file(recording.events_path)]


def _read_part(recording: Recording, derivations, reading: Reading, state: Path) -> dict[str, Any]:
    """Read one recording and leave its windows in the state folder."""
    path = Path(recording.path)
    notes: list[str] = []
    description: dict[str, Any] = {"stamp": _stamp(recording), "bad": "", "notes": notes}
    try:
        signal = open_signal(path, reading.signals, derivations)
        if signal.recorded_sfreq != signal.sfreq:
            notes.append(f"recorded at {signal.recorded_sfreq:g} Hz and resampled")
        if signal.flat:
            notes.append(f"flat from start to end: {', '.join(signal.flat)} (signals.flat: {reading.signals.flat})")
        ignored = getattr(reading.dataset, "ignored_events", [])
        events = read_events(recording.events_path, signal.duration, reading.dataset.event_types, ignored, notes)
        length = round(reading.windows.length * signal.sfreq)
        step = max(round(reading.windows.step * signal.sfreq), 1)
        starts = window_starts(signal.n_times, length, step)
        labelled = label_windows(starts, signal.sfreq, events, reading.windows, reading.dataset.unannotated)
        keep = np.array([reading.windows.borderline == "keep" or label != "" for label in labelled.label], dtype=bool)
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
            "label": [label for label, kept in zip(labelled.label, keep, strict=True) if kept],
            "overlap": labelled.overlap[keep].tolist(),
        }
    write_json(state / f"{recording.recording}.json", description)
    return description


def _write_windows(output: Path, path: Path, signal, starts: np.ndarray, length: int) -> None:
    """Write windows `(len(starts), n_chans, length)` as bare float16, the signal read block by block."""
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
                    f"beyond {FLOAT16_MAX:g}; is the unit in its header wrong?"
                )
            block = block.astype(np.float16)
            for start in starts[row:last]:
                file.write(np.ascontiguousarray(block[:, start - begin : start - begin + length]).tobytes())
            row = last


def _assemble(recordings, parts, reading: Reading, state: Path, output: Path) -> None:
    """Join the parts into the study's files; the arrays are streamed."""
    good = [recording for recording in recordings if not parts[recording.recording]["bad"]]
    n_windows = sum(len(parts[recording.recording]["start"]) for recording in good)
    if not good:
        reason = parts[recordings[0].recording]["bad"]
        raise InputError(f"{reading.root}: all {len(recordings)} recording(s) are left out; the first: {reason}")
    if not n_windows:
        raise InputError(f"{reading.root}: no window of {reading.windows.length:g} s in {len(recordings)} recording(s)")
    first = parts[good[0].recording]
    length = round(reading.windows.length * first["sfreq"])
    shape = (n_windows, len(first["ch_names"]), length)
    sha = hashlib.sha256()
    with replacing(output / "windows.npy") as file:
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for recording in good:
            with open(state / f"{recording.recording}.f2", "rb") as part:
                while data := part.read(COPY_BYTES):
                    sha.update(data)
                    file.write(data)
    write_json(
        output / "windows.json",
        {"sfreq": first["sfreq"], "n_times": length, "ch_names": first["ch_names"], "sha256": sha.hexdigest()},
    )
    write_table(output / "windows.tsv", _windows_table(good, parts, reading))
    events = [[recording.recording, *event] for recording in good for event in parts[recording.recording]["events"]]
    write_table(output / "events.tsv", pd.DataFrame(events, columns=EVENT_COLUMNS))
    write_table(output / "recordings.tsv", _recordings_table(recordings, parts, reading))


def _patient(recording: Recording, reading: Reading) -> str:
    return reading.patients.get(recording.patient, recording.patient)


def _windows_table(good, parts, reading: Reading) -> pd.DataFrame:
    rows = []
    for recording in good:
        part = parts[recording.recording]
        for start, label, overlap in zip(part["start"], part["label"], part["overlap"], strict=True):
            rows.append([recording.recording, _patient(recording, reading), start / part["sfreq"], label, overlap])
    table = pd.DataFrame(rows, columns=["recording", "patient", "onset", "label", "overlap"])
    table.insert(0, "window", range(len(table)))
    table.insert(4, "duration", reading.windows.length)
    return table


def _recordings_table(recordings, parts, reading: Reading) -> pd.DataFrame:
    rows = []
    for recording in recordings:
        part = parts[recording.recording]
        path = Path(recording.path).relative_to(reading.root).as_posix()
        described = [recording.recording, _patient(recording, reading), path]
        if part["bad"]:
            rows.append([*described, None, None, None, None, part["bad"], ""])
        else:
            counts = [len(part["ch_names"]), len(part["events"])]
            rows.append([*described, part["sfreq"], part["duration"], *counts, "", "; ".join(part["notes"])])
    columns = ["recording", "patient", "path", "sfreq", "duration", "n_chans", "n_events", "excluded", "notes"]
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"n_chans": "Int64", "n_events": "Int64"})
