"""Headers of EDF and BDF files, with checks of the header and of the file size that MNE does not make."""

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from eegwf.data.signals.compressed import CompressedEdfSamples, content_size, is_compressed, open_content
from eegwf.data.signals.samples import EdfSamples
from eegwf.data.signals.stretches import Stretch
from eegwf.data.signals.units import microvolts_of
from eegwf.errors import InputError

_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)  # bytes of each signal's fields, in the file's order
_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
# Difference in seconds from the end of a data record to the onset of the next that is rounding, not a gap.
MAX_SHIFT = 1e-3
# Sum of such differences, in seconds, after which a new stretch begins: the clock of the recorder differs from that of
# the samples.
MAX_DRIFT = 0.1


@dataclass(frozen=True)
class EdfHeader:
    """Header of an EDF or BDF file, without its annotation signals.

    Attributes
    ----------
    labels, units
        Label and physical unit of each signal as in the file, without padding.
    n_samples
        Samples of each signal in a data record.
    n_records
        Number of data records.
    record_length
        Length of a data record in seconds.
    stretches
        Data records between the gaps of the recording, with `start` and `stop` in data records.
    samples
        Reader of the samples.
    faults
        For each signal the reason why its samples can't be read; "" if they can.
    notes
        Peculiarities of the file that do not prevent its use.
    """

    labels: tuple[str, ...]
    units: tuple[str, ...]
    n_samples: tuple[int, ...]
    n_records: int
    record_length: float
    stretches: tuple[Stretch, ...]
    samples: EdfSamples
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def read_edf_header(path: Path) -> EdfHeader:
    """Read and check the header of an EDF, EDF+, BDF or BDF+ file.

    Parameters
    ----------
    path
        The file, possibly compressed (`.edf.gz`); its suffix decides between EDF and BDF.

    Returns
    -------
    EdfHeader

    Raises
    ------
    InputError
        If the file is empty, cut off, longer than its header declares or has data records that overlap (EDF+D), or if
        its header is invalid; but not for an invalid range of a signal, which is one of the `faults`.

    References
    ----------
    Kemp et al. (1992), EDF; Kemp and Olivan (2003), EDF+, Clinical Neurophysiology 114:1755.
    """
    kind = (path.with_suffix("") if is_compressed(path) else path).suffix[1:].upper()
    width, magic = (3, b"\xffBIOSEMI") if kind == "BDF" else (2, b"0")
    with open_content(path) as file:
        first = file.read(256)
        if len(first) < 256:
            state = "shorter than a header" if first else "empty"
            raise InputError(f"{path}: {state}; fetch or export it again")
        if first[:8].strip(b" \0") != magic:
            raise InputError(f"{path}: not {kind} (begins with {first[:8]!r}); fetch or export it again")
        n_bytes = int(_number(path, first[184:192], "the header's size", minimum=512, whole=True))
        # A recorder writes -1 while it records, and some leave it.
        n_records = int(_number(path, first[236:244], "the number of data records", minimum=-1, whole=True))
        if n_records == 0:
            raise InputError(f"{path}: invalid header: the number of data records is '0'; fetch or export it again")
        record_length = _number(path, first[244:252], "the length of a data record in seconds", minimum=1e-9)
        n_signals = int(_number(path, first[252:256], "the number of signals", minimum=1, whole=True))
        if n_bytes != 256 * (n_signals + 1):
            raise InputError(
                f"{path}: invalid header: its size is {n_bytes} bytes, but {n_signals} signals take "
                f"{256 * (n_signals + 1)}; fetch or export it again"
            )
        rest = file.read(n_bytes - 256)
    if len(rest) < n_bytes - 256:
        raise InputError(f"{path}: cut off within its header; fetch or export it again")
    fields = _signal_fields(rest, n_signals)
    labels = [_text(field) for field in fields[0]]
    n_samples = [
        int(_number(path, text, f"samples per data record of {label!r}", minimum=0, whole=True))
        for label, text in zip(labels, fields[8], strict=True)
    ]
    record_bytes = width * sum(n_samples)
    n_records, notes = _check_size(path, n_records, record_bytes, n_bytes)
    stretches: tuple[Stretch, ...] = (Stretch(0, n_records, 0.0),)
    if first[192:197] in (b"EDF+D", b"BDF+D"):
        onsets = _record_onsets(path, n_bytes, n_records, record_bytes, width, labels, n_samples)
        stretches = _stretches(path, onsets, record_length)
    signals = [index for index, label in enumerate(labels) if label not in _ANNOTATIONS]
    scales = [_scale(path, labels[index], [fields[column][index] for column in (3, 4, 5, 6)]) for index in signals]
    starts = width * np.cumsum([0, *n_samples])
    units = tuple(_text(fields[2][index]) for index in signals)
    lengths = tuple(n_samples[index] for index in signals)
    samples = (CompressedEdfSamples if is_compressed(path) else EdfSamples)(
        path=path,
        header_bytes=n_bytes,
        width=width,
        record_bytes=record_bytes,
        starts=tuple(int(starts[index]) for index in signals),
        n_samples=lengths,
        gains=tuple(gain for gain, _, _ in scales),
        offsets=tuple(offset for _, offset, _ in scales),
        to_microvolts=tuple(microvolts_of(unit) for unit in units),
    )
    faults = [
        fault if length else f"{path}: invalid header: {labels[index]!r} has a sampling rate of 0 Hz; export it again"
        for index, length, (_, _, fault) in zip(signals, lengths, scales, strict=True)
    ]
    names = tuple(labels[index] for index in signals)
    return EdfHeader(names, units, lengths, n_records, record_length, stretches, samples, tuple(faults), notes)


