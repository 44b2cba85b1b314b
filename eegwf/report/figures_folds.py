"""Figures of the scores by fold and by patient."""

import numpy as np

from eegwf.report.data import ReportData
from eegwf.report.drawing import ACCENT, FAINT, INK, SERIES, Figure, drawing, short
from eegwf.report.formats import count, defined, difference, difference_interval, score
from eegwf.report.optimism import Optimism
from eegwf.report.selection import TESTED, FoldScores, monitored

LABELED = 60  # maximum number of patients whose names are shown beside the axis


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


def patient_figure(run: ReportData) -> Figure:
    """Draw the balanced accuracy of every patient, in ascending order."""
    table = run.per_patient[run.per_patient["n_windows"] > 0]
    background = run.classes[0]
    table = table.sort_values(["balanced_accuracy", "patient"], kind="stable", na_position="first")
    values = table["balanced_accuracy"].to_numpy(dtype=float)
    background_only = (table["n_windows"] == table[f"n_{background}"]).to_numpy()
    named = len(table) <= LABELED
    height = 1.1 + (0.19 * len(table) if named else min(0.03 * len(table), 6) + 2)
    with drawing(4.4, height) as figure:
        axes = figure.axes
        rows = np.arange(len(table))
        for mask, marker, color, label in (
            (~background_only, "o", ACCENT, f"also classes other than {short(background, 12)}"),
            (background_only, "s", SERIES[1], f"{short(background, 12)} only: accuracy"),
        ):
            if mask.any():
                axes.hlines(rows[mask], 0, values[mask], color=color, linewidth=1.2, alpha=0.45)
                axes.plot(values[mask], rows[mask], marker, color=color, label=label, markersize=5 if named else 3)
        chance = run.metrics["baselines"]["chance"]["balanced_accuracy"]
        axes.axvline(chance, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label=f"chance {score(chance)}")
        axes.set(xlim=(-0.02, 1.02), ylim=(len(table) - 0.4, -0.6))
        axes.set_xlabel("balanced accuracy (classes of the patient)")
        if named:
            pairs = zip(table["patient"], table["n_windows"], strict=True)
            axes.set_yticks(rows, [f"{short(name, 18)} ({number})" for name, number in pairs], fontsize=8)
            axes.set_ylabel("patient (number of windows)")
        else:
            axes.set_ylabel("patients, in ascending order")
        axes.grid(True, axis="x")
        figure.canvas.legend(loc="outside upper center", ncols=1, handletextpad=0.4)
        return figure.finish("patients", _patients_alt(run, values, background_only), "Scores by patient")


def _patients_alt(run: ReportData, values: np.ndarray, background_only: np.ndarray) -> str:
    scored = values[~np.isnan(values)]
    if not len(scored):
        return "No patient has a score."
    chance = run.metrics["baselines"]["chance"]["balanced_accuracy"]
    low, middle, high = np.percentile(scored, [25, 50, 75])
    return (
        f"Balanced accuracy of {count(len(scored), 'patient')} in ascending order: from {score(scored.min())} to "
        f"{score(scored.max())}, median {score(middle)}, interquartile range {score(low)} to {score(high)}; "
        f"{int((scored <= chance).sum())} at or below chance ({score(chance)}); {int(background_only.sum())} with "
        f"{run.classes[0]} windows only, for which it equals the accuracy."
    )
