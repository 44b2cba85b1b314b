"""Figures of the patients: their scores, and the influence of each on the headline score."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from eegwf.evaluation.intervals import Interval
from eegwf.report.data import ReportData
from eegwf.report.drawing import ACCENT, INK, SERIES, Figure, drawing, short
from eegwf.report.drawn_intervals import draw_intervals
from eegwf.report.formats import count, difference, interval, score

LABELED = 60  # maximum number of patients whose names are shown beside the axis
INFLUENTIAL = 20  # maximum number of patients in the figure of the influence


def patient_figure(run: ReportData, table: pd.DataFrame, intervals: Mapping[str, Interval]) -> Figure:
    """Draw the balanced accuracy of every patient, in ascending order, and below it that of all patients.

    Parameters
    ----------
    run
        Content of the report.
    table
        Scores of the patients, in ascending order.
    intervals
        Interval of the score of each patient.

    Returns
    -------
    Figure
        The figure.
    """
    table = table[(table["n_windows"] > 0) & table["balanced_accuracy"].notna()]
    values, names = table["balanced_accuracy"].to_numpy(dtype=float), table["patient"].tolist()
    background = run.classes[0]
    background_only = (table["n_windows"] == table[f"n_{background}"]).to_numpy()
    named = len(table) <= LABELED
    pooled = {
        "mean of patients": run.headline["mean_of_patients"]["balanced_accuracy"],
        "all windows": run.headline["balanced_accuracy"],
    }
    n_rows = len(table) + len(pooled)
    height = 1.3 + (0.19 * n_rows if named else min(0.03 * n_rows, 6) + 2)
    with drawing(4.4, height) as figure:
        axes, rows = figure.axes, np.arange(len(table))
        bounds = [intervals[name] for name in names]
        entries = [
            {"value": value, "low": bound.low, "high": bound.high} for value, bound in zip(values, bounds, strict=True)
        ]
        for mask, marker, color, label in (
            (~background_only, "o", ACCENT, f"also classes other than {short(background, 12)}"),
            (background_only, "s", SERIES[1], f"{short(background, 12)} only: accuracy"),
        ):
            if mask.any():
                style = {"marker": marker, "color": color, "label": label, "markersize": 5 if named else 3}
                line = {"color": color, "linewidth": 1.2, "alpha": 0.6}
                draw_intervals(axes, [entries[row] for row in rows[mask]], rows[mask], style, line)
        # A blank row separates the patients from the summaries if the rows are named.
        places = len(table) + np.arange(len(pooled)) * (1 if named else 0.03 * n_rows) + (0.4 if named else 1)
        summary = {"marker": "D", "color": INK, "markersize": 6}
        draw_intervals(axes, list(pooled.values()), places, summary, {"color": INK, "linewidth": 1.4})
        chance = run.metrics["baselines"]["chance"]["balanced_accuracy"]
        axes.axvline(chance, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label=f"chance {score(chance)}")
        axes.set(xlim=(-0.02, 1.02), ylim=(places[-1] + 0.6, -0.6))
        axes.set_xlabel("balanced accuracy (classes of the patient)")
        labels = [f"{short(name, 18)} ({n})" for name, n in zip(names, table["n_windows"], strict=True)]
        ticks = [*(rows if named else []), *places]
        axes.set_yticks(ticks, [*(labels if named else []), *pooled], fontsize=8)
        axes.set_ylabel("patient (number of windows)" if named else "patients, in ascending order")
        axes.grid(True, axis="x")
        figure.canvas.legend(loc="outside upper center", ncols=1, handletextpad=0.4)
        alt = _patients_alt(run, values, background_only, bounds, pooled)
        return figure.finish("patients", alt, "Scores by patient")


def _patients_alt(
    run: ReportData,
    values: np.ndarray,
    background_only: np.ndarray,
    bounds: Sequence[Interval],
    pooled: Mapping[str, Mapping[str, Any]],
) -> str:
    if not len(values):
        return "0 patients have a score."
    chance = run.metrics["baselines"]["chance"]["balanced_accuracy"]
    low, middle, high = np.percentile(values, [25, 50, 75])
    summaries = "; ".join(f"{name} {score(entry['value'])} ({interval(entry)})" for name, entry in pooled.items())
    return (
        f"Balanced accuracy of {count(len(values), 'patient')} in ascending order: from {score(values.min())} to "
        f"{score(values.max())}, median {score(middle)}, interquartile range {score(low)} to {score(high)}; "
        f"{int((values <= chance).sum())} at or below chance ({score(chance)}); {int(background_only.sum())} with "
        f"{run.classes[0]} windows only, for which it equals the accuracy; "
        f"{sum(entry.low is not None for entry in bounds)} with an interval. {summaries}."
    )


def influence_figure(run: ReportData, changes: Sequence[tuple[str, float]], headline: float) -> Figure:
    """Draw the balanced accuracy without each patient.

    Parameters
    ----------
    run
        Content of the report.
    changes
        Patients and changes of the balanced accuracy without them, the largest change first.
    headline
        Balanced accuracy of all patients.

    Returns
    -------
    Figure
        The figure, with at most `INFLUENTIAL` patients.
    """
    shown = list(changes[:INFLUENTIAL])
    with drawing(4.4, 1.1 + 0.19 * len(shown)) as figure:
        axes = figure.axes
        for row, (_, change) in enumerate(shown):
            axes.plot([headline, headline + change], [row, row], color=ACCENT, linewidth=1.6)
            axes.plot(headline + change, row, "o", color=ACCENT, markersize=5)
        axes.axvline(headline, color=INK, linewidth=0.9, label=f"all patients {score(headline)}")
        axes.set_yticks(range(len(shown)), [short(name, 22) for name, _ in shown], fontsize=8)
        # Equal room on both sides, and no enlarged view of differences that do not matter.
        reach = max(0.02, 1.1 * max(abs(change) for _, change in shown))
        axes.set(xlim=(headline - reach, headline + reach), ylim=(len(shown) - 0.4, -0.6))
        axes.set(xlabel="balanced accuracy without the patient", ylabel="patient")
        axes.grid(True, axis="x")
        figure.canvas.legend(loc="outside upper center", ncols=1, handletextpad=0.4)
        listed = "; ".join(f"{name} {score(headline + change)} ({difference(change)})" for name, change in shown[:6])
        alt = (
            f"Balanced accuracy of {run.primary} without each of {count(len(shown), 'patient')}, the largest change "
            f"first; with all patients it is {score(headline)}. {listed}."
        )
        of_all = f", {len(shown)} of {len(changes)} patients" if len(changes) > len(shown) else ""
        return figure.finish("influence", alt, f"Balanced accuracy without a patient{of_all}")
