"""Figures of the attribution maps: mean input, saliency and Grad-CAM of each class, and saliency by derivation."""

from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from eegwf.report.data import ReportData
from eegwf.report.drawing import MARKERS, SERIES, Figure, drawing, edges, short, spaced_in_log
from eegwf.report.formats import listing

UNITS = {"mel": "dB re 1 µV²/Hz", "stft": "dB re 1 µV²/Hz", "cwt": "dB re 1 µV²", "raw": "µV"}
RELATIVE = "relative units"
TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True)
class Pooled:
    """Maps of a spectrogram, averaged over the folds with the number of windows as weight.

    Attributes
    ----------
    spectrogram
        Name of the spectrogram.
    ch_names
        Names of the derivations.
    freqs, times
        Frequencies in Hz and times in s.
    mean, gradcam
        Log power averaged over channels, and Grad-CAM, `(n_classes, n_freqs, n_frames)`; NaN for classes without
        windows.
    saliency
        `(n_classes, n_chans, n_freqs, n_frames)`.
    """

    spectrogram: str
    ch_names: list[str]
    freqs: list[float]
    times: list[float]
    mean: np.ndarray
    gradcam: np.ndarray
    saliency: np.ndarray


def pool_maps(run: ReportData) -> list[Pooled]:
    """Average the maps over the folds; an entry for each spectrogram of the input, none without maps."""
    folds = [fold.maps for fold in run.outer if fold.maps is not None]
    if not folds:
        return []
    weights = np.array([maps.about["n_windows"] for maps in folds], dtype=float)
    pooled = {
        kind: _weighted([getattr(maps, kind) for maps in folds], weights) for kind in ("mean", "saliency", "gradcam")
    }
    parts, first = [], 0
    for array in folds[0].about["arrays"]:
        last = first + len(array["ch_names"])
        parts.append(
            Pooled(
                array["spectrogram"],
                array["ch_names"],
                array.get("freqs") or [0.0],
                array["times"],
                pooled["mean"][:, first:last].mean(axis=1),
                pooled["gradcam"],
                pooled["saliency"][:, first:last],
            )
        )
        first = last
    return parts


