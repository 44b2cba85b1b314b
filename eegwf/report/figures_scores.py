"""Figures of the scores: confusion matrix, ROC and precision-recall curves, and members with the baselines."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from eegwf.report.data import ReportData
from eegwf.report.drawing import ACCENT, INK, MARKERS, SERIES, WARNING, Figure, drawing, short, thin
from eegwf.report.formats import defined, interval, listing, score, share


def confusion_figure(matrix: list[list[int]], classes: list[str], member: str) -> Figure:
    """Draw a confusion matrix with counts and percentages of the rows.

    Parameters
    ----------
    matrix
        Number of windows of each true (row) and predicted (column) class.
    classes
        Names of the classes.
    member
        Name of the member.

    Returns
    -------
    Figure
        The figure.
    """
    counts = np.asarray(matrix)
    totals = counts.sum(axis=1, keepdims=True)
    fractions = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    width = max(0.75 + 0.95 * len(classes), 3.0)
    with drawing(width, max(0.7 + 0.9 * len(classes), 2.6)) as figure:
        axes = figure.axes
        for row in range(len(classes)):
            for column in range(len(classes)):
                depth = np.nan_to_num(fractions[row, column])
                axes.add_patch(_square(column, row, ACCENT, 0.04 + 0.5 * depth))
                axes.text(column, row - 0.12, f"{counts[row, column]:,d}", ha="center", va="center", fontsize=11)
                percentage = share(fractions[row, column]) if totals[row, 0] else "no window"
                axes.text(column, row + 0.2, percentage, ha="center", va="center", fontsize=8)
        axes.set(xlim=(-0.5, len(classes) - 0.5), ylim=(len(classes) - 0.5, -0.5))
        names = [short(name, 14) for name in classes]
        axes.set_xticks(range(len(classes)), names)
        axes.set_yticks(range(len(classes)), names, rotation=90, va="center")
        axes.set(xlabel="predicted class", ylabel="true class")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        text = "; ".join(
            f"of {totals[row, 0]:,d} {name} windows "
            + listing([f"{counts[row, column]:,d} predicted {other}" for column, other in enumerate(classes)])
            for row, name in enumerate(classes)
        )
        return figure.finish("confusion", f"Confusion matrix of {member}: {text}.", "Confusion matrix, windows")


def _square(column: int, row: int, color: str, alpha: float) -> Rectangle:
    return Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, facecolor=color, alpha=alpha, linewidth=0)


def curve_figures(run: ReportData) -> list[Figure]:
    """Draw the one-versus-rest ROC and precision-recall curves of each class: primary member, pooled test folds."""
    from sklearn.metrics import precision_recall_curve, roc_curve  # takes most of a second

    truth, _, p, _ = run.scored(run.primary)
    per_class = run.headline["per_class"]
    figures = []
    for kind, name in (("auroc", "ROC"), ("auprc", "Precision-recall")):
        with drawing(3.6, 4.0) as figure:
            axes = figure.axes
            for number, label in enumerate(run.classes):
                value = per_class[label][kind]["value"]
                if not defined(value):
                    continue
                positive = truth == number
                if kind == "auroc":
                    x, y, _ = roc_curve(positive, p[:, number])
                else:
                    y, x, _ = precision_recall_curve(positive, p[:, number])
                    axes.axhline(positive.mean(), color=SERIES[number % 8], linewidth=0.8, linestyle=(0, (2, 2)))
                selected = thin(np.column_stack([x, y]))
                style: dict[str, Any] = {} if kind == "auroc" else {"drawstyle": "steps-post"}
                # Each curve has a marker, so that curves can be identified without color.
                style |= {"marker": MARKERS[number % 8], "markevery": [len(selected) // 2], "markersize": 6}
                style["label"] = f"{short(label, 16)} {score(value)}"
                axes.plot(x[selected], y[selected], color=SERIES[number % 8], **style)
            if kind == "auroc":
                axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
                axes.set(xlabel="false positive rate (1 \N{MINUS SIGN} specificity)", ylabel="true positive rate")
            else:
                axes.set(xlabel="recall (sensitivity)", ylabel="precision")
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
            axes.grid(True)
            if axes.get_legend_handles_labels()[0]:
                figure.canvas.legend(loc="outside lower center", ncols=2, handletextpad=0.5, columnspacing=1.2)
            figures.append(figure.finish(kind, _curve_alt(run, kind, name), f"{name} curves by class"))
    return figures


def _curve_alt(run: ReportData, kind: str, name: str) -> str:
    areas = [f"{label} {score(values[kind]['value'])}" for label, values in run.headline["per_class"].items()]
    area = "area under the curve" if kind == "auroc" else "average precision"
    dashed = "the diagonal is chance level" if kind == "auroc" else "dashed lines are the fraction of each class"
    return f"{name} curves of {run.primary}, pooled test folds; {area}: {listing(areas)}; {dashed}."


def member_figures(metrics: Mapping[str, Any]) -> list[Figure]:
    """Draw the scores of all members with their intervals and the baselines, a figure for each score."""
    figures = []
    members = metrics["members"]
    names = list(members)
    kinds = (("balanced_accuracy", "balanced accuracy"), ("macro_f1", "macro F1"), ("accuracy", "accuracy"))
    for kind, title in kinds:
        baselines = {name: values[kind] for name, values in metrics["baselines"].items() if defined(values.get(kind))}
        with drawing(3.3, 0.95 + 0.27 * len(names)) as figure:
            axes = figure.axes
            for row, name in enumerate(names):
                entry = members[name][kind]
                if not defined(entry["value"]):
                    continue
                color = ACCENT if name == metrics["primary"] else INK
                if defined(entry["low"]):
                    axes.plot([entry["low"], entry["high"]], [row, row], color=color, linewidth=1.6)
                axes.plot(entry["value"], row, "D" if name == metrics["primary"] else "o", color=color, markersize=5.5)
            merged: dict[float, list[str]] = {}
            for name, value in baselines.items():
                merged.setdefault(round(value, 6), []).append(name)
            for number, (value, equal) in enumerate(sorted(merged.items())):
                axes.axvline(value, color=WARNING, linewidth=1.2, linestyle=(0, (4, 2)))
                # The label of the lower of two baselines is on its left, so that labels do not overlap.
                side = "right" if value > 0.7 or number < len(merged) - 1 else "left"
                axes.text(value, -0.75, f" {' = '.join(equal)} ", color=WARNING, fontsize=8, ha=side, va="bottom")
            axes.set(xlim=(0, 1), ylim=(len(names) - 0.4, -0.7), xlabel=title)
            axes.set_yticks(range(len(names)), names)
            axes.grid(True, axis="x")
            axes.tick_params(axis="y", length=0)
            scores = "; ".join(_score_alt(name, members[name][kind]) for name in names)
            baseline = ", ".join(f"{name} {score(value)}" for name, value in baselines.items())
            alt = f"{title[0].upper()}{title[1:]} of each member: {scores}. Baselines: {baseline}."
            figures.append(figure.finish(f"members-{kind}", alt))
    return figures


def _score_alt(name: str, entry: Mapping[str, Any]) -> str:
    return f"{name} {score(entry['value'])}" + (f" ({interval(entry)})" if interval(entry) else "")
