"""Figures of the folds and of the patients."""

import numpy as np

from eegwf.report.data import Run
from eegwf.report.drawing import ACCENT, FAINT, INK, SERIES, Figure, drawing, short
from eegwf.report.formats import count, defined, difference, difference_interval, score
from eegwf.report.selection import TESTED, FoldScores, Optimism, monitored

LABELLED = 60  # patients whose names find room beside the axis


def fold_figure(run: Run, folds: list[FoldScores], optimism: Optimism) -> Figure:
    """Test, validation and tuned scores of every fold."""
    name = TESTED[monitored(run)]
    kinds = [
        ("tuned", "best trial, validation", "^", SERIES[1]),
        ("validation", "rank1 retrained, validation", "s", SERIES[2]),
        ("first", "rank1, test", "o", INK),
        *([("primary", f"{run.primary}, test", "D", ACCENT)] if run.primary != "rank1" else []),
    ]
    width = min(max(3.7, 1.6 + 0.42 * len(folds)), 8)
    with drawing(width, 3.4) as figure:
        axes = figure.axes
        for at, fold in enumerate(folds):
            if defined(fold.tuned) and defined(fold.first):
                axes.plot([at, at], [fold.tuned, fold.first], color=FAINT, linewidth=4, solid_capstyle="butt", zorder=1)
        for number, (kind, label, marker, colour) in enumerate(kinds):
            points = [(at, getattr(fold, kind)) for at, fold in enumerate(folds)]
            points = [(at, value) for at, value in points if defined(value)]
            if points:
                x, y = zip(*points, strict=True)
                offset = (number - 1.5) * 0.08
                axes.plot(
                    np.add(x, offset),
                    y,
                    marker,
                    color=colour,
                    label=label,
                    markersize=6,
                    linestyle="none",
                    clip_on=False,
                )
        chance = run.metrics["floors"]["chance"].get(monitored(run))
        if defined(chance):
            axes.axhline(chance, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label="chance")
        axes.set_xticks(range(len(folds)), [f"{fold.fold}*" if fold.seen else str(fold.fold) for fold in folds])
        label = "outer fold (*: seen by tuning)" if any(fold.seen for fold in folds) else "outer fold"
        axes.set(ylim=(0, 1.02), xlim=(-0.5, len(folds) - 0.5), xlabel=label, ylabel=name)
        axes.grid(True, axis="y")
        figure.canvas.legend(loc="outside lower center", ncols=2, handletextpad=0.3, columnspacing=1.2)
        told = "; ".join(
            f"fold {fold.fold}{' (seen by tuning)' if fold.seen else ''}: tuned {score(fold.tuned)}, "
            f"validation {score(fold.validation)}, test of rank1 {score(fold.first)}, of {run.primary} "
            f"{score(fold.primary)}"
            for fold in folds
        )
        return figure.finish(
            "folds", f"{name.capitalize()} by outer fold. {told}.{_ending(folds, optimism)}", "Scores by outer fold"
        )


def _ending(folds: list[FoldScores], optimism: Optimism) -> str:
    if optimism.value is None:
        return ""
    bounds = difference_interval(optimism.low, optimism.high)
    told = f"interval {bounds}" if bounds else "no interval"
    if any(fold.seen for fold in folds):
        return f" Optimism of fold 1, which tuning has not seen, {difference(optimism.value)} ({told})."
    return f" Mean optimism {difference(optimism.value)} ({told})."


def patient_figure(run: Run) -> Figure:
    """Every patient's balanced accuracy, from worst to best."""
    table = run.per_patient[run.per_patient["n_windows"] > 0]
    background = run.classes[0]
    table = table.sort_values(["balanced_accuracy", "patient"], kind="stable", na_position="first")
    values = table["balanced_accuracy"].to_numpy(dtype=float)
    alone = (table["n_windows"] == table[f"n_{background}"]).to_numpy()
    named = len(table) <= LABELLED
    height = 1.1 + (0.19 * len(table) if named else min(0.03 * len(table), 6) + 2)
    with drawing(4.4, height) as figure:
        axes = figure.axes
        rows = np.arange(len(table))
        for mask, marker, colour, label in (
            (~alone, "o", ACCENT, f"with other classes than {short(background, 12)}"),
            (alone, "s", SERIES[1], f"{short(background, 12)} alone: accuracy"),
        ):
            if mask.any():
                axes.hlines(rows[mask], 0, values[mask], color=colour, linewidth=1.2, alpha=0.45)
                axes.plot(values[mask], rows[mask], marker, color=colour, label=label, markersize=5 if named else 3)
        chance = run.metrics["floors"]["chance"]["balanced_accuracy"]
        axes.axvline(chance, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label=f"chance {score(chance)}")
        axes.set(xlim=(-0.02, 1.02), ylim=(len(table) - 0.4, -0.6), xlabel="balanced accuracy (own classes)")
        if named:
            pairs = zip(table["patient"], table["n_windows"], strict=True)
            axes.set_yticks(rows, [f"{short(name, 18)} ({number})" for name, number in pairs], fontsize=8)
            axes.set_ylabel("patient (windows)")
        else:
            axes.set_ylabel("patients, worst first")
        axes.grid(True, axis="x")
        figure.canvas.legend(loc="outside upper center", ncols=1, handletextpad=0.4)
        return figure.finish("patients", _patients_alt(run, values, alone), "Patients, worst first")


def _patients_alt(run: Run, values: np.ndarray, alone: np.ndarray) -> str:
    kept = values[~np.isnan(values)]
    if not len(kept):
        return "No patient has a score."
    chance = run.metrics["floors"]["chance"]["balanced_accuracy"]
    low, middle, high = np.percentile(kept, [25, 50, 75])
    return (
        f"Balanced accuracy of {count(len(kept), 'patient')}, sorted: from {score(kept.min())} to {score(kept.max())}, "
        f"median {score(middle)}, middle half {score(low)} to {score(high)}; {int((kept <= chance).sum())} at or below "
        f"chance ({score(chance)}); {int(alone.sum())} with {run.classes[0]} windows alone, where it is the accuracy."
    )
