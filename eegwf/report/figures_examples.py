"""Figures of single windows: the EEG with the relevance of its samples, and maps of time and frequency."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from eegwf.report.drawing import INK, SERIES, Figure, drawing, edges, short
from eegwf.report.formats import listing, number
from eegwf.report.map_drawing import (
    Scale,
    color_bar,
    draw_cells,
    format_frequencies,
    frequency_edges,
    span_of_maximum,
)
from eegwf.report.pooled_maps import Part, varies

N_COLUMNS = 400  # of a trace and of the relevance behind it
SCALED = "relevance\n(largest value of each map: 1)"


@dataclass(frozen=True)
class Trace:
    """The EEG of a window.

    Attributes
    ----------
    ch_names
        Names of the channels.
    voltage, relevance
        µV, and the relevance of each sample (0 for a model without a gradient), `(n_chans, n_times)`, with the
        context of the window.
    sfreq
        Sampling rate in Hz.
    seizures
        Start and end of the annotated seizures in seconds from the onset of the window, and their types.
    context
        Seconds of context before the window, and after it.
    """

    ch_names: list[str]
    voltage: np.ndarray
    relevance: np.ndarray
    sfreq: float
    seizures: list[tuple[float, float, str]]
    context: float = 0.0

    @property
    def duration(self) -> float:
        """Length of the window with its context in seconds."""
        return self.voltage.shape[1] / self.sfreq

    @property
    def limits(self) -> tuple[float, float]:
        """Start and end in seconds from the onset of the window."""
        return 0.0 - self.context, self.duration - self.context


def trace_figure(trace: Trace, name: str, key: str) -> Figure:
    """Draw the EEG of a window, the relevance of its samples as shade, and the annotated seizures.

    Parameters
    ----------
    trace
        The EEG.
    name
        Name of the window in the alternative text.
    key
        Prefix of ids.

    Returns
    -------
    Figure
        The channels one below another on a common voltage scale, with a scale bar.
    """
    voltage = trace.voltage - np.median(trace.voltage, axis=1, keepdims=True)
    step = float(np.quantile(np.abs(voltage), 0.995)) * 1.6 or 1.0
    n_chans = len(voltage)
    with drawing(7.6, 0.9 + 0.42 * n_chans) as figure:
        axes = figure.axes
        _shade(axes, trace)
        for start, end, _ in trace.seizures:
            axes.axvspan(start, end, ymin=0.96, color=SERIES[2], linewidth=0)
            axes.axvspan(start, end, color=SERIES[2], alpha=0.15, linewidth=0, zorder=0)
        for row, channel in enumerate(voltage):
            times, values = _envelope(channel, trace.sfreq)
            axes.plot(times - trace.context, row - values / step, color=INK, linewidth=0.5)
        axes.set(xlim=trace.limits, ylim=(n_chans - 0.3, -0.9), xlabel="time in the window (s)")
        if trace.context:
            _mark_window(axes, trace.limits[1] - trace.context)
        axes.set_yticks(range(n_chans), [short(channel, 12) for channel in trace.ch_names], fontsize=8)
        axes.set_ylabel("channel")
        bar = _scale_bar(axes, step, trace, n_chans)
        highest = listing([_span(trace, row) for row in range(min(3, n_chans))]) if trace.relevance.any() else "none"
        spans = [f"{label} annotated from {start:.3g} to {end:.3g} s" for start, end, label in trace.seizures]
        beside = f", of which {trace.context:.3g} s before and after the window" if trace.context else ""
        alt = (
            f"EEG of {name}: {n_chans} channels over {trace.duration:.3g} s{beside}, scale bar {number(bar)} µV. "
            f"{'; '.join(spans) or 'No annotated seizure'}. Samples of the largest relevance: {highest}."
        )
        return figure.finish(key, alt)


def _shade(axes: Axes, trace: Trace) -> None:
    """Relevance behind the traces: transparent where it is 0, so that it can be seen on a light and a dark page."""
    values = np.stack([_largest(channel) for channel in trace.relevance])
    values = values / (np.abs(values).max() or 1.0)
    colors = np.where((values > 0)[..., None], [0.93, 0.42, 0.13], [0.2, 0.5, 0.9])
    shade = np.concatenate([colors, 0.75 * np.abs(values)[..., None]], axis=2)
    axes.imshow(
        shade,
        extent=(*trace.limits, len(values) - 0.5, -0.5),
        aspect="auto",
        interpolation="none",
        zorder=0,
    )


def _largest(values: np.ndarray) -> np.ndarray:
    """Value of largest magnitude in each of at most `N_COLUMNS` equal pieces."""
    pieces = np.array_split(values, min(N_COLUMNS, len(values)))
    return np.array([piece[np.abs(piece).argmax()] for piece in pieces])


def _envelope(values: np.ndarray, sfreq: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of a trace; of long ones the smallest and largest value of each piece."""
    times = np.arange(len(values)) / sfreq
    if len(values) <= 2 * N_COLUMNS:
        return times, values
    pieces = np.array_split(np.arange(len(values)), N_COLUMNS)
    kept = [sorted((piece[values[piece].argmin()], piece[values[piece].argmax()])) for piece in pieces]
    index = np.concatenate(kept)
    return times[index], values[index]


