"""Annotations in EDF+ and BDF+ files."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from eegwf.data.events import Annotation
from eegwf.data.signals.compressed import open_content
from eegwf.data.signals.edf import read_edf_header
from eegwf.data.signals.file_names import recording_suffix
from eegwf.errors import InputError

SIGNALS = (b"EDF Annotations", b"BDF Annotations")
# Bytes of the fields of a signal before its number of samples.
FIELDS_BEFORE = 216
# Onset, duration if there is one, and texts; times are in seconds.
TIMES = re.compile(rb"([+-]\d{1,15}(?:\.\d*)?)(?:\x15(\d{1,15}(?:\.\d*)?))?")
MAX_LABELS = 4


def read_edf_annotations(path: Path, type_of: Callable[[str], str | None], notes: list[str]) -> list[Annotation]:
    """Read the annotations in a recording.

    Parameters
    ----------
    path
        EDF+ or BDF+ file.
    type_of
        Event type of a label; None if the label is ignored.
    notes
        List to which a sentence is appended about annotations that are ignored.

    Returns
    -------
    list of Annotation
        In seconds from the first sample. Annotations that are not ignored, in the order of the file.

    Raises
    ------
    InputError
        If the file is not valid, has no annotation signal, or an annotation is not valid.

    References
    ----------
    Kemp and Olivan (2003), EDF+, Clinical Neurophysiology 114:1755.
    """
    if recording_suffix(path).removesuffix(".gz") not in (".edf", ".bdf"):
        raise InputError(
            f"{path}: not an EDF+ or BDF+ file, as dataset.annotations.format edf requires; change the key"
        )
    found: list[Annotation] = []
    ignored: list[str] = []
    first: float | None = None
    for record, content in _contents(path):
        for number, part in enumerate(part for part in content.split(b"\0") if part):
            head, *texts = part.split(b"\x14")
            match = TIMES.fullmatch(head)
            if match is None or not texts or texts[-1]:
                raise InputError(
                    f"{path}, data record {record}: annotation {number + 1} is {part[:40]!r}, expected an onset with "
                    "its sign, a duration and texts; export the file again"
                )
            onset, duration = float(match[1]), float(match[2]) if match[2] else None
            # The first annotation of each record has no text and gives the record's onset.
            first = onset if first is None else first
            for label in (_text(text) for text in texts):
                if not label:
                    continue
                if type_of(label) is None:
                    ignored.append(label)
                    continue
                if onset < first:
                    raise InputError(
                        f"{path}, data record {record}: annotation {label!r} is at {onset:g} s, before the first "
                        f"sample at {first:g} s; correct it, or ignore it by dataset.event_map"
                    )
                found.append(Annotation(f"data record {record}", onset - first, duration, label))
    if ignored:
        labels = sorted(set(ignored))
        shown = ", ".join(repr(label) for label in labels[:MAX_LABELS]) + " ..." * (len(labels) > MAX_LABELS)
        notes.append(f"{len(ignored)} annotations ignored ({shown})")
    return found


def _contents(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number of each data record, from 1, and the content of its annotation signals, one after the other."""
    samples = (header := read_edf_header(path)).samples
    with open_content(path) as file:
        fields = file.read(samples.header_bytes)
        n_signals = samples.header_bytes // 256 - 1
        places, start = [], 0
        for signal in range(n_signals):
            label = fields[256 + 16 * signal :][:16].strip(b" \0")
            begin = 256 + FIELDS_BEFORE * n_signals + 8 * signal
            size = int(fields[begin : begin + 8].strip(b" \0")) * samples.width
            if label in SIGNALS:
                places.append((start, size))
            start += size
        if not places:
            raise InputError(
                f"{path}: no annotation signal, which dataset.annotations.format edf requires; expected an EDF+ or "
                "BDF+ file with a signal 'EDF Annotations'; export it again, or change the key"
            )
        for record in range(header.n_records):
            for start, size in places:
                file.seek(samples.header_bytes + record * samples.record_bytes + start)
                yield record + 1, file.read(size)


def _text(text: bytes) -> str:
    try:
        return text.decode("utf-8").strip()
    except UnicodeDecodeError:
        return text.decode("latin-1").strip()
