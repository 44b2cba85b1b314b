"""Figure of the probability of a seizure over a recording, with the detected events."""

import io
import re
from html import escape

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from eegwf.evaluation.detector import TICKS, OperatingPoint, timeline

# Hours beyond which the axis is in hours, and seconds beyond which it is in minutes.
HOURS, MINUTES = 2 * 3600.0, 300.0
# Segments above which only the range of each stretch of segments is drawn.
MAX_SEGMENTS = 4000


def timeline_figure(
    name: str, onset: np.ndarray, end: np.ndarray, p: np.ndarray, point: OperatingPoint, events: pd.DataFrame
) -> str:
    """Draw the timeline of a recording.

    Parameters
    ----------
    name
        Name of the recording.
    onset, end
        Onset and end of each window in seconds, `(n_windows,)`.
    p
        Probability of a seizure in each window, `(n_windows,)`.
    point
        Operating point.
    events
        Detected events, as from `detected_events`.

    Returns
    -------
    str
        SVG with a title and a description for screen readers.
    """
    line = timeline(onset, end, p, point.smoothing)
    seconds = float(end.max())
    unit, scale = ("h", 3600.0) if seconds > HOURS else ("min", 60.0) if seconds > MINUTES else ("s", 1.0)
    seizures = events[events["eventType"] != "bckg"]
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "text.parse_math": False}):
        figure = Figure(figsize=(9, 2.6), layout="constrained")
        axes = figure.add_subplot()
        label = "detected seizure"
        for first, length in zip(seizures["onset"].astype(float), seizures["duration"].astype(float), strict=True):
            axes.axvspan(first / scale, (first + length) / scale, color="#d55e00", alpha=0.3, linewidth=0, label=label)
            label = "_"  # one entry in the legend
        start, stop, value = _thinned(line.start / TICKS, line.stop / TICKS, line.value)
        axes.fill_between(
            np.column_stack([start, stop]).ravel() / scale, np.repeat(value, 2), color="#0072b2", linewidth=0.8
        )
        if np.isfinite(point.threshold):
            axes.axhline(point.threshold, color="#333333", linestyle="--", linewidth=0.9, label="threshold")
        axes.set(xlim=(0, seconds / scale), ylim=(0, 1), xlabel=f"Time ({unit})", ylabel="Probability of a seizure")
        axes.set_title(name, fontsize=9, loc="left")
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=8)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return _with_text(file.getvalue(), name, _description(seconds, value, point, seizures))


def _thinned(start: np.ndarray, stop: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At most `MAX_SEGMENTS` segments, each with the largest value of those that it replaces."""
    step = -(-len(value) // MAX_SEGMENTS)
    if step <= 1:
        return start, stop, value
    first = np.arange(0, len(value), step)
    last = np.minimum(first + step, len(value)) - 1
    return start[first], stop[last], np.maximum.reduceat(value, first)


def _description(seconds: float, value: np.ndarray, point: OperatingPoint, seizures: pd.DataFrame) -> str:
    found = ", ".join(
        f"{float(onset):.0f} s to {float(onset) + float(duration):.0f} s"
        for onset, duration in zip(seizures["onset"][:20], seizures["duration"][:20], strict=True)
    )
    threshold = f"threshold {point.threshold:.3g}" if np.isfinite(point.threshold) else "no threshold"
    return (
        f"Probability of a seizure over {seconds:.0f} s, at most {value.max():.3g}, {threshold}; "
        f"{len(seizures)} detected event(s)" + (f": {found}" if found else "") + "."
    )


def _with_text(svg: str, title: str, description: str) -> str:
    """The figure with the title and the description that screen readers read."""
    texts = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    head = re.search(r"<svg [^>]*>", svg)
    assert head is not None, "Matplotlib writes an svg element"
    opened = head[0].replace("<svg ", f'<svg role="img" aria-label="{escape(description)}" ', 1)
    return svg[: head.start()] + opened + texts + svg[head.end() :]
