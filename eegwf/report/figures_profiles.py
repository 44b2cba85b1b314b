"""Figures of mean maps: channel x frequency, along the axes on which a map varies, and by clinical band."""

import numpy as np

from eegwf.report.drawing import MARKERS, SERIES, Figure, drawing, short
from eegwf.report.formats import count, listing
from eegwf.report.map_drawing import (
    RELATIVE,
    Scale,
    color_bar,
    draw_cells,
    format_frequencies,
    frequency_edges,
    label_channels,
    span_of_maximum,
)
from eegwf.report.pooled_maps import Part, PooledMaps, band_means, varies

GRAY = SERIES[7]


def mean_figure(
    pooled: PooledMaps, part: Part, values: np.ndarray, scale: Scale, name: str, key: str, unit: str = RELATIVE
) -> Figure | None:
    """Draw the means of the classes, correctly and wrongly answered windows apart.

    Parameters
    ----------
    pooled
        Pooled maps.
    part
        The spectrogram.
    values
        Means of one method, `(n_classes, 2, n_chans, n_freqs)`, of the channels of the spectrogram.
    scale
        Color scale of the row.
    name
        Name of the maps in the alternative text.
    key
        Prefix of ids.
    unit
        Quantity and unit.

    Returns
    -------
    Figure or None
        Cells of channel x frequency; dots by channel or a line over frequency if the maps do not vary along the other
        axis. None if they vary along none.
    """
    panels = pooled.panels()
    chosen = np.stack([values[panel] for panel in panels])
    by_channel, by_frequency = varies(chosen, 1), varies(chosen, 2)
    if by_channel and by_frequency:
        return _cells(pooled, part, chosen, scale, name, key, unit)
    if by_frequency:
        return _line(pooled, part, chosen[:, 0], scale, name, key, unit)
    return _dots(pooled, part, chosen[:, :, 0], scale, name, key, unit) if by_channel else None


def _cells(pooled: PooledMaps, part: Part, values: np.ndarray, scale: Scale, name: str, key: str, unit: str) -> Figure:
    freqs, rows = frequency_edges(part.freqs), np.arange(len(part.ch_names) + 1) - 0.5
    texts = []
    height = 1.05 + 0.11 * min(max(len(part.ch_names), 8), 24)
    with drawing(1.5 + 1.45 * len(values), height, columns=len(values)) as figure:
        for axes, panel, picture in zip(figure.rows, pooled.panels(), values, strict=True):
            mesh = draw_cells(axes, freqs, rows, picture, scale)
            format_frequencies(axes, "x", part.freqs, part.row_name)
            label_channels(axes, part.ch_names)
            if axes is not figure.axes:
                axes.set(ylabel="")
                axes.set_yticks([])
            axes.set_title(_title(pooled, panel), fontsize=8.5)
            largest = np.abs(picture) if scale.signed else picture
            row = int(largest.max(axis=1).argmax())
            place = f"{part.ch_names[row]}, {span_of_maximum(largest[row], freqs, 'Hz')}"
            value = picture[row, largest[row].argmax()]
            texts.append(f"{_heading(pooled, panel)} largest at {place} ({value:.3g})")
        color_bar(figure, mesh, _wrapped(unit))
        alt = f"{name} by channel and {part.row_name}, {unit}. {'; '.join(texts)}."
        return figure.finish(key, alt)


def _line(pooled: PooledMaps, part: Part, values: np.ndarray, scale: Scale, name: str, key: str, unit: str) -> Figure:
    freqs = frequency_edges(part.freqs)
    texts = []
    with drawing(5.2, 2.5) as figure:
        axes = figure.axes
        for (label, outcome), line in zip(pooled.panels(), values, strict=True):
            axes.stairs(
                line,
                np.maximum(freqs, part.freqs[0] / 2),
                color=GRAY if scale.grayed else SERIES[label % 8],
                alpha=scale.opacity,
                linestyle=("-", (0, (3, 1.5)))[outcome],
                linewidth=1.2 + label,  # classes can be told apart without colors
                baseline=None,
                label=pooled.label((label, outcome)),
            )
            largest = np.abs(line) if scale.signed else line
            texts.append(
                f"{_heading(pooled, (label, outcome))} largest at {span_of_maximum(largest, freqs, 'Hz')} "
                f"({line[largest.argmax()]:.3g})"
            )
        format_frequencies(axes, "x", part.freqs, part.row_name)
        axes.set(ylabel=_wrapped(unit))
        axes.grid(True)
        figure.canvas.legend(loc="outside right upper")
        alt = f"{name} by {part.row_name}, equal at all channels, {unit}. {'; '.join(texts)}."
        return figure.finish(key, alt)


