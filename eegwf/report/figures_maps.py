"""Figures of the explanation: mean spectrogram, saliency and Grad-CAM of each class, saliency by channel."""

from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter

from eegwf.report.data import Run
from eegwf.report.drawing import MARKERS, SERIES, Figure, drawing, edges, short, spaced_in_log
from eegwf.report.formats import listing

UNITS = {"mel": "dB re 1 µV²/Hz", "stft": "dB re 1 µV²/Hz", "cwt": "dB re 1 µV²", "raw": "µV"}
RELATIVE = "relative units"
TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True)
class Pooled:
    """Maps of one spectrogram, all folds pooled, a fold weighing as many windows as it averaged.

    Attributes
    ----------
    spectrogram, ch_names, freqs, times
        Its name and axes, in Hz and s.
    mean, gradcam
        `(n_classes, n_freqs, n_times)`: log power averaged over channels, and Grad-CAM; NaN without windows.
    saliency
        `(n_classes, n_chans, n_freqs, n_times)`.
    """

    spectrogram: str
    ch_names: list[str]
    freqs: list[float]
    times: list[float]
    mean: np.ndarray
    gradcam: np.ndarray
    saliency: np.ndarray


def pool_maps(run: Run) -> list[Pooled]:
    """Pool the folds' maps; an entry for each spectrogram that enters the model, none without maps."""
    found = [fold.maps for fold in run.outer if fold.maps is not None]
    if not found:
        return []
    weights = np.array([maps.about["n_windows"] for maps in found], dtype=float)
    pooled = {
        kind: _weighted([getattr(maps, kind) for maps in found], weights) for kind in ("mean", "saliency", "gradcam")
    }
    parts, first = [], 0
    for array in found[0].about["arrays"]:
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
    """Mean over folds; weights `(n_folds, n_classes)`. A class without any window is NaN."""
    total = np.zeros(maps[0].shape)
    for one, weight in zip(maps, weights, strict=True):
        weight = weight.reshape(-1, *[1] * (total.ndim - 1))
        total += np.where(weight > 0, one, 0) * weight
    whole = weights.sum(axis=0).reshape(-1, *[1] * (total.ndim - 1))
    return np.divide(total, whole, out=np.full(total.shape, np.nan), where=whole > 0)


def map_figures(part: Pooled, classes: list[str]) -> dict[str, list[Figure]]:
    """For each kind of map a figure for every class that has one, on one colour scale."""
    # The 1/f slope hides what tells the classes apart; against the first class it shows.
    difference = part.mean - part.mean[:1]
    difference[0] = np.nan
    seen = "time series" if part.spectrogram == "raw" else "spectrogram"
    kinds = {
        "mean": (part.mean, "viridis", UNITS.get(part.spectrogram, "as given"), f"mean {seen}"),
        "difference": (difference, "RdBu_r", "dB", f"difference from {classes[0]}, mean {seen}"),
        "saliency": (part.saliency.mean(axis=1), "magma", RELATIVE, "saliency"),
        "gradcam": (part.gradcam, "magma", RELATIVE, "Grad-CAM"),
    }
    if part.spectrogram == "raw":
        del kinds["difference"]  # no slope to hide anything
    figures: dict[str, list[Figure]] = {}
    for kind, (maps, colours, unit, told) in kinds.items():
        kept = [at for at in range(len(classes)) if np.isfinite(maps[at]).all()]
        if not kept:
            continue
        low, high = float(maps[kept].min()), float(maps[kept].max())
        if kind == "difference":
            high = max(-low, high)
            low = -high
        elif kind != "mean":
            low = 0.0
        figures[kind] = [
            _map_figure(
                part, maps[at], (low, high), colours, unit, classes[at], f"{part.spectrogram}-{kind}-{at}", told
            )
            for at in kept
        ]
    return figures


def _map_figure(part: Pooled, values, limits, colours, unit, label, key, told) -> Figure:
    log = spaced_in_log(part.freqs)
    with drawing(3.05, 2.35) as figure:
        axes = figure.axes
        if len(part.freqs) > 1:
            cells = edges(part.times), np.maximum(edges(part.freqs, log), 0)
            low, high = limits
            mesh = axes.pcolormesh(
                *cells, values, cmap=colours, vmin=low, vmax=high, rasterized=True, antialiased=False
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
        alt = f"{told[0].upper()}{told[1:]} of {label}, {part.spectrogram}: {_map_alt(part, values, unit)}"
        return figure.finish(key, alt, label)


def _map_alt(part: Pooled, values: np.ndarray, unit: str) -> str:
    row, column = np.unravel_index(values.argmax(), values.shape)
    place = (
        f"{part.freqs[row]:.3g} Hz and {part.times[column]:.3g} s"
        if len(part.freqs) > 1
        else f"{part.times[column]:.3g} s"
    )
    text = f"from {values.min():.3g} to {values.max():.3g} {unit}, highest at {place}"
    if len(part.freqs) > 1:
        profile = values.mean(axis=1)
        text += f"; averaged over time highest at {part.freqs[profile.argmax()]:.3g} Hz"
    return text + "."


def channel_figure(part: Pooled, classes: list[str]) -> Figure | None:
    """Saliency of each derivation, averaged over frequency and time, one marker for every class."""
    by_channel = part.saliency.mean(axis=(2, 3))
    kept = [at for at in range(len(classes)) if np.isfinite(by_channel[at]).all()]
    if not kept:
        return None
    names = [short(name, 14) for name in part.ch_names]
    rows = np.arange(len(names))
    with drawing(4.2, 1.2 + 0.18 * len(names)) as figure:
        axes = figure.axes
        axes.hlines(rows, by_channel[kept].min(axis=0), by_channel[kept].max(axis=0), color=SERIES[7], linewidth=1)
        for at in kept:
            axes.plot(
                by_channel[at], rows, MARKERS[at % 8], color=SERIES[at % 8], label=short(classes[at], 16), markersize=5
            )
        axes.set(xlabel=f"mean saliency ({RELATIVE}, 1: mean of all channels)", ylim=(len(names) - 0.4, -0.6))
        axes.set_xlim(0, 1.06 * by_channel[kept].max())
        axes.set_yticks(rows, names, fontsize=8)
        axes.set_ylabel("derivation")
        axes.grid(True, axis="x")
        figure.canvas.legend(loc="outside upper center", ncols=min(len(kept), 3), handletextpad=0.2, columnspacing=1.2)
        top = [
            f"{classes[at]}: "
            + listing([f"{part.ch_names[row]} {by_channel[at, row]:.2f}" for row in np.argsort(-by_channel[at])[:3]])
            for at in kept
        ]
        alt = f"Saliency by derivation, {part.spectrogram}; highest for {'; for '.join(top)}."
        return figure.finish(f"{part.spectrogram}-channels", alt, f"Saliency by derivation ({part.spectrogram})")