def _mark_window(axes: Axes, length: float) -> None:
    """Mark onset and end of the window beside its context."""
    for seconds in (0.0, length):
        axes.axvline(seconds, color=INK, linewidth=0.8, linestyle="--")


def _scale_bar(axes: Axes, step: float, trace: Trace, n_chans: int) -> float:
    """Draw a vertical bar of a round voltage to the right of the traces; returns the voltage."""
    magnitude = 10.0 ** np.floor(np.log10(step))
    bar = max((factor * magnitude for factor in (1, 2, 5) if factor * magnitude <= step), default=magnitude)
    begin, bottom = trace.limits[0], n_chans - 0.55
    x = begin + 1.012 * trace.duration
    axes.plot([x, x], [bottom, bottom - bar / step], color=INK, linewidth=2, clip_on=False, solid_capstyle="butt")
    axes.text(begin + 1.02 * trace.duration, bottom - bar / step / 2, f"{number(bar)} µV", va="center", fontsize=8)
    return bar


def _span(trace: Trace, row: int) -> str:
    sample = int(np.abs(trace.relevance[row]).argmax())
    return f"{trace.ch_names[row]} at {sample / trace.sfreq - trace.context:.2f} s"


def map_row(
    maps: dict[str, np.ndarray],
    part: Part,
    scales: dict[str, Scale],
    name: str,
    key: str,
    window: float | None = None,
) -> Figure | None:
    """Draw maps of a window side by side, over the axes on which each varies.

    Parameters
    ----------
    maps
        Maps `(n_freqs, n_frames)` by title, each with a largest magnitude of 1.
    part
        The spectrogram.
    scales
        Color scales by title; their limits are equal.
    name
        Name of the window in the alternative text.
    key
        Prefix of ids.
    window
        Length in seconds of a window with context, whose onset and end are marked; None without context.

    Returns
    -------
    Figure or None
        Cells of time x frequency, or a line over the only axis on which a map varies. None if no map varies.
    """
    shown = {title: values for title, values in maps.items() if varies(values, 0) or varies(values, 1)}
    if not shown:
        return None
    texts, meshes = [], {}
    with drawing(1.3 + 1.75 * len(shown), 2.35, columns=len(shown)) as figure:
        for axes, (title, values) in zip(figure.rows, shown.items(), strict=True):
            mesh, text = _map(axes, values, part, scales[title])
            if window is not None and varies(values, 1):
                _mark_window(axes, window)
            if mesh is not None:
                meshes[scales[title].grayed] = mesh
            axes.set_title(_heading(title, scales[title]), fontsize=8.5)
            texts.append(f"{title}{', grayed out' if scales[title].grayed else ''}: {text}")
            if mesh is not None and axes is not figure.axes and axes.get_ylabel() == figure.axes.get_ylabel():
                axes.set(ylabel="")
        if meshes:
            color_bar(figure, meshes[min(meshes)], SCALED)  # in color, if a map is
        return figure.finish(key, f"Maps of {name}, {part.spectrogram}. {'; '.join(texts)}.")


def _heading(title: str, scale: Scale) -> str:
    return f"{short(title, 24)}\n{'not supported' if scale.grayed else ''}"


def _map(axes: Axes, values: np.ndarray, part: Part, scale: Scale):
    """Draw a map; returns the cells, if any, and the text of where it is largest."""
    times, freqs = edges(part.times), frequency_edges(part.freqs)
    largest = np.abs(values) if scale.signed else values
    over_time, over_freqs = varies(values, 1), varies(values, 0)
    color = SERIES[7] if scale.grayed else SERIES[0]
    if over_time and over_freqs:
        mesh = draw_cells(axes, times, freqs, values, scale)
        format_frequencies(axes, "y", part.freqs, part.row_name)
        axes.set(xlabel="time (s)")
        row = int(largest.max(axis=1).argmax())
        place = f"{span_of_maximum(largest[:, largest[row].argmax()], freqs, 'Hz')}, "
        return mesh, f"largest at {place}{span_of_maximum(largest[row], times, 's')}"
    margin = 0.05 * (scale.high - scale.low)
    limits = (scale.low - margin * scale.signed, scale.high + margin)
    if over_time:
        profile, bounds = _coarse(values.mean(axis=0), times)
        axes.stairs(profile, bounds, baseline=None, color=color, alpha=scale.opacity)
        axes.set(xlabel="time (s)", ylabel="relevance", ylim=limits)
        place = span_of_maximum(largest.mean(axis=0), times, "s")
        return None, f"{'equal at all frequencies, ' if len(values) > 1 else ''}largest at {place}"
    bounds = np.maximum(freqs, part.freqs[0] / 2)
    axes.stairs(values.mean(axis=1), bounds, baseline=None, orientation="horizontal", color=color, alpha=scale.opacity)
    format_frequencies(axes, "y", part.freqs, part.row_name)
    axes.set(xlabel="relevance", xlim=limits)
    return None, f"equal at all times, largest at {span_of_maximum(largest.mean(axis=1), freqs, 'Hz')}"


def _coarse(profile: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most `N_COLUMNS` pieces of a profile with the value of largest magnitude in each, and their edges."""
    if len(profile) <= N_COLUMNS:
        return profile, bounds
    pieces = np.array_split(np.arange(len(profile)), N_COLUMNS)
    return _largest(profile), bounds[[*(piece[0] for piece in pieces), len(profile)]]
