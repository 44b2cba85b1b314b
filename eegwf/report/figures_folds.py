"""Figure of the scores by fold."""

import numpy as np

from eegwf.report.data import ReportData
from eegwf.report.drawing import ACCENT, FAINT, INK, SERIES, Figure, drawing
from eegwf.report.formats import defined, difference, difference_interval, score
from eegwf.report.optimism import Optimism
from eegwf.report.selection import TESTED, FoldScores, monitored


def fold_figure(run: ReportData, folds: list[FoldScores], optimism: Optimism) -> Figure:
    """Draw the tuned, validation and test scores of every fold.

    Parameters
    ----------
    run
        Content of the report.
    folds
        Scores of the outer folds.
    optimism
        Mean selection optimism.

    Returns
    -------
    Figure
        The figure.
    """
    name = TESTED[monitored(run)]
    kinds = [
        ("tuned", "best trial, validation", "^", SERIES[1]),
        *([("same_patients", "same patients, test", "v", SERIES[1])] if any(fold.paired for fold in folds) else []),
        ("validation", "rank1 retrained, validation", "s", SERIES[2]),
        ("first", "rank1, test", "o", INK),
        *([("primary", f"{run.primary}, test", "D", ACCENT)] if run.primary != "rank1" else []),
    ]
    width = min(max(3.7, 1.6 + 0.42 * len(folds)), 8)
    with drawing(width, 3.4) as figure:
        axes = figure.axes
        for column, fold in enumerate(folds):
            tested = fold.same_patients if fold.paired else fold.first
            if defined(fold.tuned) and defined(tested):
                axes.plot(
                    [column, column],
                    [fold.tuned, tested],
                    color=FAINT,
                    linewidth=4,
                    solid_capstyle="butt",
                    zorder=1,
                )
        for number, (kind, label, marker, color) in enumerate(kinds):
            points = [(column, getattr(fold, kind)) for column, fold in enumerate(folds)]
            points = [(column, value) for column, value in points if defined(value)]
            if points:
                x, y = zip(*points, strict=True)
                offset = (number - (len(kinds) - 1) / 2) * 0.08
                axes.plot(
                    np.add(x, offset),
                    y,
                    marker,
                    color=color,
                    label=label,
                    markersize=6,
                    linestyle="none",
                    clip_on=False,
                )
        chance = run.metrics["baselines"]["chance"].get(monitored(run))
        if defined(chance):
            axes.axhline(chance, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label="chance")
        axes.set_xticks(range(len(folds)), [f"{fold.fold}*" if fold.seen else str(fold.fold) for fold in folds])
        label = "outer fold (*: used in tuning)" if any(fold.seen for fold in folds) else "outer fold"
        axes.set(ylim=(0, 1.02), xlim=(-0.5, len(folds) - 0.5), xlabel=label, ylabel=name)
        axes.grid(True, axis="y")
        figure.canvas.legend(loc="outside lower center", ncols=2, handletextpad=0.3, columnspacing=1.2)
        values = "; ".join(_fold_alt(run, fold) for fold in folds)
        alt = f"{name[0].upper()}{name[1:]} by outer fold. {values}.{_optimism_alt(folds, optimism)}"
        return figure.finish("folds", alt, "Scores by outer fold")


def _fold_alt(run: ReportData, fold: FoldScores) -> str:
    same = f"test of the same patients {score(fold.same_patients)}, " if fold.paired else ""
    return (
        f"fold {fold.fold}{' (used in tuning)' if fold.seen else ''}: best trial {score(fold.tuned)}, {same}validation "
        f"{score(fold.validation)}, test of rank1 {score(fold.first)}, test of {run.primary} {score(fold.primary)}"
    )


def _optimism_alt(folds: list[FoldScores], optimism: Optimism) -> str:
    if optimism.value is None:
        return ""
    bounds = difference_interval(optimism.low, optimism.high)
    bounds = f"interval {bounds}" if bounds else "no interval"
    if any(fold.seen for fold in folds):
        return f" Selection optimism of fold 1, which was not used in tuning: {difference(optimism.value)} ({bounds})."
    return f" Mean selection optimism {difference(optimism.value)} ({bounds})."
