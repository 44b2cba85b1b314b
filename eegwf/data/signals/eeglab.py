"""Recordings of EEGLAB: a file of MATLAB, which contains the samples or names a file `.fdt` with them."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from eegwf.data.signals.brainvision_files import named_file
from eegwf.data.signals.compressed import CompressedVariableSamples
from eegwf.data.signals.file_header import FileHeader
from eegwf.data.signals.matlab import StoredArray, read_variables
from eegwf.data.signals.samples import BrainVisionSamples, Samples
from eegwf.data.signals.stretches import Stretch, describe_pauses
from eegwf.errors import InputError

__all__ = ["read_eeglab_header"]

_WANTED = frozenset({
    "EEG", "ALLEEG", "nbchan", "trials", "pnts", "srate", "data", "chanlocs", "event", "labels", "type", "latency",
    "duration",
})  # fmt: skip


def read_eeglab_header(path: Path) -> FileHeader:
    """Read and check the header of an EEGLAB recording, and the size of its samples.

    Parameters
    ----------
    path
        File `.set`.

    Returns
    -------
    FileHeader
        In microvolts, as EEGLAB's convention has it. The events `boundary` are pauses, which onsets do not contain.

    Raises
    ------
    InputError
        If the file is invalid, of MATLAB 7.3 or contains epochs, or if its samples are missing or cut off.
    """
    with open(path, "rb") as file:
        begin = file.read(520)
    if not begin:
        raise InputError(f"{path}: empty; fetch or export it again")
    if begin.startswith(b"MATLAB 7.3") or begin[512:520] == b"\x89HDF\r\n\x1a\n" or begin[:4] == b"\x89HDF":
        raise InputError(
            f"{path}: a file of MATLAB 7.3, which can't be read; save it again in EEGLAB, with the option to save "
            "files of version 7.3 switched off (pop_saveset with 'version', '6')"
        )
    variables = read_variables(path, _WANTED, "data")
    eeg = variables
    for _ in range(2):  # some files contain the struct within a struct of the same name
        if isinstance(eeg.get("EEG"), list) and eeg["EEG"]:
            eeg = eeg["EEG"][0]
    if "data" not in eeg or "srate" not in eeg:
        found = ", ".join(variables) or "nothing"
        raise InputError(f"{path}: found {found}, expected the fields data and srate of an EEG; save it in EEGLAB")
    sfreq, n_channels, n_times = (_number(path, eeg, key) for key in ("srate", "nbchan", "pnts"))
    if _number(path, {"trials": None} | eeg, "trials", 1) != 1:
        raise InputError(f"{path}: {eeg['trials'].item():g} epochs, expected a continuous recording; remove it")
    names, types = _channels(path, eeg.get("chanlocs"), int(n_channels))
    samples, notes = _samples(path, eeg["data"], int(n_channels), int(n_times))
    edges = _boundaries(eeg.get("event"), int(n_times))
    stretches = tuple(Stretch(start, stop, start / sfreq) for start, stop in pairwise([0, *edges, int(n_times)]))
    paused = describe_pauses({edge: 0.0 for edge in edges}, sfreq)
    return FileHeader(
        sfreq=sfreq,
        n_times=int(n_times),
        names=names,
        units=("µV",) * len(names),
        samples=samples,
        faults=("",) * len(names),
        notes=(*notes, *((paused,) if paused else ())),
        stretches=stretches,
        not_eeg=frozenset(index for index, kind in enumerate(types) if kind == "stim"),
    )


def _scalar(value: Any) -> float:
    """The number of an array with one element; NaN for anything else."""
    return float(value.item()) if isinstance(value, np.ndarray) and value.size == 1 else math.nan


def _number(path: Path, fields: dict[str, Any], key: str, default: float = math.nan) -> float:
    value = default if fields.get(key) is None else _scalar(fields[key])
    if not 0 < value < 1e12 or (key != "srate" and value != int(value)):
        raise InputError(f"{path}: invalid header: {key} is {value:g}, not a positive number; save it again in EEGLAB")
    return value


def _channels(path: Path, chanlocs: Any, n_channels: int) -> tuple[tuple[str, ...], list[str]]:
    """Names and types of the channels."""
    places = [place for place in chanlocs if isinstance(place, dict)] if isinstance(chanlocs, list) else []
    if n_channels > 100_000 or (places and len(places) != n_channels):
        raise InputError(
            f"{path}: invalid header: nbchan is {n_channels}, chanlocs has {len(places)} channels; save it again in "
            "EEGLAB"
        )
    if not places:
        return tuple(f"Ch{number}" for number in range(1, n_channels + 1)), [""] * n_channels
    labels = [place.get("labels") for place in places]
    names = tuple(label if isinstance(label, str) else f"Ch{number}" for number, label in enumerate(labels, start=1))
    return names, [str(place.get("type")).strip().lower() for place in places]


def _samples(path: Path, data: Any, n_channels: int, n_times: int) -> tuple[Samples, tuple[str, ...]]:
    """Reader of the samples, and a note if their file has another name than in the header."""
    scales = (1.0,) * n_channels
    if isinstance(data, StoredArray):
        if data.shape != (n_channels, n_times):
            raise InputError(
                f"{path}: samples of shape {data.shape}, expected {(n_channels, n_times)} (nbchan, pnts); save it "
                "again in EEGLAB"
            )
        if data.stream is None:
            return BrainVisionSamples(path, data.dtype, n_times, False, scales, data.position), ()
        return CompressedVariableSamples(path, data.dtype, n_times, False, scales, data.position, data.stream), ()
    if not isinstance(data, str) or not data.strip():
        raise InputError(f"{path}: its field data is neither numbers nor the name of a file; save it again in EEGLAB")
    if not data.strip().lower().endswith(".fdt"):
        raise InputError(f"{path}: its samples are in {data.strip()!r}, expected a file .fdt; save it again in EEGLAB")
    file = named_file(path, data.strip())
    notes: tuple[str, ...] = ()
    if file is None or not file.is_file():
        renamed = path.with_suffix(".fdt")
        if not renamed.is_file():
            raise InputError(f"{path}: its data file {data.strip()} is not beside it; fetch it")
        file, notes = renamed, (f"names the data file {data.strip()}; {renamed.name} is read",)
    expected = n_channels * n_times * 4
    if file.stat().st_size != expected:
        raise InputError(
            f"{file}: {file.stat().st_size} bytes, expected {expected} for {n_channels} channels and {n_times} samples "
            f"({path.name}); fetch or export it again"
        )
    return BrainVisionSamples(file, "<f4", n_times, False, scales), notes


def _boundaries(events: Any, n_times: int) -> list[int]:
    """First samples after the events `boundary`, whose latency is counted from 1 and often between two samples."""
    found: set[int] = set()
    for event in events if isinstance(events, Sequence) and not isinstance(events, str) else ():
        if isinstance(event, dict) and str(event.get("type")).strip().lower() == "boundary":
            latency = _scalar(event.get("latency"))
            if math.isfinite(latency):
                found.add(math.ceil(round(latency, 3) - 1))
    return sorted(start for start in found if 0 < start < n_times)
