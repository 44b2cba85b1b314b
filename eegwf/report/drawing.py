"""Figures as inline SVG that follow the page's light or dark colours.

Matplotlib draws with stand-in colours, which are then replaced by the page's CSS variables; what lies behind a figure
is the page. Text stays text, so it can be searched and takes the page's font. Images inside figures are PNG.
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

INK, FAINT, ACCENT, ALARM, PAPER = "#010203", "#010204", "#010205", "#010206", "#010207"
SERIES = [f"#0102{number:02x}" for number in range(16, 24)]
MARKERS = "os^Dv<>P"
_CSS = {
    INK: "currentColor",
    FAINT: "var(--faint)",
    ACCENT: "var(--accent)",
    ALARM: "var(--alarm)",
    PAPER: "var(--paper)",
} | {colour: f"var(--series{number})" for number, colour in enumerate(SERIES)}
STYLE = {
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
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "axes.titlecolor"), INK
    ),
}
DOTS_PER_INCH = 160  # of the images inside figures


@dataclass(frozen=True)
class Figure:
    """A drawn figure: safe SVG, what it shows in words and numbers, and its heading."""

    svg: Markup
    alt: str
    title: str = ""


@dataclass(frozen=True)
class Group:
    """Figures that stand side by side where there is room, under one caption.

    Small ones stand in two columns at least; wide ones keep their size, and scroll on a narrow screen.
    """

    caption: str
    figures: list[Figure] = field(default_factory=list)
    small: bool = False
    wide: bool = False


class Drawing:
    """One figure in the making.

    Attributes
    ----------
    canvas, axes
        Matplotlib's figure, and its axes (one, or an array of them).
    """

    def __init__(self, canvas: Canvas, axes: Axes | np.ndarray):
        self.canvas, self.axes = canvas, axes
        self.done: Figure | None = None

    def finish(self, key: str, alt: str, title: str = "") -> Figure:
        """Make the SVG; `key` is unique on the page."""
        self.done = Figure(Markup(_svg(self.canvas, key, alt)), alt, title)
        return self.done


@contextmanager
def drawing(width: float, height: float, rows: int = 1, **subplots) -> Iterator[Drawing]:
    """Start a figure of `width` by `height` inches (72 points, about 96 pixels on the page)."""
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        canvas = Canvas(figsize=(width, height), layout="constrained")
        yield Drawing(canvas, canvas.subplots(rows, **subplots))


def _svg(canvas: Canvas, key: str, alt: str) -> str:
    file = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": key}):
        canvas.savefig(file, format="svg", dpi=DOTS_PER_INCH, metadata={"Date": None, "Creator": None})
    text = file.getvalue().decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Tags alone are changed: what stands between them is text, a patient's name perhaps.
    text = re.sub(r"<[^>]*>", lambda tag: _restyled(tag[0], key), text)
    width = float(re.search(r'width="([\d.]+)pt"', text)[1]) * 4 / 3
    head = f'<svg role="img" aria-label="{Markup.escape(alt)}" style="width: {width:.0f}px" viewBox='
    return re.sub(r"<svg .*?viewBox=", lambda _: head, text, count=1, flags=re.DOTALL).strip()


def _restyled(tag: str, key: str) -> str:
    """A tag with ids of its own figure, the page's colours and the page's font."""
    # Groups are named alike in every figure, and nothing refers to them.
    tag = re.sub(r'^<(g|text) id="[^"]*"', r"<\1", tag)
    tag = re.sub(r'(\sid="|href="#|url\(#)', rf"\g<1>{key}-", tag)
    tag = re.sub(r"#0102[01][0-9a-f]", lambda found: _CSS[found[0]], tag)
    return re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px; font-family: inherit", tag)


def short(name: str, most: int = 22) -> str:
    """A name that fits beside an axis."""
    name = " ".join(str(name).split())
    return name if len(name) <= most else f"{name[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def thin(points: np.ndarray, most: int = 400) -> np.ndarray:
    """Indices of at most `most` points along a curve: about evenly spaced in its length, ends included."""
    if len(points) <= most:
        return np.arange(len(points))
    length = np.concatenate([[0], np.cumsum(np.abs(np.diff(points, axis=0)).sum(axis=1))])
    return np.unique(np.searchsorted(length, np.linspace(0, length[-1], most)).clip(0, len(points) - 1))


def edges(centres: Sequence[float], log: bool = False) -> np.ndarray:
    """Edges of cells with these centres: midway between two (in log, where asked), the outer ones mirrored."""
    centres = np.asarray(centres, dtype=float)
    values = np.log(centres) if log else centres
    if len(values) == 1:
        found = np.array([values[0] - 0.5, values[0] + 0.5])
    else:
        middle = (values[1:] + values[:-1]) / 2
        found = np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])
    return np.exp(found) if log else found


def spaced_in_log(values: Sequence[float]) -> bool:
    """Whether positive values are more evenly spaced in their logarithm than as they are."""
    values = np.asarray(values, dtype=float)
    if len(values) < 3 or (values <= 0).any():
        return False

    def spread(steps: np.ndarray) -> float:
        return float(np.ptp(steps) / np.abs(steps).mean())

    return spread(np.diff(np.log(values))) < spread(np.diff(values))