def _signal_fields(rest: bytes, n_signals: int) -> list[list[bytes]]:
    fields, offset = [], 0
    for width in _WIDTHS:
        fields.append([rest[offset + width * index : offset + width * (index + 1)] for index in range(n_signals)])
        offset += width * n_signals
    return fields


def _text(field: bytes) -> str:
    """Text of a field padded with blanks or zero bytes, in UTF-8 or else Latin-1."""
    content = field.strip(b" \0").split(b"\0")[0].strip()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _number(path: Path, field: bytes, name: str, minimum: float = -math.inf, whole: bool = False) -> float:
    text = _text(field)
    try:
        # Some devices write a decimal comma.
        value = float(int(text) if whole else text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < minimum:
        raise InputError(f"{path}: invalid header: {name} is {text!r}; fetch or export it again")
    return value


def _check_size(path: Path, n_records: int, record_bytes: int, header_bytes: int) -> tuple[int, tuple[str, ...]]:
    """Number of data records according to the header, or to the file's size if the header has -1; and notes."""
    if record_bytes == 0:
        raise InputError(f"{path}: invalid header: no signal has samples; fetch or export it again")
    size = content_size(path, header_bytes + n_records * record_bytes)
    stored, rest = divmod(size - header_bytes, record_bytes)
    if n_records == -1:
        if stored == 0:
            raise InputError(
                f"{path}: the header declares -1 data records (unknown), and the file contains none that is complete; "
                "fetch or export it again"
            )
        incomplete = f" and the incomplete one after them left out ({rest} bytes)" if rest else ""
        return stored, (f"number of data records not in the header (-1): {stored} counted in the file{incomplete}",)
    if stored != n_records:
        fault = "cut off" if stored < n_records else "longer than its header declares"
        raise InputError(
            f"{path}: {fault}: the header declares {n_records} data records, the file contains {stored}; fetch or "
            "export it again"
        )
    return stored, ()


def _scale(path: Path, label: str, fields: list[bytes]) -> tuple[float, float, str]:
    """Gain and offset from digital to physical values, and the reason if there are none."""
    names = ("physical min", "physical max", "digital min", "digital max")
    try:
        ranges = [_number(path, text, f"{name} of {label!r}") for text, name in zip(fields, names, strict=True)]
    except InputError as error:
        return math.nan, math.nan, str(error)
    physical_min, physical_max, digital_min, digital_max = ranges
    for name, low, high, invalid in [
        ("physical", physical_min, physical_max, physical_min == physical_max),
        ("digital", digital_min, digital_max, digital_min >= digital_max),
    ]:
        if invalid:
            fault = (
                f"{path}: invalid header: {name} range of {label!r} is from {low:g} to {high:g}, so its "
                "samples can't be scaled; export it again"
            )
            return math.nan, math.nan, fault
    gain = (physical_max - physical_min) / (digital_max - digital_min)
    return gain, physical_min - digital_min * gain, ""


def _record_onsets(
    path: Path,
    header_bytes: int,
    n_records: int,
    record_bytes: int,
    width: int,
    labels: list[str],
    n_samples: list[int],
) -> np.ndarray:
    """Onset of each data record in seconds, from its time-keeping annotation."""
    annotations = [index for index, label in enumerate(labels) if label in _ANNOTATIONS and n_samples[index]]
    if not annotations:
        raise InputError(f"{path}: marked as discontinuous, but has no onsets of its data records; export it again")
    start = width * sum(n_samples[: annotations[0]])
    stop = start + width * n_samples[annotations[0]]
    onsets = np.full(n_records, np.nan)
    with open_content(path) as file:
        for record in range(n_records):
            file.seek(header_bytes + record * record_bytes + start)
            text = file.read(stop - start).split(b"\x14")[0].split(b"\x15")[0]
            try:
                onsets[record] = float(text)
            except ValueError:
                raise InputError(f"{path}: data record {record + 1} has no onset; export it again") from None
    return onsets


def _stretches(path: Path, onsets: np.ndarray, record_length: float) -> tuple[Stretch, ...]:
    """Data records between gaps; their onsets are counted from that of the first one."""
    gaps = np.diff(onsets) - record_length
    if (gaps < -MAX_SHIFT).any():
        record = int(np.argmax(gaps < -MAX_SHIFT))
        raise InputError(
            f"{path}: the data record at {onsets[record]:g} s ends at {onsets[record] + record_length:g} s, but the "
            f"next begins at {onsets[record + 1]:g} s; export it again"
        )
    edges = [0]
    drift = 0.0
    for record, gap in enumerate(gaps.tolist(), start=1):
        drift += gap
        if gap > MAX_SHIFT or drift > MAX_DRIFT:
            edges.append(record)
            drift = 0.0
    edges.append(len(onsets))
    return tuple(Stretch(start, stop, float(onsets[start] - onsets[0])) for start, stop in pairwise(edges))
