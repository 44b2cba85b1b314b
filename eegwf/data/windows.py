"""Where windows lie in a recording, and what label each gets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eegwf.config.data import Windows
from eegwf.data.events import Event, matches

BACKGROUND = "bckg"


@dataclass(frozen=True)
class Labelled:
    """Windows of a recording: onsets in samples, labels (empty: borderline), and the share each label covers."""

    start: np.ndarray
    label: list[str]
    overlap: np.ndarray


def window_starts(n_times: int, length: int, step: int) -> np.ndarray:
    """First samples of the windows that fit into `n_times` samples whole."""
    return np.arange(0, n_times - length + 1, step) if n_times >= length else np.zeros(0, dtype=int)


def label_windows(
    starts: np.ndarray, sfreq: float, events: Sequence[Event], windows: Windows, unannotated: str | None
) -> Labelled:
    """Label each window by the event type that covers enough of it.

    Parameters
    ----------
    starts
        First samples.
    sfreq
        Sampling rate in Hz.
    events
        Annotations in seconds, sorted, not overlapping. Those of type `bckg` are background.
    windows
        Length, share and guard.
    unannotated
        Event type of time without an event; None: it has none.

    Notes
    -----
    An event type that covers at least `share` of a window labels it. Background must be pure: a window that
    another type touches, or comes nearer to than `guard` seconds, is background no more. All else is borderline.
    """
    onsets = starts / sfreq
    ends = onsets + windows.length
    covered: dict[str, np.ndarray] = {}
    touched = np.zeros(len(starts), dtype=bool)
    annotated = np.zeros(len(starts))
    for event in events:
        stop = event.onset + event.duration
        seconds = np.clip(np.minimum(ends, stop) - np.maximum(onsets, event.onset), 0, None)
        covered[event.label] = covered.get(event.label, 0) + seconds
        annotated += seconds
        if not matches(BACKGROUND, event.label):
            touched |= (onsets < stop + windows.guard) & (ends > event.onset - windows.guard)
    if unannotated is not None:
        rest = np.clip(windows.length - annotated, 0, None)
        covered[unannotated] = covered.get(unannotated, 0) + rest
    label = [""] * len(starts)
    overlap = np.zeros(len(starts))
    for name, seconds in sorted(covered.items()):
        share = np.minimum(seconds / windows.length, 1.0)
        enough = (share > overlap) & (share >= windows.share - 1e-9)
        if matches(BACKGROUND, name):
            enough &= ~touched
        for row in np.flatnonzero(enough):
            label[row], overlap[row] = name, share[row]
    return Labelled(starts, label, overlap)
