"""Checks of files before MNE reads them: sizes, tables and units, which MNE does not check, or not in time."""

import math
import struct
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from eegwf.data.signals.file_content import FileCheck, FileContent
from eegwf.data.signals.file_names import is_nihon_kohden, recording_suffix
from eegwf.data.signals.units import microvolts_of
from eegwf.errors import InputError

ADVICE = "export it as EDF or BrainVision"
# GDF: bytes of a sample of each type, and codes of units of voltage.
_GDF_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 8: 8, 16: 4, 17: 8}
_GDF_UNITS = {4256: "V", 4274: "mV", 4275: "uV", 4276: "nV"}
# CNT: bytes before the channels, of a channel, and of an event of each type; larger files have no reliable table.
_CNT_HEADER, _CNT_CHANNEL, _CNT_EVENT, _CNT_MAX = 900, 75, {1: 8, 2: 19, 3: 19}, 2_000_000_000
# CNT: marks of events at which the recording was interrupted, or its offset was reset.
_DISCONTINUITY, _OFFSET_RESET = 14, 11


def check_file(path: Path) -> FileCheck:
    """Check a file before MNE opens it.

    Parameters
    ----------
    path
        File with a suffix that MNE reads.

    Returns
    -------
    FileCheck

    Raises
    ------
    InputError
        If it is empty, cut off or invalid.
    """
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty; fetch or export it again")
    check = _CHECKS.get(recording_suffix(path))
    return FileCheck() if check is None else check(path)


def check_tags(path: Path) -> None:
    """Check that a FIF file is complete: it ends with a directory of its tags, or with the mark of the last tag.

    Parameters
    ----------
    path
        The file, or one of its parts.

    Raises
    ------
    InputError
        If it is cut off.
    """
    content = FileContent(path)
    directory = content.take(52, ">i")[0]
    if directory > 0:
        size = content.take(directory, ">IIIi")[2]
        content.require(directory + 16 + size, "the directory of its tags")
        return
    position = 0
    with open(path, "rb") as file:
        while position < content.size - 15:
            file.seek(position)
            _, _, size, following = struct.unpack(">IIIi", file.read(16))
            if following < 0:
                return
            position = following if following > position else position + 16 + size
    raise InputError(f"{path}: cut off: it ends without its last tag; fetch or export it again")


def _check_gdf(path: Path) -> FileCheck:
    """Check the header of a GDF file, its size and its table of events, and read its units."""
    content = FileContent(path)
    if content.take(0, "4s")[0] != b"GDF ":
        raise InputError(f"{path}: not GDF (begins with {content.take(0, '8s')[0]!r}); fetch or export it again")
    try:
        version = float(content.take(4, "4s")[0])
    except ValueError:
        version = math.nan
    old = version < 1.9
    header_bytes = int(content.take(184, "<q" if old else "<H")[0]) * (1 if old else 256)
    n_records, numerator, denominator = content.take(236, "<qII")
    n_channels = int(content.take(252, "<I" if old else "<H")[0])
    if not (1 <= version < 4 and n_records > 0 and numerator and denominator and 1 <= n_channels < 10_000):
        raise InputError(
            f"{path}: invalid header: version {version:g}, {n_records} data records of {numerator}/{denominator} s, "
            f"{n_channels} channels; {ADVICE}"
        )
    if header_bytes != 256 * (n_channels + 1):
        raise InputError(
            f"{path}: its header has {header_bytes} bytes, expected {256 * (n_channels + 1)} for {n_channels} channels "
            f"without further fields; {ADVICE}"
        )

    def fields(start: int, code: str) -> np.ndarray:
        width = np.dtype(code).itemsize
        position = 256 + start * n_channels
        return np.frombuffer(content.read(position, width * n_channels), code)

    lengths, types = fields(216, "<i4"), fields(220, "<u4")
    if len(set(types.tolist())) != 1 or int(types[0]) not in _GDF_BYTES:
        raise InputError(f"{path}: samples of the types {sorted(set(types.tolist()))}, expected a single one; {ADVICE}")
    if lengths.min() < 0 or lengths.max() == 0:
        raise InputError(f"{path}: invalid header: {lengths.min()} samples in a data record; {ADVICE}")
    end = header_bytes + n_records * int(lengths.sum()) * _GDF_BYTES[int(types[0])]
    content.require(end + old, f"{n_records} data records" + " and the table of events, which MNE requires," * old)
    if old:
        units = tuple(bytes(unit).strip(b" \0").decode("latin-1") for unit in fields(96, "S8"))
        factors = [1e-6 if unit.startswith("uV") else 1.0 for unit in units]  # as MNE has them
    else:
        codes = fields(102, "<u2").tolist()
        units = tuple(_GDF_UNITS.get(code, f"unit {code} of GDF") for code in codes)
        factors = [{4275: 1e-6, 4274: 1e-3}.get(code, 1.0) for code in codes]
    volts = [1.0 if math.isnan(factor := microvolts_of(unit)) else factor for unit in units]
    integers = "<i8" if old else "<f8"
    low, high = fields(104, "<f8"), fields(112, "<f8")
    digital_low, digital_high = fields(120, integers), fields(128, integers)
    scalable = np.isfinite(low) & np.isfinite(high) & (low != high) & (digital_low < digital_high)
    rate = lengths.max() * denominator / numerator
    faults = tuple(
        f"{path}: invalid header: channel {index + 1} has no range, so its samples can't be scaled; {ADVICE}"
        if not scalable[index]
        else f"{path}: channel {index + 1} has {length * denominator / numerator:g} Hz, others {rate:g} Hz; {ADVICE}"
        * bool(length != lengths.max())
        for index, length in enumerate(lengths.tolist())
    )
    scales = tuple(float(volt / factor) for volt, factor in zip(volts, factors, strict=True))
    return FileCheck(_gdf_segments(content, end, version, rate), units=units, scales=scales, faults=faults)


