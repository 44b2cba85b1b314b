"""Computing time of the combinations: read from the ledgers, and drawn against the balanced accuracy."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from eegwf.config.paths import RunPaths
from eegwf.report.drawing import ACCENT, INK, Figure, drawing, short
from eegwf.report.drawn_intervals import draw_intervals
from eegwf.report.formats import defined, duration, number, score
from eegwf.storage.files import read_table

TRAINING_STAGES = ["tune", "retrain"]
MAX_NAMED = 24  # combinations whose names are written into the figure
NOTE = (
    "Balanced accuracy of the primary member, with its confidence interval, against the time of tuning and retraining "
    "on a logarithmic scale. Filled: at least half of the time on a GPU; open: on the CPU; classical models are "
    "highlighted. Times of different devices can't be compared. The table of the scores has the same values."
)


@dataclass(frozen=True)
class Cost:
    """Time of tuning and retraining of a combination.

    Attributes
    ----------
    seconds
        Time; NaN if unknown.
    gpu_seconds
        The part of it on a GPU; NaN if unknown.
    """

    seconds: float
    gpu_seconds: float

    @property
    def cpu_seconds(self) -> float:
        """The part of it on the CPU; NaN if unknown."""
        return self.seconds - self.gpu_seconds

    @property
    def on_gpu(self) -> bool:
        """Whether at least half of the time was on a GPU."""
        return self.gpu_seconds > 0 and self.gpu_seconds >= self.seconds / 2


def training_cost(run: RunPaths) -> Cost:
    """Time of tuning and retraining, from `ledger.tsv`; unknown without it."""
    if not run.ledger.exists():
        return Cost(float("nan"), float("nan"))
    ledger = read_table(run.ledger, ("stage", "seconds", "gpu_seconds"), text=("stage",))
    stages = ledger.loc[ledger["stage"].isin(TRAINING_STAGES), ["seconds", "gpu_seconds"]].astype(float)
    return Cost(*(float(stages[name].sum(min_count=1, skipna=False)) for name in stages))


def hours(seconds: float) -> str:
    """Format a time in hours as a number; empty if it is unknown."""
    return number(seconds / 3600) if defined(seconds) else ""


def cost_figure(
    classes: str,
    scores: Mapping[str, dict[str, Any]],
    costs: Mapping[str, Cost],
    labels: Mapping[str, str],
    classical: Collection[str] = (),
) -> Figure | None:
    """Draw the balanced accuracy of each combination against the time of its tuning and retraining.

    Parameters
    ----------
    classes
        Name of the class set.
    scores
        Balanced accuracy of the primary member of each combination, with its interval.
    costs
        Time of tuning and retraining of each.
    labels
        Name of each combination on the page.
    classical
        Classical combinations, which are highlighted.

    Returns
    -------
    Figure or None
        The figure; None if the time of fewer than two combinations is known.
    """
    shown = [name for name in scores if defined(costs[name].seconds) and costs[name].seconds > 0]
    shown = [name for name in shown if defined(scores[name]["value"])]
    if len(shown) < 2:
        return None
    times = np.array([costs[name].seconds / 3600 for name in shown])
    with drawing(6.4, 3.2) as figure:
        axes = figure.axes
        for classic, on_gpu in product((False, True), repeat=2):
            some = [i for i, name in enumerate(shown) if (name in classical, costs[name].on_gpu) == (classic, on_gpu)]
            color = ACCENT if classic else INK
            marker = {"color": color, "marker": "o", "fillstyle": "full" if on_gpu else "none"}
            line = {"color": color, "linewidth": 0.9, "alpha": 0.5}
            draw_intervals(axes, [scores[shown[i]] for i in some], times[some], marker, line, upright=True)
        if len(shown) <= MAX_NAMED:
            near: dict[str, Any] = {"xytext": (5, 3), "textcoords": "offset points", "fontsize": 7.5}
            for name, time in zip(shown, times, strict=True):
                color = ACCENT if name in classical else INK
                axes.annotate(short(labels[name], 20), (time, scores[name]["value"]), color=color, **near)
        axes.set_xscale("log")
        # Wide enough for two labeled ticks; Matplotlib's own labels are powers in mathematical notation.
        axes.set_xlim(times.min() / 2, times.max() * 2.5)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
        axes.xaxis.set_major_formatter(lambda value, _: number(float(value)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set(xlabel="tuning and retraining (hours)", ylabel="balanced accuracy")
        axes.grid(True)
        order = np.argsort(times, kind="stable")
        parts = [f"{shown[i]} {duration(costs[shown[i]].seconds)}, {score(scores[shown[i]]['value'])}" for i in order]
        alt = f"Balanced accuracy against the time of tuning and retraining, {classes}: {'; '.join(parts)}."
        return figure.finish(f"cost-{classes}", alt, "Balanced accuracy and computing time")
