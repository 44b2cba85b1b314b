"""Recordings that are read by MNE: FIF, GDF, Neuroscan CNT and Nihon Kohden.

MNE reads these files as numbers, text and JSON; nothing in them is unpickled or executed.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from eegwf.data.signals.file_header import FileHeader
from eegwf.data.signals.file_names import recording_suffix
from eegwf.data.signals.mne_checks import check_file
from eegwf.data.signals.mne_open import State, file_state, one_line, open_raw, recorded_warnings
from eegwf.data.signals.samples import Samples
from eegwf.data.signals.stretches import Stretch, describe_gaps, describe_pauses
from eegwf.errors import InputError

# Open files that a process keeps; one with samples in memory may be large.
MAX_OPEN = 2
VOLT = 107  # FIFF_UNIT_V
# Annotations at which a new part of the recording begins, and one of samples that were not recorded.
_BOUNDARY = re.compile(r"(bad |edge )?boundary", re.IGNORECASE)
_SKIP = "BAD_ACQ_SKIP"
# Warnings of MNE that are notes, and those that mean that a file is damaged; all others are ignored.
_NOTES = {
    r"(?:Could not (?:find|decode)) .*\.21E": "no readable .21E file; channels have the default names of Nihon Kohden",
}


def read_mne_header(path: Path) -> FileHeader:
    """Open a recording by MNE, and check what MNE does not check.

    Parameters
    ----------
    path
        File with one of the suffixes of `mne_open.READERS`.

    Returns
    -------
    FileHeader
        Pauses (MNE's annotations of boundaries, segments of GDF, discontinuities of CNT,
        blocks of Nihon Kohden) are not contained in onsets. Skips of a FIF file are, as MNE counts them.

    Raises
    ------
    InputError
        If the file or a part of it is missing, empty, cut off, not continuous, or can't be read by MNE.
    """
    checked = check_file(path)
    raw, messages = open_raw(path)
    files = tuple(dict.fromkeys([path, *(Path(file) for file in raw.filenames if file is not None)]))
    with one_line(path):
        names, sfreq, units = _names(raw, messages), float(raw.info["sfreq"]), checked.units
        if not units:
            units = tuple("V" if channel["unit"] == VOLT else "no unit of voltage" for channel in raw.info["chs"])
        edges, pieces = _pieces(raw, checked.edges)
        types = raw.get_channel_types()
        bads = ", ".join(raw.info["bads"] if recording_suffix(path).startswith(".fif") else ())
    if not math.isfinite(sfreq) or sfreq <= 0 or not pieces:
        raise InputError(f"{path}: {len(pieces)} parts at {sfreq:g} Hz, expected samples; fetch or export it again")
    stretches, start = [], 0
    for first, last in pieces:
        stretches.append(Stretch(start, start + last - first, (first - pieces[0][0]) / sfreq))
        start += last - first
    gaps = describe_gaps(list(_merged(stretches, sfreq)), sfreq)
    lengths = dict(zip(checked.edges, checked.pauses, strict=False))
    paused = describe_pauses({edge: lengths.get(edge, 0.0) for edge in edges}, sfreq)
    notes = [note for pattern, note in _NOTES.items() if any(re.search(pattern, text) for text in messages)]
    notes += [f"marked as bad in the file, and read: {bads}"] * bool(bads)
    return FileHeader(
        sfreq=sfreq,
        n_times=start,
        names=names,
        units=units,
        samples=MneSamples(
            path=path,
            state=file_state(path, files),
            scales=checked.scales or (1e6,) * len(names),
            pieces=pieces,
            block=checked.block,
        ),
        faults=checked.faults or ("",) * len(names),
        notes=(*checked.notes, *notes, *(text for text in (gaps, paused) if text)),
        stretches=tuple(stretches),
        not_eeg=frozenset(index for index, kind in enumerate(types) if kind == "stim"),
    )


@dataclass(frozen=True)
class MneSamples(Samples):
    """Samples of a recording that MNE reads; the file is opened by the process that reads them.

    Attributes
    ----------
    path
        File of the recording.
    state
        Path, size and time of change of all its files, which must not change.
    scales
        Factor from MNE's values to microvolts for each channel.
    pieces
        First sample in the file and the one after the last of each stretch.
    block
        Samples at whose multiples MNE can begin to read.
    """

    path: Path
    state: State
    scales: tuple[float, ...]
    pieces: tuple[tuple[int, int], ...]
    block: int = 1

    def _read(self, columns: list[int], start: int, stop: int) -> np.ndarray:
        values = np.empty((len(columns), stop - start))
        if file_state(self.path, [Path(name) for name, _, _ in self.state]) != self.state:
            raise InputError(f"{self.path}: changed or became shorter while it was read; fetch or export it again")
        raw, begin = _kept(self.path, self.state), 0
        with one_line(self.path), recorded_warnings(self.path):
            for first, last in self.pieces:
                low, high = max(start - begin, 0), min(stop - begin, last - first)
                if low < high:
                    values[:, begin + low - start : begin + high - start] = self._piece(
                        raw, columns, first + low, first + high
                    )
                begin += last - first
        return np.multiply(values, np.array(self.scales)[columns, np.newaxis], out=values)

    def _piece(self, raw: Any, columns: list[int], start: int, stop: int) -> np.ndarray:
        aligned = start - start % self.block
        end = min(-(-stop // self.block) * self.block, raw.n_times)
        return raw[columns, aligned:end][0][:, start - aligned : stop - aligned]


@lru_cache(maxsize=MAX_OPEN)
def _kept(path: Path, _: State) -> Any:
    raw = open_raw(path)[0]
    if recording_suffix(path) == ".fif.gz":  # random access would decompress the file at each block
        with one_line(path), recorded_warnings(path):
            raw.load_data(verbose="WARNING")
    return raw


def _names(raw: Any, messages: list[str]) -> tuple[str, ...]:
    """Names of the channels as in the file, without the numbers that MNE appends to names that occur twice."""
    doubled = " ".join(text for text in messages if "not unique" in text)

    def original(name: str) -> str:
        stem, _, number = name.rpartition("-")
        return stem if number.isdecimal() and f"'{stem}'" in doubled else name

    return tuple(original(str(name)) for name in raw.ch_names)


def _pieces(raw: Any, edges: tuple[int, ...]) -> tuple[list[int], tuple[tuple[int, int], ...]]:
    """Beginnings of parts after pauses, and the parts of the recording in samples of the file, without skips."""
    sfreq, n_times = float(raw.info["sfreq"]), int(raw.n_times)
    starts, skips = set(edges), []
    onsets = raw.annotations.onset - raw.first_time
    for onset, duration, text in zip(onsets, raw.annotations.duration, raw.annotations.description, strict=True):
        if text == _SKIP:
            skips.append((round(onset * sfreq), round((onset + duration) * sfreq)))
        elif _BOUNDARY.fullmatch(str(text).strip()) and math.isfinite(onset):
            # Boundaries lie between two samples, or at the first sample after them.
            starts.add(math.ceil(round(onset * sfreq, 3)))
    inside = sorted(start for start in starts if 0 < start < n_times)
    cuts = sorted({0, n_times, *inside, *(min(max(edge, 0), n_times) for skip in skips for edge in skip)})
    pieces = tuple(
        (start, stop) for start, stop in pairwise(cuts) if not any(first <= start < last for first, last in skips)
    )
    return inside, pieces


def _merged(stretches: list[Stretch], sfreq: float) -> Iterator[Stretch]:
    """Stretches joined where no time is missing between them."""
    kept: Stretch | None = None
    for stretch in stretches:
        if kept is not None and abs(kept.onset + len(kept) / sfreq - stretch.onset) < 0.5 / sfreq:
            kept = Stretch(kept.start, stretch.stop, kept.onset)
            continue
        if kept is not None:
            yield kept
        kept = stretch
    if kept is not None:
        yield kept