def _gdf_segments(content: FileContent, start: int, version: float, sfreq: float) -> tuple[int, ...]:
    """First samples of the segments (event 0x7ffe) in the table of events after the samples."""
    if content.size <= start:
        return ()
    mode, *bytes_of_number = content.take(start, "<B3B")
    number = int.from_bytes(bytes_of_number, "little")
    if version < 1.94:
        rate, n_events = float(number), content.take(start + 4, "<I")[0]
    else:
        rate, n_events = content.take(start + 4, "<f")[0], number
    what = f"a table of {n_events} events"
    content.require(start + 8 + n_events * (12 if mode == 3 else 6), what)
    positions = np.frombuffer(content.read(start + 8, 4 * n_events, what), "<u4").astype(float)
    types = np.frombuffer(content.read(start + 8 + 4 * n_events, 2 * n_events, what), "<u2")
    factor = sfreq / rate if math.isfinite(rate) and rate > 0 else 1.0
    edges = np.round((positions[types == 0x7FFE] - 1) * factor)
    return tuple(sorted({int(edge) for edge in edges if math.isfinite(edge)}))


def _check_cnt(path: Path) -> FileCheck:
    """Check the header of a Neuroscan CNT file, its size and its table of events."""
    content = FileContent(path)
    if content.take(0, "4s")[0] == b"RIFF":
        raise InputError(f"{path}: a CNT file of ANT Neuro, expected one of Neuroscan; {ADVICE}")
    n_channels, _, rate = content.take(370, "<HIH")
    n_samples, table = content.take(864, "<i")[0], content.take(886, "<i")[0]
    start = _CNT_HEADER + _CNT_CHANNEL * n_channels
    if content.size > _CNT_MAX:
        raise InputError(f"{path}: {content.size / 1e9:.1f} GB, expected at most 2 GB in CNT files; {ADVICE}")
    if not n_channels or not rate or n_samples <= 0 or table <= start:
        raise InputError(
            f"{path}: invalid header: {n_channels} channels at {rate} Hz, {n_samples} samples, events at byte {table}; "
            f"without these numbers 16 and 32 bits can't be distinguished; {ADVICE}"
        )
    content.require(table + 9, f"{n_samples} samples and a table of events")
    width, rest = divmod(table - start, n_channels * n_samples)
    if rest or width not in (2, 4):
        raise InputError(
            f"{path}: {table - start} bytes of samples, expected 2 or 4 for each of {n_samples} samples of "
            f"{n_channels} channels; {ADVICE}"
        )
    kind, size = content.take(table, "<Bi")
    if kind not in _CNT_EVENT or size < 0 or size % _CNT_EVENT[kind]:
        raise InputError(f"{path}: invalid table of events (type {kind}, {size} bytes); {ADVICE}")
    content.require(table + 9 + size, "the table of events")
    events = np.frombuffer(content.read(table + 9, size), np.uint8).reshape(-1, _CNT_EVENT[kind])
    interrupted = np.isin(events[:, 3] >> 4, (_DISCONTINUITY, _OFFSET_RESET))
    offsets = np.ascontiguousarray(events[interrupted, 4:8]).view("<i4").reshape(-1).tolist()
    edges = {offset if kind == 3 else (offset - start) // (n_channels * width) for offset in offsets}
    block = max(content.take(894, "<i")[0] // width, 1)
    if n_samples % block:
        raise InputError(f"{path}: {n_samples} samples, expected a multiple of {block}, its block size; {ADVICE}")
    faults = []
    channels = content.read(_CNT_HEADER, _CNT_CHANNEL * n_channels)
    for index in range(n_channels):
        position = _CNT_CHANNEL * index
        scale = math.prod(struct.unpack_from("<f", channels, position + field)[0] for field in (59, 71))
        faults.append(
            f"{path}: invalid header: channel {index + 1} has the sensitivity {scale:g}, so its samples can't be "
            f"scaled; {ADVICE}" * (not math.isfinite(scale) or scale == 0)
        )
    return FileCheck(tuple(sorted(edges)), faults=tuple(faults), block=block)


def _check_nihon(path: Path) -> FileCheck:
    """Check the blocks of a Nihon Kohden file against its size, and read the times of their beginnings."""
    content = FileContent(path)
    if not is_nihon_kohden(path):
        raise InputError(f"{path}: not a recording of Nihon Kohden (begins with {content.take(0, '16s')[0]!r}); "
                         "if it is one of BrainVision, its .vhdr is missing; fetch or export it again")  # fmt: skip
    if path.with_suffix(".21e").exists() and not path.with_suffix(".21E").exists():
        raise InputError(f"{path.with_suffix('.21e')}: not read, expected the suffix .21E in capitals; rename it")
    n_control, control = content.take(0x91, "<BI")
    if n_control != 1:
        raise InputError(f"{path}: {n_control} control blocks, expected 1; {ADVICE}")
    edges, pauses, n_times = [], [], 0
    ended: datetime | None = None
    for index in range(content.take(control + 17, "<B")[0]):
        block = content.take(control + 18 + 20 * index, "<I")[0]
        rate, tenths = content.take(block + 0x1A, "<HI")
        rate, n_channels = rate & 0x3FFF, content.take(block + 0x26, "<B")[0]
        n_samples = tenths * rate // 10
        if not rate or not n_channels or not n_samples:
            raise InputError(
                f"{path}: invalid header: block {index + 1} has {n_channels} channels at {rate} Hz, {tenths / 10:g} s; "
                f"{ADVICE}"
            )
        begin = block + 0x27 + 10 * n_channels
        content.require(begin + n_samples * (n_channels + 1) * 2, f"block {index + 1} of {tenths / 10:g} s")
        began = _clock(content.take(block + 0x14, "6B"))
        if n_times:
            edges.append(n_times)
            pauses.append((began - ended).total_seconds() if began and ended else 0.0)
        n_times += n_samples
        ended = began + timedelta(seconds=n_samples / rate) if began else None
    if not n_times:
        raise InputError(f"{path}: contains no block of samples; fetch or export it again")
    return FileCheck(tuple(edges), tuple(pauses))


def _clock(digits: tuple[int, ...]) -> datetime | None:
    """Date and time of a block in binary-coded decimals; None if they are none."""
    year, month, day, hour, minute, second = (10 * (digit >> 4) + (digit & 15) for digit in digits)
    try:
        return datetime(2000 + year if year < 70 else 1900 + year, month, day, hour, minute, second)
    except ValueError:
        return None


_CHECKS = {".gdf": _check_gdf, ".cnt": _check_cnt, ".eeg": _check_nihon}
