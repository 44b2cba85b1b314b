"""Onsets and labels of the windows of a recording."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eegwf.config.data import Signals
from eegwf.config.windows import Windows
from eegwf.data.events import BACKGROUND, Event, matches
from eegwf.data.signals.header import Header
from eegwf.data.signals.stretches import ResampledStretch, resample_stretches

# Seconds after its onset during which a seizure whose end is not annotated may last; few are longer, and SzCORE splits
# events at the same duration.
OPEN_SECONDS = 300.0


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
    carried
        Number of windows, for each event, that contain a part of it and have its event type or one that includes it,
        shape `(n_events,)`.
    """

    start: np.ndarray
    label: list[str]
    overlap: np.ndarray
    carried: np.ndarray


def window_starts(n_times: int, length: int, step: int) -> np.ndarray:
    """First samples of the windows that lie completely within a signal without gaps.

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
    return np.arange(0, n_times - length + 1, step, dtype=int)


def stretch_starts(stretches: Sequence[ResampledStretch], length: int, step: int) -> np.ndarray:
    """First samples of the windows that lie completely within a stretch of a recording.

    Parameters
    ----------
    stretches
        Stretches of the recording.
    length
        Samples of a window.
    step
        Samples from the start of a window to the start of the next in the same stretch.

    Returns
    -------
    array (n_windows,)
        Counted as in the stretches, at the beginning of each of which a window begins.
    """
    return np.concatenate(
        [stretch.first + window_starts(stretch.last - stretch.first, length, step) for stretch in stretches]
    )


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
    stretches = resample_stretches(head.stretches, head.sfreq, sfreq)
    return stretch_starts(stretches, windows.n_times(sfreq), windows.n_step(sfreq))


def label_windows(
    starts: np.ndarray,
    sfreq: float,
    events: Sequence[Event],
    windows: Windows,
    unannotated: str | None,
    event_types: Sequence[str] = (),
) -> WindowLabels:
    """Label each window with the event type that covers enough of it.

    Parameters
    ----------
    starts
        First sample of each window, shape `(n_windows,)`.
    sfreq
        Sampling rate in Hz.
    events
        Annotations, sorted and, except those of no length, without overlap. Those of type `bckg` are background.
    windows
        Length, minimum overlaps and guard interval.
    unannotated
        Event type of time without an event; None if such time has no event type.
    event_types
        Event types of the data set, up to which subtypes are added up; empty for no sums.

    Returns
    -------
    WindowLabels

    Notes
    -----
    The event type that covers the largest fraction of a window labels it, if the fraction is at least
    `windows.min_overlap`. If no event type does, the subtypes of an event type are added up, as in `sz_foc` for
    `sz_foc_a` and `sz_foc_ia`: the event type furthest down the hierarchy whose sum is sufficient labels the window.
    Otherwise, with `windows.min_event_overlap`, it has the type of the event of which it contains the largest
    fraction, if that is sufficient. A window is labeled as background only if no event of another type overlaps it or
    is closer to it than `windows.guard` seconds; the end of an event of no length is assumed at the next event, but at
    most `OPEN_SECONDS` after its onset. All other windows are borderline.
    """
    onsets = starts / sfreq
    ends = onsets + windows.length
    covered: dict[str, np.ndarray] = {}
    guarded = np.zeros(len(starts), dtype=bool)
    annotated = np.zeros(len(starts))
    for event in events:
        stop = _assumed_end(event, events)
        seconds = _seconds_in(event, onsets, ends)
        covered[event.label] = covered.get(event.label, 0) + seconds
        annotated += seconds
        if not matches(BACKGROUND, event.label):
            guarded |= (onsets < stop + windows.guard) & (ends > event.onset - windows.guard)
    if unannotated is not None:
        remainder = np.clip(windows.length - annotated, 0, None)
        covered[unannotated] = covered.get(unannotated, 0) + remainder
    result = WindowLabels(starts, [""] * len(starts), np.zeros(len(starts)), np.zeros(len(events), dtype=int))
    _label(result, covered, windows, guarded)
    sums = _sums(covered, event_types)
    for depth in sorted({name.count("_") for name in sums}, reverse=True):
        # Event types at one depth exclude each other, so that the largest sum decides.
        _label(result, {name: sums[name] for name in sums if name.count("_") == depth}, windows, guarded)
    if windows.min_event_overlap is not None:
        _label_short_events(result, events, onsets, ends, windows)
    labels = np.array(result.label, dtype=object)
    for number, event in enumerate(events):
        rows = np.flatnonzero(_seconds_in(event, onsets, ends) > 0)
        result.carried[number] = sum(bool(name) and matches(name, event.label) for name in labels[rows])
    return result


def _seconds_in(event: Event, onsets: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Seconds of each window that an event covers."""
    return np.clip(np.minimum(ends, event.end) - np.maximum(onsets, event.onset), 0, None)


def _assumed_end(event: Event, events: Sequence[Event]) -> float:
    """End of an event in seconds; of an event of no length, the latest end to be expected."""
    if not event.is_open:
        return event.end
    return min([event.onset + OPEN_SECONDS, *(other.onset for other in events if other.onset > event.onset)])


def _label(result: WindowLabels, covered: dict[str, np.ndarray], windows: Windows, guarded: np.ndarray) -> None:
    """Label the windows that have no label yet with the event type that covers the most of them, if that is enough."""
    unlabeled = np.array([name == "" for name in result.label], dtype=bool)
    for name, seconds in sorted(covered.items()):
        fraction = np.minimum(seconds / windows.length, 1.0)
        sufficient = unlabeled & (fraction > result.overlap) & (fraction >= windows.min_overlap - 1e-9)
        if matches(BACKGROUND, name):
            sufficient &= ~guarded
        for row in np.flatnonzero(sufficient):
            result.label[row], result.overlap[row] = name, fraction[row]


def _sums(covered: dict[str, np.ndarray], event_types: Sequence[str]) -> dict[str, np.ndarray]:
    """Seconds that the subtypes of each event type cover together, for event types with two subtypes or more."""
    parents: dict[str, list[str]] = {}
    for name in covered:
        parts = name.split("_")
        for depth in range(1, len(parts) + 1):
            parent = "_".join(parts[:depth])
            if any(matches(entry, parent) for entry in event_types):
                parents.setdefault(parent, []).append(name)
    return {
        parent: np.sum([covered[name] for name in names], axis=0) for parent, names in parents.items() if len(names) > 1
    }


def _label_short_events(
    result: WindowLabels, events: Sequence[Event], onsets: np.ndarray, ends: np.ndarray, windows: Windows
) -> None:
    """Label the windows that have no label yet with the type of the event of which they contain the most."""
    assert windows.min_event_overlap is not None
    unlabeled = np.array([name == "" for name in result.label], dtype=bool)
    share = np.zeros(len(onsets))
    seconds_of = np.zeros(len(onsets))
    for event in events:
        if event.is_open or matches(BACKGROUND, event.label):
            continue
        seconds = _seconds_in(event, onsets, ends)
        fraction = np.minimum(seconds / event.duration, 1.0)
        larger = (fraction > share + 1e-9) | ((fraction > share - 1e-9) & (seconds > seconds_of))
        for row in np.flatnonzero(unlabeled & larger & (fraction >= windows.min_event_overlap - 1e-9)):
            share[row], seconds_of[row] = fraction[row], seconds[row]
            result.label[row] = event.label
            result.overlap[row] = min(seconds[row] / windows.length, 1.0)
