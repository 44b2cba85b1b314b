"""Scores with their intervals in a figure, all in two paths: a path for each would multiply the size of the page."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from eegwf.report.formats import defined


def draw_intervals(
    axes: Axes,
    entries: Sequence[Mapping[str, Any]],
    positions: np.ndarray,
    marker: dict[str, Any],
    line: dict[str, Any],
    upright: bool = False,
) -> None:
    """Draw scores as markers, and their intervals as lines.

    Parameters
    ----------
    axes
        Axes to draw in.
    entries
        Scores with `value`, `low` and `high`; undefined ones are omitted.
    positions
        Coordinate of each on the other axis.
    marker, line
        Styles.
    upright
        Whether the scores are on the vertical axis.
    """
    values = [entry["value"] if defined(entry["value"]) else np.nan for entry in entries]
    bounds = [(entry["low"], entry["high"]) if defined(entry["low"]) else (np.nan, np.nan) for entry in entries]
    along, across = segments(bounds, np.column_stack([positions, positions]))
    axes.plot(*((across, along) if upright else (along, across)), **line)
    axes.plot(
        *((positions, values) if upright else (values, positions)), **{"markersize": 5, "linestyle": "", **marker}
    )


def segments(x: Sequence[tuple[float, float]], y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join separate lines to one with gaps.

    Parameters
    ----------
    x, y
        Coordinates of both ends of each line, `(n_lines, 2)`.

    Returns
    -------
    x, y : ndarray, ndarray
        Coordinates of all lines, with NaN after each.
    """
    gap = np.full(len(y), np.nan)
    horizontal, vertical = (np.column_stack([np.reshape(ends, (-1, 2)), gap]).ravel() for ends in (x, y))
    return horizontal, vertical
