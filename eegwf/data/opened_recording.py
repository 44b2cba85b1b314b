"""A recording that is opened for reading its windows, sample by sample."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eegwf.data.amplitude import Amplitude
from eegwf.data.bids import Recording
from eegwf.data.context import reflected, without_context
from eegwf.data.events import Event
from eegwf.data.inspection import label_recording
from eegwf.data.quality import ChannelQuality, QualityMeter
from eegwf.data.reading_settings import ReadingSettings
from eegwf.data.signals.signal import Signal, open_signal
from eegwf.data.windows import WindowLabels, stretch_starts
from eegwf.errors import InputError

# Seconds of signal that are read into memory at once; windows are cut from such a block.
BLOCK_SECONDS = 300.0
FLOAT16_MAX = float(np.finfo(np.float16).max)
RESAMPLED = re.compile(r"recorded at (\S+) Hz and resampled")


@dataclass
class OpenedRecording:
    """Signal, events and windows of a recording.

    Attributes
    ----------
    path
        Its file.
    signal
        Its derivations.
    events
        Its events.
    labels
        Labels of all windows of its length.
    kept
        Whether each of them is a window of the study.
    length
        Samples of a window, without its context.
    context
        Samples of context before a window, and after it.
    deviation
        Standard deviation of the windows in microvolts, the median of the derivations, once they have been read.
    quality
        Quality of the derivations, once the windows have been read.
    """

    path: Path
    signal: Signal
    events: Sequence[Event]
    labels: WindowLabels
    kept: np.ndarray
    length: int
    context: int = 0
    deviation: float = 0.0
    quality: ChannelQuality | None = None

    def read(self) -> Iterator[np.ndarray]:
        """Yield the windows in microvolts as float16; the signal is read block by block.

        Yields
        ------
        array (n_chans, context + length + context)
            A window with its context. Beyond the ends of a stretch, the signal is reflected. Amplitude and quality are
            those of the windows alone.

        Raises
        ------
        InputError
            If the signal has values, or an offset, that half precision can't represent.
        """
        signal, starts, length = self.signal, self.labels.start[self.kept], self.length
        amplitude = Amplitude(len(signal.derivations))
        quality = QualityMeter(len(signal.derivations), signal.sfreq)
        span = max(int(BLOCK_SECONDS * signal.sfreq), length)
        row = 0
        while row < len(starts):
            begin = int(starts[row])
            end = min(begin + span, signal.stretch_at(begin).last)
            last = int(np.searchsorted(starts, end - length, side="right"))
            end = int(starts[last - 1]) + length
            block = self._with_context(begin, end)
            peak = float(np.abs(block).max())
            if not peak < FLOAT16_MAX:
                raise InputError(
                    f"{self.path}: {peak:g} microvolts between {begin / signal.sfreq:g} s and "
                    f"{end / signal.sfreq:g} s, beyond {FLOAT16_MAX:g}; check the unit in its header"
                )
            inner = without_context(block, self.context)
            amplitude.add(inner)
            quality.add(inner)
            block = block.astype(np.float16)
            for start in starts[row:last] - begin:
                yield np.ascontiguousarray(block[:, start : start + length + 2 * self.context])
            row = last
        amplitude.check_precision(self.path, signal.derivations)
        self.deviation, self.quality = float(np.median(amplitude.deviation)), quality.result()

    def _with_context(self, begin: int, end: int) -> np.ndarray:
        """Samples of a segment of a stretch and their context on both sides."""
        stretch = self.signal.stretch_at(begin)
        first, last = max(begin - self.context, stretch.first), min(end + self.context, stretch.last)
        missing = first - (begin - self.context), end + self.context - last
        # If the segment with its context is not the whole stretch, it is longer than what is missing at either end.
        return reflected(self.signal.read(first, last), *missing)


def open_recording(
    recording: Recording, derivations: Sequence[str] | None, reading: ReadingSettings, notes: list[str]
) -> OpenedRecording:
    """Scan the samples of a recording, read its events, and label its windows.

    Parameters
    ----------
    recording
        The recording.
    derivations
        As in `open_signal`.
    reading
        Settings.
    notes
        List to which remarks are appended.

    Returns
    -------
    OpenedRecording

    Raises
    ------
    InputError
        If it can't be used.
    FlatChannels
        As in `open_signal`.
    """
    signal = open_signal(recording.path, reading.signals, derivations, reading.channels)
    notes.extend(signal.notes)
    if signal.recorded_sfreq != signal.sfreq:
        notes.append(f"recorded at {signal.recorded_sfreq:g} Hz and resampled")
    if signal.flat:
        notes.append(f"flat from start to end: {', '.join(signal.flat)} (signals.flat: {reading.signals.flat})")
    windows = reading.windows
    length = windows.n_times(signal.sfreq)
    starts = stretch_starts(signal.stretches, length, windows.n_step(signal.sfreq))
    events, labels = label_recording(recording, signal.span, starts, signal.sfreq, reading, notes)
    kept = np.array([windows.borderline == "keep" or label != "" for label in labels.label], dtype=bool)
    return OpenedRecording(Path(recording.path), signal, events, labels, kept, length, windows.n_context(signal.sfreq))


def recorded_rate(notes: str) -> float | None:
    """Sampling rate in Hz before resampling, from the notes of a recording; None if it was not resampled."""
    found = RESAMPLED.search(notes)
    return float(found[1]) if found else None
