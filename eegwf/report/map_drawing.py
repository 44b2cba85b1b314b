"""Colors, axes and words of attribution maps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from eegwf.report.drawing import Drawing, edges, short, spaced_in_log
from eegwf.report.pooled_maps import EQUAL

RELATIVE = "relevance (relative units)"
TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200)
MAX_NAMES = 24  # of channels along an axis


@dataclass(frozen=True)
class Scale:
    """Color scale of the maps in a row.

    Attributes
    ----------
    colors
        Name of the color map.
    low, high
        Values at its ends.
    opacity
        Opacity, less than 1 for a method that is not supported.
    signed
        Whether the sign of a value has a meaning.
    """

    colors: str
    low: float
    high: float
    opacity: float
    signed: bool

    @property
    def grayed(self) -> bool:
        """Whether the maps are grayed out."""
        return self.opacity < 1


def scale_of(values: np.ndarray, signed: bool, grayed: bool) -> Scale:
    """Choose one color scale for the maps of a row.

    Parameters
    ----------
    values
        All maps of the row; NaN is ignored.
    signed
        Whether the sign of a value has a meaning; the scale is then symmetric about 0.
    grayed
        Whether to gray out the maps.

    Returns
    -------
    Scale
        The scale.
    """
    high = float(np.abs(np.nan_to_num(values)).max(initial=0)) or 1.0
    if signed:
        return Scale("gray" if grayed else "RdBu_r", -high, high, 0.5 if grayed else 1.0, True)
    low = min(0.0, float(np.nan_to_num(values).min(initial=0)))
    return Scale("Grays" if grayed else "magma", low, high, 0.5 if grayed else 1.0, False)


def draw_cells(axes: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray, scale: Scale) -> ScalarMappable:
    """Draw a map as cells of even color.

    Parameters
    ----------
    axes
        Axes to draw in.
    x, y
        Edges of the cells.
    values
        The map, `(len(y) - 1, len(x) - 1)`.
    scale
        Color scale.

    Returns
    -------
    ScalarMappable
        The map, for a color bar.
    """
    return axes.pcolormesh(
        x,
        y,
        values,
        cmap=scale.colors,
        vmin=scale.low,
        vmax=scale.high,
        alpha=None if scale.opacity == 1 else scale.opacity,
        rasterized=True,
        antialiased=False,
    )


def color_bar(figure: Drawing, mesh: ScalarMappable, label: str, axes: Sequence[Axes] | None = None) -> None:
    """Add the color bar of a row of maps.

    Parameters
    ----------
    figure
        The figure.
    mesh
        One of the maps.
    label
        Quantity and unit.
    axes
        The axes of the row; None for all of the figure.
    """
    bar = figure.canvas.colorbar(mesh, ax=list(axes or figure.rows), pad=0.01, aspect=25)
    bar.set_label(label)
    bar.outline.set_visible(False)
    bar.locator = MaxNLocator(nbins=4)
    bar.update_ticks()


def frequency_edges(freqs: Sequence[float]) -> np.ndarray:
    """Edges of the cells of frequencies, in Hz."""
    return np.maximum(edges(freqs, spaced_in_log(freqs)), 0)


def format_frequencies(axes: Axes, axis: str, freqs: Sequence[float], name: str = "frequency") -> None:
    """Label an axis of frequencies, on a logarithmic scale if the frequencies are.

    Parameters
    ----------
    axes
        Axes.
    axis
        `x` or `y`.
    freqs
        Frequencies in Hz.
    name
        What they are.
    """
    axes.set(**{f"{axis}label": f"{name} (Hz)"})
    if not spaced_in_log(freqs):
        return
    axes.set(**{f"{axis}scale": "log"})
    scaled = axes.xaxis if axis == "x" else axes.yaxis
    scaled.set_major_locator(FixedLocator(TICKS))
    scaled.set_major_formatter(FuncFormatter(lambda hertz, _: f"{hertz:g}"))
    scaled.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


def label_channels(axes: Axes, names: Sequence[str]) -> None:
    """Name the channels on the y axis, the first at the top; not all of them if there are many.

    Parameters
    ----------
    axes
        Axes whose channels are at 0, 1, 2, ...
    names
        Names of the channels.
    """
    step = -(-len(names) // MAX_NAMES)
    axes.set_yticks(range(0, len(names), step), [short(name, 12) for name in names[::step]], fontsize=7)
    axes.set(ylim=(len(names) - 0.5, -0.5), ylabel="channel")


def span_of_maximum(values: np.ndarray, bounds: np.ndarray, unit: str) -> str:
    """Describe where a profile is largest; equal neighbors are one place.

    Parameters
    ----------
    values
        The profile, `(n,)`.
    bounds
        Edges of its cells, `(n + 1,)`.
    unit
        Unit of the edges.

    Returns
    -------
    str
        Such as `4 to 8 Hz`.
    """
    top = int(np.argmax(values))
    near = np.abs(values - values[top]) <= EQUAL * np.abs(values).max()
    first = last = top
    while first > 0 and near[first - 1]:
        first -= 1
    while last < len(values) - 1 and near[last + 1]:
        last += 1
    return f"{bounds[first]:.3g} to {bounds[last + 1]:.3g} {unit}"
