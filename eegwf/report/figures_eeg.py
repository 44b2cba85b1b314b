"""Figure of a stretch of EEG with its annotation and the predictions."""

from collections.abc import Sequence

import numpy as np

from eegwf.report import svg
from eegwf.report.detected import DetectedRecording, overlapping
from eegwf.report.drawing import Figure, short
from eegwf.report.eeg_samples import Snippet
from eegwf.report.figures_timelines import (
    ANNOTATED,
    LEFT,
    RIGHT,
    STRIP,
    WIDTH,
    TimeAxis,
    nice_step,
    probability_parts,
)
from eegwf.report.formats import count, number, seconds
from eegwf.report.shown_relevance import WindowRelevance

EXPLAINED = "var(--series1)"
MAX_COLUMNS, MAX_POINTS = 700, 16_000
"""Columns of a trace, and of all traces of a figure."""
TOP = 5
MAX_SPACING, MIN_SPACING, TRACES = 22, 8, 480
PERCENTILE = 98.0
CLIP = 1.5
"""Spacings of the channels beyond which a trace is cut."""


def spacing_of(n_channels: int) -> float:
    """Pixels from a channel to the next."""
    return min(max(TRACES / n_channels, MIN_SPACING), MAX_SPACING)


def microvolts_of_spacing(voltage: np.ndarray) -> float:
    """Microvolts from a channel to the next, so that most traces do not touch.

    Parameters
    ----------
    voltage
        µV, `(n_chans, n_times)`; NaN for missing samples.

    Returns
    -------
    float
        1, 2 or 5 times a power of ten.
    """
    known = np.abs(voltage[np.isfinite(voltage)])
    size = float(np.percentile(known, PERCENTILE)) if len(known) else 0.0
    return nice_step(1.5 * size) if size > 0 else 100.0


def centered(voltage: np.ndarray) -> np.ndarray:
    """Channels minus their median; channels without a sample stay as they are."""
    filled = np.where(np.isnan(voltage).all(axis=1, keepdims=True), 0.0, voltage)
    return voltage - np.nanmedian(filled, axis=1, keepdims=True)


def eeg_figure(
    snippet: Snippet,
    one: DetectedRecording,
    what: str,
    window: tuple[float, float] | None = None,
    relevance: Sequence[WindowRelevance] = (),
) -> Figure:
    """Draw a stretch of EEG, with annotation and relevance behind it and the probability of a seizure below it.

    Parameters
    ----------
    snippet
        The EEG.
    one
        Its recording with the detections.
    what
        Begin of the alternative text: what is shown.
    window
        Start and end of a window to mark, in seconds.
    relevance
        Explained windows within the stretch, of the same channels.

    Returns
    -------
    Figure
    """
    axis = TimeAxis(snippet.start, snippet.end)
    n_channels = len(snippet.ch_names)
    spacing = spacing_of(n_channels)
    bottom = TOP + n_channels * spacing
    voltage = centered(snippet.voltage())
    scale = microvolts_of_spacing(voltage)
    marked = [svg.rectangle(axis.x(window[0]), 0, axis.x(window[1]), TOP - 1, "var(--accent)")] if window else []
    parts = [
        *marked,
        *_shades(snippet, one, axis, bottom),
        *_relevance(relevance, axis, bottom),
        *_traces(voltage * (spacing / scale), snippet.ch_names, spacing),
        *_scale_bar(bottom, spacing, scale),
        *probability_parts(one, axis, bottom + 8),
        *axis.ticks(bottom + STRIP + 12),
    ]
    return svg.figure(WIDTH, round(bottom + STRIP + 34), _alternative_text(snippet, one, what, scale, relevance), parts)


def _shades(snippet: Snippet, one: DetectedRecording, axis: TimeAxis, bottom: float) -> list[str]:
    """Annotated seizures, and time without a window."""
    missing = np.isnan(snippet.voltage()).all(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]]).astype(int)))
    gaps = snippet.start + edges.reshape(-1, 2) / snippet.sfreq
    shades = [svg.rectangle(axis.x(low), TOP, axis.x(high), bottom, "var(--panel)") for low, high in gaps.tolist()]
    middle = [(axis.x(low) + axis.x(high)) / 2 for low, high in gaps.tolist() if high - low >= 1]
    shades += [svg.text(x, (TOP + bottom) / 2, "no window", "middle") for x in middle]
    for onset, end in overlapping(one.item.seizures, axis.start, axis.end):
        shades.append(svg.rectangle(axis.x(onset), TOP, axis.x(end), bottom, ANNOTATED, 0.15))
        if onset >= axis.start:
            shades.append(svg.line(axis.x(onset), TOP, axis.x(onset), bottom, ANNOTATED, dashed=True))
    return shades


def _relevance(windows: Sequence[WindowRelevance], axis: TimeAxis, bottom: float) -> list[str]:
    """Relevance of explained windows, and dashed lines at their ends."""
    parts = []
    for one in windows:
        parts.append(svg.image(axis.x(one.onset), TOP, axis.x(one.end), bottom, one.pixels()))
        ends = [axis.x(time) for time in one.window if axis.start <= time <= axis.end]
        parts += [svg.line(x, TOP, x, bottom, EXPLAINED, dashed=True) for x in ends]
    return parts


def _traces(pixels: np.ndarray, names: list[str], spacing: float) -> list[str]:
    """Traces of the channels and their names; positive voltages are drawn upward."""
    parts = []
    bounds = np.clip(
        svg.column_bounds(pixels, min(MAX_COLUMNS, MAX_POINTS // len(names))), -CLIP * spacing, CLIP * spacing
    )
    size = 11 if spacing >= 11 else 8
    for row, name in enumerate(names):
        y = TOP + (row + 0.5) * spacing
        parts.append(svg.text(LEFT - 6, y + size / 3, short(name, 11), "end", size))
        parts.append(svg.curve(LEFT, WIDTH - LEFT - RIGHT, y - bounds[row, :, ::-1]))
    return parts


def _scale_bar(bottom: float, spacing: float, scale: float) -> list[str]:
    """A bar as high as the distance of two channels, and its microvolts."""
    x = WIDTH - RIGHT + 4
    bar = svg.rectangle(x, bottom - spacing, x + 3, bottom, "var(--accent)")
    return [bar, svg.text(x + 6, bottom - spacing / 2 + 4, f"{number(scale)} µV", "start", 10)]


def _alternative_text(
    snippet: Snippet, one: DetectedRecording, what: str, scale: float, relevance: Sequence[WindowRelevance]
) -> str:
    inside = overlapping(one.item.seizures, snippet.start, snippet.end)
    annotated = "; ".join(f"annotated seizure from {seconds(low)} s to {seconds(high)} s" for low, high in inside)
    detected = len(overlapping(one.detections, snippet.start, snippet.end))
    shown = (one.item.onset < snippet.end) & (one.item.end > snippet.start)
    largest = f"largest probability of a window {one.item.p[shown].max():.3f}" if shown.any() else "no predicted window"
    explained = "; ".join(part.description() for part in relevance)
    return (
        f"{what}: {count(len(snippet.ch_names), 'channel')} of EEG from {seconds(snippet.start)} s to "
        f"{seconds(snippet.end)} s, {number(scale)} µV between channels; {annotated or 'no annotated seizure'}; "
        f"{count(detected, 'detection')}; {largest}{'; ' if explained else ''}{explained}"
    )
