"""Onsets and labels of the windows of a recording."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eegwf.config.data import Signals, Windows
from eegwf.data.events import Event, matches
from eegwf.data.signals.filters import Resampling
from eegwf.data.signals.header import Header

BACKGROUND = "bckg"


@dataclass(frozen=True)
class WindowLabels:
    """Labels of the windows of a recording.

    Attributes
    ----------
    start
        First sample of each window, shape `(n_windows,)`.
    label
        Event type of each window; empty for a borderline window.
    overlap
        Fraction of each window that its label covers, shape `(n_windows,)`.
    """

    start: np.ndarray
    label: list[str]
    overlap: np.ndarray


def window_starts(n_times: int, length: int, step: int) -> np.ndarray:
    """First samples of the windows that lie completely within a signal.

    Parameters
    ----------
    n_times
        Samples of the signal.
    length
        Samples of a window.
    step
        Samples from the start of a window to the start of the next.

    Returns
    -------
    array (n_windows,)
    """
    return np.arange(0, n_times - length + 1, step) if n_times >= length else np.zeros(0, dtype=int)


def recording_starts(head: Header, signals: Signals, windows: Windows) -> np.ndarray:
    """First samples of the windows of a recording after resampling, from its header alone.

    Parameters
    ----------
    head
        Header of the recording.
    signals
        Settings of the signals, for the sampling rate.
    windows
        Length and step of the windows.

    Returns
    -------
    array (n_windows,)
    """
    sfreq = signals.target_sfreq(head.sfreq)
    n_times = Resampling.between(head.sfreq, sfreq).n_times(head.n_times)
    return window_starts(n_times, windows.n_times(sfreq), windows.n_step(sfreq))


def label_windows(
    starts: np.ndarray, sfreq: float, events: Sequence[Event], windows: Windows, unannotated: str | None
) -> WindowLabels:
    """Label each window with the event type that covers enough of it.

    Parameters
    ----------
    starts
        First sample of each window, shape `(n_windows,)`.
    sfreq
        Sampling rate in Hz.
    events
        Annotations, sorted and without overlap. Those of type `bckg` are background.
    windows
        Length, minimum overlap and guard interval.
    unannotated
        Event type of time without an event; None if such time has no event type.

    Returns
    -------
    WindowLabels

    Notes
    -----
    The event type that covers the largest fraction of a window labels it, if the fraction is at least
    `windows.min_overlap`. A window is labeled as background only if no event of another type overlaps it or is closer
    to it than `windows.guard` seconds. All other windows are borderline.
    """
    onsets = starts / sfreq
    ends = onsets + windows.length
    covered: dict[str, np.ndarray] = {}
    guarded = np.zeros(len(starts), dtype=bool)
    annotated = np.zeros(len(starts))
    for event in events:
        stop = event.onset + event.duration
        seconds = np.clip(np.minimum(ends, stop) - np.maximum(onsets, event.onset), 0, None)
        covered[event.label] = covered.get(event.label, 0) + seconds
        annotated += seconds
        if not matches(BACKGROUND, event.label):
            guarded |= (onsets < stop + windows.guard) & (ends > event.onset - windows.guard)
    if unannotated is not None:
        remainder = np.clip(windows.length - annotated, 0, None)
        covered[unannotated] = covered.get(unannotated, 0) + remainder
    label = [""] * len(starts)
    overlap = np.zeros(len(starts))
    for name, seconds in sorted(covered.items()):
        fraction = np.minimum(seconds / windows.length, 1.0)
        sufficient = (fraction > overlap) & (fraction >= windows.min_overlap - 1e-9)
        if matches(BACKGROUND, name):
            sufficient &= ~guarded
        for row in np.flatnonzero(sufficient):
            label[row], overlap[row] = name, fraction[row]
    return WindowLabels(starts, label, overlap)
