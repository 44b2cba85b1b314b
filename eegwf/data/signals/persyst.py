"""Recordings of Persyst: a layout file `.lay`, and a file of multiplexed integers.

MNE's reader is not used, because it requires the birth date of the patient, and ignores `HeaderLength`, the numbers in
`[ChannelMap]` and the times in `[SampleTimes]`.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from eegwf.data.signals.brainvision_files import decode_text, named_file, read_number
from eegwf.data.signals.file_header import FileHeader
from eegwf.data.signals.samples import BrainVisionSamples
from eegwf.data.signals.stretches import Stretch, describe_pauses
from eegwf.errors import InputError

__all__ = ["named_data_file", "read_persyst_header"]

_DTYPES = {"0": "<i2", "7": "<i4"}
_DAY = 86400.0
# Seconds by which clock and sampling rate may differ between two times without a pause.
MAX_DRIFT = 0.5
Section = dict[str, str]


def named_data_file(path: Path) -> Path | None:
    """The data file that a layout file names, if it exists."""
    try:
        file = named_file(path, _section(_sections(path), "fileinfo").get("file", ""))
    except OSError:
        return None
    return file if file is not None and file.is_file() else None


def read_persyst_header(path: Path) -> FileHeader:
    """Read and check the layout file of a Persyst recording, and the size of its data file.

    Parameters
    ----------
    path
        The layout file (`.lay`).

    Returns
    -------
    FileHeader
        Onsets do not contain the pauses, which follow from `[SampleTimes]`.

    Raises
    ------
    InputError
        If the layout is invalid, or the data file is missing or empty.
    """
    sections = _sections(path)
    info = _section(sections, "fileinfo")
    if not info:
        raise InputError(f"{path}: not a Persyst layout (no section [FileInfo]); fetch or export it again")
    sfreq = read_number(path, info, "SamplingRate", 1e-3)
    n_channels = int(read_number(path, info, "WaveformCount", 1, 100_000, whole=True))
    offset = int(read_number(path, {"headerlength": "0"} | info, "HeaderLength", whole=True))
    gain = read_number(path, info, "Calibration", 1e-12)
    for key, expected in (("FileType", ("interleaved",)), ("DataType", tuple(_DTYPES))):
        value = info.get(key.lower(), "interleaved" if key == "FileType" else "").lower()
        if value not in expected:
            raise InputError(f"{path}: {key} is {value!r}, not {' or '.join(expected)}; export it again")
    names = _names(path, sections.get("channelmap", []), n_channels)
    data = named_file(path, info.get("file", ""))
    if data is None or not data.is_file():
        named = data.name if data else "File="
        raise InputError(f"{path}: its data file {named} is not beside it; fetch it, or correct File= in [FileInfo]")
    dtype = np.dtype(_DTYPES[info["datatype"]])
    n_times, rest = divmod(max(data.stat().st_size - offset, 0), dtype.itemsize * n_channels)
    if n_times == 0:
        raise InputError(f"{data}: empty; fetch or export it again")
    if rest:
        raise InputError(
            f"{data}: cut off: {data.stat().st_size - offset} bytes are not a whole number of samples of {n_channels} "
            "channels; fetch or export it again"
        )
    samples = BrainVisionSamples(data, dtype.str, n_times, False, (gain,) * n_channels, offset)
    stretches, notes = _stretches(_times(sections.get("sampletimes", [])), n_times, sfreq, data.name)
    units, faults = ("µV",) * n_channels, ("",) * n_channels
    return FileHeader(sfreq, n_times, names, units, samples, faults, notes, stretches)


def _sections(path: Path) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Keys and values of each section, whose name is in lower case, in the order of the file."""
    sections: dict[str, list[tuple[str, str]]] = {}
    section: list[tuple[str, str]] = []
    for line in decode_text(path.read_bytes()).splitlines():
        line = line.strip(" \t\0\ufeff")
        if re.fullmatch(r"\[.+\]", line):
            section = sections.setdefault(line[1:-1].strip().lower(), [])
        elif "=" in line:
            key, value = line.split("=", maxsplit=1)
            section.append((key.strip(), value.strip()))
    return sections


def _section(sections: Mapping[str, Sequence[tuple[str, str]]], name: str) -> Section:
    return {key.lower(): value for key, value in sections.get(name, [])}


def _names(path: Path, lines: Sequence[tuple[str, str]], n_channels: int) -> tuple[str, ...]:
    """Names of the channels in the order of the data file."""
    numbered = {int(number): name for name, number in lines if re.fullmatch(r"[0-9]{1,6}", number)}
    if sorted(numbered) != list(range(1, n_channels + 1)) or len(lines) != n_channels:
        raise InputError(
            f"{path}: invalid header: [ChannelMap] has {len(lines)} channels, expected name=1 to name={n_channels} "
            "(WaveformCount); export it again"
        )
    return tuple(numbered[number] for number in range(1, n_channels + 1))


def _times(lines: Sequence[tuple[str, str]]) -> list[tuple[int, float]]:
    """Samples whose time is known, and these times in seconds of the day."""
    number = r"[0-9]{1,12}(?:\.[0-9]*)?"
    return [(int(float(key)), float(value)) for key, value in lines
            if re.fullmatch(number, key) and re.fullmatch(number, value)]  # fmt: skip


def _stretches(
    times: Sequence[tuple[int, float]], n_times: int, sfreq: float, name: str
) -> tuple[tuple[Stretch, ...], tuple[str, ...]]:
    """Stretches between pauses, which are steps of the clock, and notes."""
    whole = (Stretch(0, n_times, 0.0),)
    if times and max(sample for sample, _ in times) >= n_times:
        return whole, (
            f"[SampleTimes] has times after the {n_times} samples in {name}, which is a clip or cut off; pauses are "
            "not known",
        )
    pauses = {}
    for (before, began), (after, resumed) in pairwise(sorted(times)):
        elapsed = resumed - began + _DAY * (resumed - began < -_DAY / 2)  # midnight
        pause = elapsed - (after - before) / sfreq
        if after > before and pause > MAX_DRIFT:
            pauses[after] = pause
    if not pauses:
        return whole, ()
    edges = [0, *pauses, n_times]
    stretches = tuple(Stretch(start, stop, start / sfreq) for start, stop in pairwise(edges) if stop > start)
    return stretches, (describe_pauses(pauses, sfreq),)
