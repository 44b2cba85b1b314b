"""Small SVG figures drawn without Matplotlib: thousands of points in few bytes, in the colors of the page."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape
from matplotlib.image import imsave

from eegwf.report.drawing import Figure

FINE = 4
"""Units of the vertical coordinates of a path within a pixel."""


def figure(width: int, height: int, alt: str, parts: Sequence[str], title: str = "") -> Figure:
    """Finish a figure.

    Parameters
    ----------
    width, height
        Size in pixels of the page.
    alt
        Alternative text.
    parts
        Elements.
    title
        Heading.

    Returns
    -------
    Figure
    """
    head = f'<svg role="img" aria-label="{escape(alt)}" style="width: {width}px" viewBox="0 0 {width} {height}">'
    return Figure(Markup(f"{head}{''.join(parts)}</svg>"), alt, title)


def text(x: float, y: float, content: str, anchor: str = "start", size: int = 11) -> str:
    """A line of text.

    Parameters
    ----------
    x, y
        Position of its base line.
    content
        The text, which is escaped.
    anchor
        `start`, `middle` or `end`: which of its points is at `x`.
    size
        Size of the font in pixels.

    Returns
    -------
    str
    """
    place = f'x="{x:.4g}" y="{y:.4g}" text-anchor="{anchor}" font-size="{size}" fill="currentColor"'
    return f"<text {place}>{escape(content)}</text>"


def rectangle(left: float, top: float, right: float, bottom: float, fill: str, opacity: float = 1.0) -> str:
    """A filled rectangle, at least one pixel wide.

    Parameters
    ----------
    left, top, right, bottom
        Its edges.
    fill
        Color.
    opacity
        From 0 to 1.

    Returns
    -------
    str
    """
    size = f'width="{max(right - left, 1):.5g}" height="{bottom - top:.5g}"'
    shade = f' opacity="{opacity:g}"' if opacity < 1 else ""
    return f'<rect x="{left:.5g}" y="{top:.5g}" {size} fill="{fill}"{shade}/>'


def span(left: float, top: float, right: float, bottom: float, fill: str) -> str:
    """A filled rectangle of exact width with an outline of one pixel at any magnification, so that it stays visible.

    Parameters
    ----------
    left, top, right, bottom
        Its edges.
    fill
        Color.

    Returns
    -------
    str
    """
    place = f'x="{left:.9g}" y="{top:.5g}" width="{right - left:.9g}" height="{bottom - top:.5g}"'
    return f'<rect {place} fill="{fill}" stroke="{fill}" vector-effect="non-scaling-stroke"/>'


def image(left: float, top: float, right: float, bottom: float, pixels: np.ndarray) -> str:
    """A picture of few pixels, each of which becomes an evenly colored cell.

    Parameters
    ----------
    left, top, right, bottom
        Its edges.
    pixels
        Red, green, blue and opacity from 0 to 255, `(n_rows, n_columns, 4)`.

    Returns
    -------
    str
    """
    file = io.BytesIO()
    imsave(file, pixels.astype(np.uint8), format="png")
    data = base64.b64encode(file.getvalue()).decode()
    place = f'x="{left:.5g}" y="{top:.5g}" width="{right - left:.5g}" height="{bottom - top:.5g}"'
    style = 'preserveAspectRatio="none" style="image-rendering: pixelated"'
    return f'<image {place} {style} href="data:image/png;base64,{data}"/>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = "currentColor", dashed: bool = False) -> str:
    """A straight line, one pixel wide.

    Parameters
    ----------
    x1, y1, x2, y2
        Its ends.
    stroke
        Color.
    dashed
        Whether it is dashed.

    Returns
    -------
    str
    """
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<path d="M{x1:.5g} {y1:.5g}L{x2:.5g} {y2:.5g}" stroke="{stroke}"{dashes}/>'


def curve(left: float, width: float, bounds: np.ndarray, stroke: str = "currentColor", thickness: float = 0.8) -> str:
    """A curve as columns, each from its smallest to its largest value.

    Parameters
    ----------
    left, width
        Position and width of all columns in pixels.
    bounds
        Vertical position of the smallest and of the largest value of each column in pixels, `(n_columns, 2)`; NaN for
        a column without values, where the curve is interrupted.
    stroke, thickness
        Color and width of the line.

    Returns
    -------
    str
    """
    place = f"translate({left:.5g} 0) scale({width / max(len(bounds), 1):.6g} {1 / FINE:g})"
    style = f'fill="none" stroke="{stroke}" stroke-width="{thickness:g}" vector-effect="non-scaling-stroke"'
    return f'<path transform="{place}" {style} d="{path_data(bounds)}"/>'


def path_data(bounds: np.ndarray) -> str:
    """Path through columns in whole units: column number, and `FINE` units in a pixel.

    Parameters
    ----------
    bounds
        As in `curve`.

    Returns
    -------
    str
        Each column is entered at the end that is nearer to where the last one was left.
    """
    commands: list[str] = []
    here: int | None = None
    level = 0  # columns without a change since the last command
    for column, (low, high) in enumerate(np.asarray(bounds) * FINE):
        if np.isnan(low):
            commands += [f"h{level}"] * bool(level)
            here, level = None, 0
            continue
        first, last = round(low), round(high)
        if here is None:
            commands.append(f"M{column} {first}" + (f"v{last - first}" if last > first else "h0"))
            here = last
            continue
        if abs(last - here) < abs(first - here):
            first, last = last, first
        if first == last == here:
            level += 1
            continue
        commands += [f"h{level}"] * bool(level)
        commands.append(f"l1 {first - here}".replace(" -", "-") + (f"v{last - first}" if last != first else ""))
        here, level = last, 0
    return "".join([*commands, *[f"h{level}"] * bool(level)])


def column_bounds(values: np.ndarray, n_columns: int) -> np.ndarray:
    """Smallest and largest value of each of equally wide columns.

    Parameters
    ----------
    values
        Curves, `(n_curves, n_times)`; NaN for missing values.
    n_columns
        Maximum number of columns; there are no more columns than values.

    Returns
    -------
    array (n_curves, n_columns, 2)
        NaN for a column without values.
    """
    n_columns = max(min(n_columns, values.shape[1]), 1)
    first = np.linspace(0, values.shape[1], n_columns, endpoint=False).astype(int)
    return np.stack([bound.reduceat(values, first, axis=1) for bound in (np.fmin, np.fmax)], axis=-1)
