"""Figures of the probability of a seizure over time: a strip of a snippet, and the timeline of a recording."""

import math
from dataclasses import dataclass

import numpy as np

from eegwf.evaluation.detector import TICKS, Timeline
from eegwf.report import svg
from eegwf.report.detected import DetectedRecording, overlapping
from eegwf.report.drawing import Figure
from eegwf.report.formats import count, duration, number

ANNOTATED, DETECTED, PROBABILITY = "var(--series2)", "var(--series1)", "var(--series0)"
WIDTH, LEFT, RIGHT = 900, 76, 56
N_COLUMNS, N_TIMELINE_COLUMNS = 400, 1200
"""Columns of the curve of a snippet, and of a timeline, which can be enlarged."""
BAR, GRAPH = 7, 40
STRIP = 2 * (BAR + 3) + 4 + GRAPH
"""Pixels: height of a bar of events, of the graph of the probability, and of both."""


@dataclass(frozen=True)
class TimeAxis:
    """Horizontal axis of a figure.

    Attributes
    ----------
    start, end
        Seconds at its left and its right end.
    """

    start: float
    end: float

    def x(self, seconds: float) -> float:
        """Position of a time in pixels; times beyond an end are at the end."""
        fraction = (min(max(seconds, self.start), self.end) - self.start) / (self.end - self.start)
        return LEFT + fraction * (WIDTH - LEFT - RIGHT)

    def ticks(self, y: float) -> list[str]:
        """Labels of times below a position.

        Parameters
        ----------
        y
            Vertical position in pixels.

        Returns
        -------
        list of str
            Elements; seconds, or minutes or hours of long recordings.
        """
        span = self.end - self.start
        unit, name = (1.0, "s") if span <= 300 else (60.0, "min") if span <= 4 * 3600 else (3600.0, "h")
        step = nice_step(span / unit / 10) * unit
        first = math.ceil(self.start / step - 1e-9)
        times = [number_of * step for number_of in range(first, math.floor(self.end / step + 1e-9) + 1)]
        marks = [svg.line(self.x(time), y, self.x(time), y + 4) for time in times]
        labels = [svg.text(self.x(time), y + 15, number(round(time / unit, 6)), "middle") for time in times]
        axis = [svg.line(LEFT, y, WIDTH - RIGHT, y), svg.text(LEFT - 6, y + 15, f"time ({name})", "end", 10)]
        return [*axis, *marks, *labels]


def nice_step(least: float) -> float:
    """Smallest number of the form 1, 2 or 5 times a power of ten that is not below a number."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def timeline_bounds(line: Timeline, start: float, end: float, n_columns: int) -> np.ndarray:
    """Smallest and largest probability in each of equally wide columns of time.

    Parameters
    ----------
    line
        Probability over the recording.
    start, end
        Seconds at the ends of the columns.
    n_columns
        Number of columns.

    Returns
    -------
    array (n_columns, 2)
        NaN where there is no window.
    """
    edges = np.linspace(start, end, n_columns + 1) * TICKS
    first = np.searchsorted(line.stop, edges[:-1], side="right")
    last = np.searchsorted(line.start, edges[1:], side="left")
    bounds = np.full((n_columns, 2), np.nan)
    for column, (low, high) in enumerate(zip(first, last, strict=True)):
        if low < high:
            part = line.value[low:high]
            bounds[column] = part.min(), part.max()
    return bounds


def probability_parts(one: DetectedRecording, axis: TimeAxis, top: float, n_columns: int = N_COLUMNS) -> list[str]:
    """Elements of the strip: annotated and detected events, and the probability below them.

    Parameters
    ----------
    one
        The recording.
    axis
        Horizontal axis.
    top
        Vertical position in pixels; the strip has a height of `STRIP`.
    n_columns
        Number of columns of the curve.

    Returns
    -------
    list of str
    """
    return [*_strip_background(one, top), *_strip_shapes(one, axis, top, n_columns)]


def _strip_background(one: DetectedRecording, top: float) -> list[str]:
    """What does not depend on the time: names of the rows, lines of the probabilities 0 and 1, and the threshold."""
    parts = [
        svg.text(LEFT - 6, top + row * (BAR + 3) + BAR, name, "end", 10)
        for row, name in enumerate(("annotated", "detected"))
    ]
    low, high = top + STRIP, top + STRIP - GRAPH
    parts += [svg.text(LEFT - 6, y + 4, label, "end", 10) for label, y in (("1", high), ("p  0", low))]
    parts += [svg.line(LEFT, y, WIDTH - RIGHT, y, "var(--faint)") for y in (low, high)]
    if one.threshold is not None and math.isfinite(one.threshold):
        y = low - GRAPH * one.threshold
        parts.append(svg.line(LEFT, y, WIDTH - RIGHT, y, "currentColor", dashed=True))
    return parts


def _strip_shapes(one: DetectedRecording, axis: TimeAxis, top: float, n_columns: int) -> list[str]:
    """Events and probability."""
    parts = [
        svg.span(axis.x(onset), y, axis.x(end), y + BAR, color)
        for y, color, spans in (
            (top, ANNOTATED, one.item.seizures),
            (top + BAR + 3, DETECTED, one.detections),
        )
        for onset, end in overlapping(spans, axis.start, axis.end)
    ]
    bounds = top + STRIP - GRAPH * timeline_bounds(one.line, axis.start, axis.end, n_columns)
    return [*parts, svg.curve(LEFT, WIDTH - LEFT - RIGHT, bounds[:, ::-1], PROBABILITY, 1.4)]


def timeline_figure(one: DetectedRecording) -> Figure:
    """Draw the timeline of a recording.

    Parameters
    ----------
    one
        The recording.

    Returns
    -------
    Figure
    """
    axis = TimeAxis(0.0, one.seconds)
    height, width = STRIP + 4, WIDTH - LEFT - RIGHT
    # The script `timeline_zoom` changes the part of the plane that is shown, and the ticks.
    plane = f'class="plane" data-seconds="{one.seconds:.6g}" x="{LEFT}" y="0" width="{width}" height="{height}"'
    shapes = "".join(_strip_shapes(one, axis, 2, N_TIMELINE_COLUMNS))
    parts = [
        *_strip_background(one, 2),
        f'<svg {plane} viewBox="{LEFT} 0 {width} {height}" preserveAspectRatio="none">{shapes}</svg>',
        f'<g class="ticks">{"".join(axis.ticks(height))}</g>',
    ]
    largest = f"largest probability {one.line.value.max():.3f}" if len(one.line.value) else "no predicted window"
    alt = (
        f"Probability of a seizure over {duration(one.seconds)} of {one.place}: "
        f"{count(len(one.item.seizures), 'annotated seizure')}, "
        f"{count(len(one.detections), 'detection')}, {largest}"
    )
    return svg.figure(WIDTH, STRIP + 26, alt, parts, one.place)
