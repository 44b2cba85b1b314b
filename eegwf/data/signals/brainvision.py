"""Headers and markers of BrainVision recordings."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from eegwf.data.signals.brainvision_files import (
    Sections,
    Segment,
    decode_text,
    named_file,
    parse_date,
    parse_float,
    read_number,
    read_sections,
    read_segments,
)
from eegwf.data.signals.brainvision_text import TextSamples
from eegwf.data.signals.file_header import FileHeader
from eegwf.data.signals.samples import BrainVisionSamples, Samples
from eegwf.data.signals.stretches import Stretch, describe_pauses
from eegwf.data.signals.units import microvolts_of
from eegwf.errors import InputError

__all__ = ["read_brainvision_header"]

_FORMATS = {"INT_16": "i2", "INT_32": "i4", "UINT_16": "u2", "IEEE_FLOAT_32": "f4", "IEEE_FLOAT_64": "f8"}


def read_brainvision_header(path: Path) -> FileHeader:
    """Read and check the header of a BrainVision recording, the size of its data file, and its segments.

    Parameters
    ----------
    path
        The header file (`.vhdr`).

    Returns
    -------
    FileHeader

    Raises
    ------
    InputError
        If the header is empty or invalid, or the data file is missing, empty, or not of the declared length. Markers
        other than the beginnings of segments are not read, and a marker file that can't be read is a note.

    References
    ----------
    Brain Products (2019), BrainVision Core Data Format 1.0.
    """
    content = path.read_bytes()
    if not content.strip():
        raise InputError(f"{path}: empty; fetch or export it again")
    text = decode_text(content)
    if not re.match(r"\s*brain\s?vision[^\n]*header", text, re.IGNORECASE):
        raise InputError(f"{path}: not a BrainVision header (begins with {text[:20]!r}); fetch or export it again")
    sections = read_sections(text)
    common = sections.get("common infos", {})
    n_channels = int(read_number(path, common, "NumberOfChannels", 1, 100_000, whole=True))
    sfreq = 1e6 / read_number(path, common, "SamplingInterval", 1e-3, 1e12)
    names, units, scales, faults = _channels(path, sections.get("channel infos", {}), n_channels)
    data = named_file(path, common.get("datafile", ""))
    if data is None or not data.is_file():
        named = data.name if data else "DataFile="
        others = [file.name for file in map(path.with_suffix, (".eeg", ".dat", ".avg", ".seg")) if file.is_file()]
        advice = f"set DataFile={others[0]} if that is its name now" if others else "correct DataFile="
        raise InputError(f"{path}: its data file {named} is not beside it; fetch it, or {advice}")
    samples, n_times, rest = _samples(path, data, sections, scales)
    if n_times == 0:
        raise InputError(f"{data}: empty; fetch or export it again")
    declared = common.get("datapoints", "")
    if declared.isdecimal() and int(declared) not in (0, n_times):
        raise InputError(
            f"{data}: cut off or too long: {path.name} declares {declared} samples, the file contains {n_times}; "
            "fetch or export it again"
        )
    segments, notes = read_segments(path, common.get("markerfile", ""))
    if rest:
        notes += (f"{data.name}: its last {rest} bytes are not a whole sample of all channels and are not read",)
    stretches, pauses = _stretches(segments, n_times, sfreq)
    started = next((parse_date(segment.date) for segment in segments if segment.start == 0), None)
    return FileHeader(sfreq, n_times, names, units, samples, faults, notes + pauses, stretches, started=started)


def _stretches(segments: Sequence[Segment], n_times: int, sfreq: float) -> tuple[tuple[Stretch, ...], tuple[str, ...]]:
    """Stretches of a recording, and a note about its pauses, whose length follows from the dates of the segments."""
    dates = {segment.start: parse_date(segment.date) for segment in segments if segment.start < n_times}
    starts = sorted({0, *dates})
    stretches = tuple(
        Stretch(start, stop, start / sfreq) for start, stop in zip(starts, [*starts[1:], n_times], strict=True)
    )
    pauses = {}
    for before, after in pairwise(starts):
        began, resumed = dates.get(before), dates.get(after)
        elapsed = (resumed - began).total_seconds() if began and resumed else 0.0
        pauses[after] = elapsed - (after - before) / sfreq
    return stretches, (describe_pauses(pauses, sfreq),) * bool(pauses)


def _channels(
    path: Path, section: Mapping[str, str], n_channels: int
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[float, ...], tuple[str, ...]]:
    """Names, units, scales and faults of the channels, from lines `Ch1=name,reference,resolution,unit`."""
    numbers = [number for number in range(1, n_channels + 1) if f"ch{number}" in section]
    if not numbers:
        raise InputError(f"{path}: invalid header: no channel in its section [Channel Infos]; export it again")
    names, units = [f"Ch{number}" for number in range(1, n_channels + 1)], ["n/a"] * n_channels
    scales, faults = [math.nan] * n_channels, [f"{path}: no line {name}= in [Channel Infos]" for name in names]
    for number in numbers:
        cells = [cell.strip() for cell in section[f"ch{number}"].split(",")]
        if len(cells) > 3 and cells[2].isdecimal() and cells[3].isdecimal():  # a decimal comma
            cells[2:4] = [f"{cells[2]}.{cells[3]}"]
        name, _, resolution, unit = [*cells, *[""] * 4][:4]
        index = number - 1
        names[index] = name.replace("\\1", ",")
        units[index] = unit or "µV"  # the specification's unit of a channel without one
        factor = microvolts_of(units[index])
        scales[index] = parse_float(resolution or "1") * (1.0 if math.isnan(factor) else factor)
        valid = math.isfinite(scales[index]) and scales[index] != 0
        faults[index] = "" if valid else (
            f"{path}: invalid header: resolution of {name!r} is {resolution!r}, so its samples can't be scaled; "
            "export it again"
        )  # fmt: skip
    return tuple(names), tuple(units), tuple(scales), tuple(faults)


def _samples(path: Path, data: Path, sections: Sections, scales: tuple[float, ...]) -> tuple[Samples, int, int]:
    """Reader of the samples, samples of each channel, and bytes of an incomplete sample at the end."""
    common, binary = sections["common infos"], sections.get("binary infos", {})
    orientation = common.get("dataorientation", "MULTIPLEXED").upper()
    for key, value, expected in [
        ("DataFormat", common.get("dataformat", "").upper(), ("BINARY", "ASCII")),
        ("DataOrientation", orientation, ("MULTIPLEXED", "VECTORIZED")),
        ("DataType", common.get("datatype", "TIMEDOMAIN").upper(), ("TIMEDOMAIN",)),
    ]:
        if value not in expected:
            raise InputError(f"{path}: {key} is {value!r}, not {' or '.join(expected)}; export it again")
    vectorized = orientation == "VECTORIZED"
    if common["dataformat"].upper() == "ASCII":
        layout = {"skiplines": "0", "skipcolumns": "0"} | dict(sections.get("ascii infos", {}))
        skipped = [int(read_number(path, layout, key, whole=True)) for key in ("SkipLines", "SkipColumns")]
        text = TextSamples(data, vectorized, skipped[0], skipped[1], scales)
        return text, text.n_times, 0
    name = binary.get("binaryformat", "INT_16").upper()
    if name not in _FORMATS:
        raise InputError(f"{path}: BinaryFormat is {name!r}, not {', '.join(_FORMATS)}; export it again")
    order = ">" if binary.get("usebigendianorder", "NO").upper() == "YES" else "<"
    dtype = np.dtype(order + _FORMATS[name])
    n_times, rest = divmod(data.stat().st_size, dtype.itemsize * len(scales))
    if rest and vectorized:
        raise InputError(
            f"{data}: cut off: {data.stat().st_size} bytes are not a whole number of samples of {len(scales)} "
            "channels; fetch or export it again"
        )
    return BrainVisionSamples(data, dtype.str, n_times, vectorized, scales), n_times, rest
