"""Figures of the page as files of their own, in the light colors of the page."""

import io
import re
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.colors import to_hex, to_rgba, to_rgba_array
from matplotlib.text import Text

from eegwf.report.drawing import CSS_COLORS, STYLE, TICK, TICK_CLASS, Figure

STYLE_SHEET = Path(__file__).with_name("style.css")
# Properties of artists that hold colors.
COLORED = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")


def light_colors() -> dict[str, str]:
    """Colors of the light page by the CSS values that its figures have instead, from the style sheet."""
    light = STYLE_SHEET.read_text(encoding="utf-8").partition("@media")[0]
    colors = {f"var({name})": color for name, color in re.findall(r"(--\w+): (#[0-9a-f]{6})", light)}
    return {**colors, "currentColor": colors["var(--ink)"]}


def svg(figure: Figure) -> bytes:
    """A figure as an SVG file, which other programs can open.

    Parameters
    ----------
    figure
        The figure.

    Returns
    -------
    bytes
        SVG with its own colors and its alternative text.
    """
    colors = light_colors()
    pattern = re.compile("|".join(map(re.escape, sorted(colors, key=len, reverse=True))))
    # Only tags have colors: the text between them may be the name of a patient.
    text = str(figure.svg).replace(TICK_CLASS, TICK)
    text = re.sub(r"<[^>]*>", lambda tag: pattern.sub(lambda name: colors[name[0]], tag[0]), text)
    head = '<svg xmlns:xlink="http://www.w3.org/1999/xlink" font-family="sans-serif" '
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text.replace("<svg ", head, 1)}\n'.encode()


def pdf(figure: Figure) -> bytes:
    """A figure as a PDF file.

    Parameters
    ----------
    figure
        The figure; its artists get the colors of the light page.

    Returns
    -------
    bytes
        PDF without a date; equal figures give equal bytes.

    Raises
    ------
    ValueError
        If the figure was drawn without Matplotlib.
    """
    if figure.canvas is None:
        raise ValueError("the figure was drawn without Matplotlib, which writes PDF")
    colors = light_colors()
    placeholders = {placeholder: colors[css] for placeholder, css in CSS_COLORS.items()}
    # The layout was computed for the page.
    figure.canvas.set_layout_engine("none")
    # `findobj` leaves out ticks that an earlier layout made; another layout can show them again.
    axes = [axis for one in figure.canvas.axes for axis in (one.xaxis, one.yaxis)]
    ticks = [tick for axis in axes for tick in (*axis.majorTicks, *axis.minorTicks)]
    artists = [*figure.canvas.findobj(), *(part for tick in ticks for part in tick.findobj())]
    # `findobj` leaves out the boxes behind texts.
    boxes = [box for artist in artists if isinstance(artist, Text) and (box := artist.get_bbox_patch())]
    for artist in [*artists, *boxes]:
        _recolor(artist, placeholders)
    file = io.BytesIO()
    metadata = {"CreationDate": None, "Creator": None, "Producer": None, "Title": figure.title or figure.key}
    with mpl.rc_context({**STYLE, "pdf.fonttype": 42}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.canvas.savefig(file, format="pdf", metadata=metadata)
    return file.getvalue()


def _recolor(artist: Artist, placeholders: dict[str, str]) -> None:
    for name in COLORED:
        value = getattr(artist, f"get_{name}", lambda: None)()
        if value is None or (isinstance(value, str) and value in ("none", "auto")):
            continue
        found, changed = _recolored(value, placeholders)
        if changed:
            getattr(artist, f"set_{name}")(found)


def _recolored(value: Any, placeholders: dict[str, str]) -> tuple[Any, bool]:
    """Colors without placeholders, and whether there were any; the opacity stays."""
    rows = [tuple(row) for row in to_rgba_array(value)]
    new = [to_rgba(placeholders[to_hex(row)], row[3]) if to_hex(row) in placeholders else row for row in rows]
    return (new[0] if len(new) == 1 else new), new != rows