def _dots(pooled: PooledMaps, part: Part, values: np.ndarray, scale: Scale, name: str, key: str, unit: str) -> Figure:
    rows = np.arange(len(part.ch_names))
    texts = []
    with drawing(5.2, 1.2 + 0.13 * len(rows)) as figure:
        axes = figure.axes
        for (label, outcome), dots in zip(pooled.panels(), values, strict=True):
            axes.plot(dots, rows, linestyle="", label=pooled.label((label, outcome)), **_marker(label, outcome, scale))
            order = np.argsort(-(np.abs(dots) if scale.signed else dots))[:3]
            highest = listing([f"{part.ch_names[row]} ({dots[row]:.3g})" for row in order])
            texts.append(f"{_heading(pooled, (label, outcome))} largest at {highest}")
        label_channels(axes, part.ch_names)
        axes.set(xlabel=unit)
        axes.grid(True, axis="x")
        figure.canvas.legend(loc="outside right upper", handletextpad=0.2)
        alt = f"{name} by channel, {unit}. {'; '.join(texts)}."
        return figure.finish(key, alt)


def band_figure(pooled: PooledMaps, part: Part, values: np.ndarray, scale: Scale, name: str, key: str) -> Figure | None:
    """Draw the mean of each clinical band.

    Parameters
    ----------
    pooled, part, values, scale, name, key
        As in `mean_figure`.

    Returns
    -------
    Figure or None
        Dots by band, class and outcome; None if the maps do not vary along the frequency or there is one band, and for
        repetition rates, which are not those bands of the signal.
    """
    names = pooled.about["bands"]
    panels = pooled.panels()
    chosen = np.stack([values[panel] for panel in panels])
    if part.is_correlation or len(names) < 2 or not varies(chosen, 2):
        return None
    means = band_means(chosen, part.freqs, names).mean(axis=1)
    shift = np.linspace(-0.25, 0.25, len(panels)) if len(panels) > 1 else [0.0]
    texts = []
    with drawing(4.3, 2.3) as figure:
        axes = figure.axes
        for (label, outcome), dots, offset in zip(panels, means, shift, strict=True):
            style = _marker(label, outcome, scale)
            x = np.arange(len(names)) + offset
            axes.vlines(x, 0, dots, color=style["color"], alpha=scale.opacity, linewidth=1.2)
            axes.plot(x, dots, linestyle="", label=pooled.label((label, outcome)), **style)
            of_bands = ", ".join(f"{band} {dot:.3g}" for band, dot in zip(names, dots, strict=True))
            texts.append(f"{_heading(pooled, (label, outcome))} {of_bands}")
        axes.axhline(0, color="#010203", linewidth=0.8)
        axes.set_xticks(range(len(names)), names)
        axes.set(xlabel="band", ylabel=_wrapped(RELATIVE))
        axes.grid(True, axis="y")
        figure.canvas.legend(loc="outside upper center", ncols=2, handletextpad=0.2, columnspacing=1.2)
        return figure.finish(key, f"{name} by clinical band, mean over channels, {RELATIVE}. {'; '.join(texts)}.")


def _marker(label: int, outcome: int, scale: Scale) -> dict:
    """Marker of a class, filled for correctly answered windows."""
    return {
        "marker": MARKERS[label % 8],
        "color": GRAY if scale.grayed else SERIES[label % 8],
        "fillstyle": ("full", "none")[outcome],
        "alpha": scale.opacity,
        "markersize": 5,
    }


def _title(pooled: PooledMaps, panel: tuple[int, int]) -> str:
    """Class, outcome and number of windows in two lines."""
    return f"{short(pooled.label(panel), 22)}\n{count(int(pooled.n_windows[panel]), 'window')}"


def _heading(pooled: PooledMaps, panel: tuple[int, int]) -> str:
    return f"{pooled.label(panel)} ({count(int(pooled.n_windows[panel]), 'window')}):"


def _wrapped(unit: str) -> str:
    return unit.replace(" (", "\n(")