def _weighted(maps: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Weighted mean over the folds, weights `(n_folds, n_classes)`; NaN for a class without windows."""
    total = np.zeros(maps[0].shape)
    for values, weight in zip(maps, weights, strict=True):
        weight = weight.reshape(-1, *[1] * (total.ndim - 1))
        total += np.where(weight > 0, values, 0) * weight
    weight_sum = weights.sum(axis=0).reshape(-1, *[1] * (total.ndim - 1))
    return np.divide(total, weight_sum, out=np.full(total.shape, np.nan), where=weight_sum > 0)


def map_figures(part: Pooled, classes: list[str]) -> dict[str, list[Figure]]:
    """Draw the maps of each class.

    Parameters
    ----------
    part
        Maps of a spectrogram.
    classes
        Names of the classes.

    Returns
    -------
    dict
        For each kind of map the figures of the classes with windows, on a common color scale.
    """
    # The 1/f slope of the spectrum dominates the mean; the difference from the first class is free of it.
    difference = part.mean - part.mean[:1]
    difference[0] = np.nan
    signal = "time series" if part.spectrogram == "raw" else "spectrogram"
    kinds = {
        "mean": (part.mean, "viridis", UNITS.get(part.spectrogram, "unit of the input"), f"mean {signal}"),
        "difference": (difference, "RdBu_r", "dB", f"difference from {classes[0]}, mean {signal}"),
        "saliency": (part.saliency.mean(axis=1), "magma", RELATIVE, "saliency"),
        "gradcam": (part.gradcam, "magma", RELATIVE, "Grad-CAM"),
    }
    if part.spectrogram == "raw":
        del kinds["difference"]  # the mean time series has no 1/f slope
    figures: dict[str, list[Figure]] = {}
    for kind, (maps, colors, unit, name) in kinds.items():
        shown = [number for number in range(len(classes)) if np.isfinite(maps[number]).all()]
        if not shown:
            continue
        low, high = float(maps[shown].min()), float(maps[shown].max())
        if kind == "difference":
            high = max(-low, high)
            low = -high
        elif kind != "mean":
            low = 0.0
        figures[kind] = [
            _map_figure(
                part,
                maps[number],
                limits=(low, high),
                colors=colors,
                unit=unit,
                label=classes[number],
                key=f"{part.spectrogram}-{kind}-{number}",
                name=name,
            )
            for number in shown
        ]
    return figures


def _map_figure(
    part: Pooled,
    values: np.ndarray,
    limits: tuple[float, float],
    colors: str,
    unit: str,
    label: str,
    key: str,
    name: str,
) -> Figure:
    log = spaced_in_log(part.freqs)
    with drawing(3.05, 2.35) as figure:
        axes = figure.axes
        if len(part.freqs) > 1:
            times, freqs = edges(part.times), np.maximum(edges(part.freqs, log), 0)
            low, high = limits
            mesh = axes.pcolormesh(
                times, freqs, values, cmap=colors, vmin=low, vmax=high, rasterized=True, antialiased=False
            )
            if log:
                axes.set_yscale("log")
                axes.yaxis.set_major_locator(FixedLocator(TICKS))
                axes.yaxis.set_major_formatter(FuncFormatter(lambda hertz, _: f"{hertz:g}"))
                axes.yaxis.set_minor_formatter(NullFormatter())
                axes.minorticks_off()
            bar = figure.canvas.colorbar(mesh, ax=axes, pad=0.02, aspect=25)
            bar.set_label(unit)
            bar.outline.set_visible(False)
            bar.locator = MaxNLocator(nbins=5)
            bar.update_ticks()
            axes.set(xlabel="time in the window (s)", ylabel="frequency (Hz)")
        else:
            axes.plot(part.times, values[0], color=SERIES[0])
            axes.set(xlabel="time in the window (s)", ylabel=unit, ylim=limits)
        alt = f"{name[0].upper()}{name[1:]} of {label}, {part.spectrogram}: {_map_alt(part, values, unit)}"
        return figure.finish(key, alt, label)


def _map_alt(part: Pooled, values: np.ndarray, unit: str) -> str:
    row, column = np.unravel_index(values.argmax(), values.shape)
    place = (
        f"{part.freqs[row]:.3g} Hz and {part.times[column]:.3g} s"
        if len(part.freqs) > 1
        else f"{part.times[column]:.3g} s"
    )
    text = f"from {values.min():.3g} to {values.max():.3g} {unit}, maximum at {place}"
    if len(part.freqs) > 1:
        profile = values.mean(axis=1)
        text += f"; maximum of the mean over time at {part.freqs[profile.argmax()]:.3g} Hz"
    return text + "."


def channel_figure(part: Pooled, classes: list[str]) -> Figure | None:
    """Draw the saliency of each derivation, averaged over frequency and time.

    Parameters
    ----------
    part
        Maps of a spectrogram.
    classes
        Names of the classes.

    Returns
    -------
    Figure or None
        The figure, with a marker for each class; None if no class has windows.
    """
    by_channel = part.saliency.mean(axis=(2, 3))
    shown = [number for number in range(len(classes)) if np.isfinite(by_channel[number]).all()]
    if not shown:
        return None
    names = [short(name, 14) for name in part.ch_names]
    rows = np.arange(len(names))
    with drawing(4.2, 1.2 + 0.18 * len(names)) as figure:
        axes = figure.axes
        axes.hlines(rows, by_channel[shown].min(axis=0), by_channel[shown].max(axis=0), color=SERIES[7], linewidth=1)
        for number in shown:
            axes.plot(
                by_channel[number],
                rows,
                MARKERS[number % 8],
                color=SERIES[number % 8],
                label=short(classes[number], 16),
                markersize=5,
            )
        axes.set(xlabel=f"mean saliency ({RELATIVE}, 1: mean of all channels)", ylim=(len(names) - 0.4, -0.6))
        axes.set_xlim(0, 1.06 * by_channel[shown].max())
        axes.set_yticks(rows, names, fontsize=8)
        axes.set_ylabel("derivation")
        axes.grid(True, axis="x")
        figure.canvas.legend(loc="outside upper center", ncols=min(len(shown), 3), handletextpad=0.2, columnspacing=1.2)
        highest = [
            f"{classes[number]}: "
            + listing(
                [f"{part.ch_names[row]} {by_channel[number, row]:.2f}" for row in np.argsort(-by_channel[number])[:3]]
            )
            for number in shown
        ]
        alt = f"Saliency by derivation, {part.spectrogram}. Highest values for {'; for '.join(highest)}."
        return figure.finish(f"{part.spectrogram}-channels", alt, f"Saliency by derivation ({part.spectrogram})")
