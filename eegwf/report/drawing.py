"""Figures as inline SVG in the colors of the page, light or dark.

Matplotlib draws with placeholder colors, which are then replaced by the CSS variables of the page; the background of a
figure is transparent. Text is kept as text, so that it can be searched and is set in the font of the page. Images
inside figures are PNG.
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

INK, FAINT, ACCENT, WARNING, PAPER = "#010203", "#010204", "#010205", "#010206", "#010207"
SERIES = [f"#0102{number:02x}" for number in range(16, 24)]
MARKERS = "os^Dv<>P"
# Placeholder colors, and what replaces them on the page.
CSS_COLORS = {
    INK: "currentColor",
    FAINT: "var(--faint)",
    ACCENT: "var(--accent)",
    WARNING: "var(--warning)",
    PAPER: "var(--paper)",
} | {color: f"var(--series{number})" for number, color in enumerate(SERIES)}
STYLE: "dict[RcKeyType, Any]" = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.formatter.use_mathtext": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "figure.dpi": 100,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlecolor": INK,
}
DOTS_PER_INCH = 120  # of the images inside figures
TICK = 'style="fill: currentColor; stroke: currentColor; stroke-width: 0.8"'
"""Style of the thousands of ticks, for which the page has a class."""
TICK_CLASS = 'class="tick"'


@dataclass(frozen=True)
class Figure:
    """A drawn figure.

    Attributes
    ----------
    svg
        The figure as safe markup.
    alt
        Alternative text: what the figure shows, in words and numbers.
    title
        Heading; may be empty.
    key
        Prefix of the ids in the SVG, unique on the page.
    canvas
        Figure of Matplotlib, for other formats; None if it was drawn without it.
    """

    svg: Markup
    alt: str
    title: str = ""
    key: str = ""
    canvas: Canvas | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Group:
    """Figures in rows under one caption.

    Attributes
    ----------
    caption
        Caption of all figures; may be empty.
    figures
        The figures.
    small
        Show at least two columns, also on a narrow screen.
    wide
        Keep the size of the figures, and scroll on a narrow screen.
    """

    caption: str
    figures: list[Figure] = field(default_factory=list)
    small: bool = False
    wide: bool = False


class Drawing:
    """A figure that is being drawn.

    Parameters
    ----------
    canvas
        Figure of Matplotlib.
    rows
        Its axes, row by row.

    Attributes
    ----------
    axes
        The first of its axes.
    done
        The finished figure; None before `finish`.
    """

    def __init__(self, canvas: Canvas, rows: list[Axes]):
        self.canvas, self.rows = canvas, rows
        self.axes = rows[0]
        self.done: Figure | None = None

    def finish(self, key: str, alt: str, title: str = "") -> Figure:
        """Convert the figure to SVG.

        Parameters
        ----------
        key
            Prefix of the ids in the SVG, unique on the page.
        alt
            Alternative text.
        title
            Heading.

        Returns
        -------
        Figure
            The finished figure.
        """
        self.done = Figure(Markup(_svg(self.canvas, key, alt)), alt, title, key, self.canvas)
        return self.done


@contextmanager
def drawing(width: float, height: float, rows: int = 1, sharex: bool = False, columns: int = 1) -> Iterator[Drawing]:
    """Start a figure.

    Parameters
    ----------
    width, height
        Size in inches (72 points, 96 pixels on the page).
    rows
        Number of axes, one below another.
    sharex
        Whether they share the x axis.
    columns
        Number of axes in each row.

    Yields
    ------
    Drawing
        The figure; call its `finish` inside the context.
    """
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        canvas = Canvas(figsize=(width, height), layout="constrained")
        axes = canvas.subplots(rows, columns, squeeze=False, sharex=sharex)
        yield Drawing(canvas, list(axes.ravel()))


def _svg(canvas: Canvas, key: str, alt: str) -> str:
    file = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": key}):
        canvas.savefig(file, format="svg", dpi=DOTS_PER_INCH, metadata={"Date": None, "Creator": None})
    text = file.getvalue().decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Only tags are changed: the text between them may be the name of a patient.
    text = re.sub(r"<[^>]*>", lambda tag: _restyled(tag[0], key), text)
    text = re.sub(r">\s+<", "><", text)
    points = re.search(r'width="([\d.]+)pt"', text)
    assert points is not None
    width = float(points[1]) * 4 / 3
    head = f'<svg role="img" aria-label="{Markup.escape(alt)}" style="width: {width:.0f}px" viewBox='
    return re.sub(r"<svg .*?viewBox=", lambda _: head, text, count=1, flags=re.DOTALL).strip()


def _restyled(tag: str, key: str) -> str:
    """A tag with ids that are unique on the page, and with the colors and the font of the page."""
    # Groups have the same ids in every figure, and no element refers to them.
    tag = re.sub(r'^<(g|text) id="[^"]*"', r"<\1", tag)
    tag = re.sub(r'(\sid="|href="#|url\(#)', rf"\g<1>{key}-", tag)
    tag = re.sub(r"#0102[01][0-9a-f]", lambda color: CSS_COLORS[color[0]], tag)
    # Versions of Matplotlib write the font as one property or as two.
    tag = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", tag)
    return _shortened(re.sub(r"font-family: [^;\"]*;? ?", "", tag))


def _shortened(tag: str) -> str:
    """A tag without what does not change the picture: digits below 0.01 pixels, empty rotations, line breaks."""
    tag = re.sub(r'\s(?:d|x|y|width|height|points)="[^"]*"', lambda attribute: _rounded(attribute[0]), tag)
    tag = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", tag).replace(TICK, TICK_CLASS)
    tag = re.sub(r" ?([MLCQHV]) (?=-?[\d.])", r"\1", tag) if tag.startswith("<path") else tag
    return re.sub(r"\s*\n\s*", " ", tag)


def _rounded(text: str) -> str:
    """A text with its numbers rounded to two decimals."""
    return re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), text)


def short(name: str, most: int = 22) -> str:
    """Shorten a name for the label of an axis.

    Parameters
    ----------
    name
        The name.
    most
        Maximum number of characters.

    Returns
    -------
    str
        The name, with an ellipsis if it was longer.
    """
    name = " ".join(str(name).split())
    return name if len(name) <= most else f"{name[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def thin(points: np.ndarray, most: int = 400) -> np.ndarray:
    """Select points of a curve, approximately equally spaced along its length.

    Parameters
    ----------
    points
        Points of the curve, `(n_points, 2)`.
    most
        Maximum number of points.

    Returns
    -------
    ndarray
        Indices of the selected points, including both ends.
    """
    if len(points) <= most:
        return np.arange(len(points))
    length = np.concatenate([[0], np.cumsum(np.abs(np.diff(points, axis=0)).sum(axis=1))])
    return np.unique(np.searchsorted(length, np.linspace(0, length[-1], most)).clip(0, len(points) - 1))


def edges(centers: Sequence[float], log: bool = False) -> np.ndarray:
    """Compute the edges of cells from their centers.

    Parameters
    ----------
    centers
        Centers of the cells, in order.
    log
        Whether edges are halfway between the logarithms of the centers.

    Returns
    -------
    ndarray
        Edges halfway between the centers; the first and last cells are symmetric about their centers.
    """
    values = np.asarray(centers, dtype=float)
    if log:
        values = np.log(values)
    if len(values) == 1:
        bounds = np.array([values[0] - 0.5, values[0] + 0.5])
    else:
        middle = (values[1:] + values[:-1]) / 2
        bounds = np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])
    return np.exp(bounds) if log else bounds


def spaced_in_log(values: Sequence[float]) -> bool:
    """Whether positive values are more evenly spaced on a logarithmic scale than on a linear scale."""
    positions = np.asarray(values, dtype=float)
    if len(positions) < 3 or (positions <= 0).any():
        return False

    def spread(steps: np.ndarray) -> float:
        return float(np.ptp(steps) / np.abs(steps).mean())

    return spread(np.diff(np.log(positions))) < spread(np.diff(positions))
