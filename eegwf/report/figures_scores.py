"""Figures of the scores: confusion, curves of the classes, members beside the floors."""

from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from eegwf.report.data import Run
from eegwf.report.drawing import ACCENT, ALARM, INK, MARKERS, SERIES, Figure, drawing, short, thin
from eegwf.report.formats import defined, interval, listing, score, share


def confusion_figure(matrix: list[list[int]], classes: list[str], member: str) -> Figure:
    """Counts and row shares; rows are true classes."""
    counts = np.asarray(matrix)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    width = max(0.75 + 0.95 * len(classes), 3.0)
    with drawing(width, max(0.7 + 0.9 * len(classes), 2.6)) as figure:
        axes = figure.axes
        for row in range(len(classes)):
            for column in range(len(classes)):
                depth = np.nan_to_num(shares[row, column])
                axes.add_patch(
                    _square(column, row, ACCENT, 0.04 + 0.5 * depth),
                )
                axes.text(column, row - 0.12, f"{counts[row, column]:,d}", ha="center", va="center", fontsize=11)
                told = share(shares[row, column]) if totals[row, 0] else "no window"
                axes.text(column, row + 0.2, told, ha="center", va="center", fontsize=8)
        axes.set(xlim=(-0.5, len(classes) - 0.5), ylim=(len(classes) - 0.5, -0.5))
        names = [short(name, 14) for name in classes]
        axes.set_xticks(range(len(classes)), names)
        axes.set_yticks(range(len(classes)), names, rotation=90, va="center")
        axes.set(xlabel="predicted class", ylabel="true class")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        told = "; ".join(
            f"of {totals[row, 0]:,d} {name} windows "
            + listing([f"{counts[row, at]:,d} predicted {other}" for at, other in enumerate(classes)])
            for row, name in enumerate(classes)
        )
        return figure.finish("confusion", f"Confusion matrix of {member}: {told}.", "Confusion matrix, windows")


def _square(column: int, row: int, colour: str, alpha: float):
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, facecolor=colour, alpha=alpha, linewidth=0)


def curve_figures(run: Run) -> list[Figure]:
    """ROC and precision-recall curves of each class against the rest, pooled test folds, primary member."""
    truth, _, p, _ = run.scored(run.primary)
    per_class = run.headline["per_class"]
    figures = []
    for kind, name in (("auroc", "ROC"), ("auprc", "Precision-recall")):
        with drawing(3.6, 4.0) as figure:
            axes = figure.axes
            for at, label in enumerate(run.classes):
                value = per_class[label][kind]["value"]
                if not defined(value):
                    continue
                positive = truth == at
                if kind == "auroc":
                    x, y, _ = roc_curve(positive, p[:, at])
                else:
                    y, x, _ = precision_recall_curve(positive, p[:, at])
                    axes.axhline(positive.mean(), color=SERIES[at % 8], linewidth=0.8, linestyle=(0, (2, 2)))
                keep = thin(np.column_stack([x, y]))
                told = f"{short(label, 16)} {score(value)}"
                style = {} if kind == "auroc" else {"drawstyle": "steps-post"}
                # A marker on every curve, so that they can be told apart without colour.
                style |= {"marker": MARKERS[at % 8], "markevery": [len(keep) // 2], "markersize": 6}
                axes.plot(x[keep], y[keep], color=SERIES[at % 8], label=told, **style)
            if kind == "auroc":
                axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
                axes.set(xlabel="false positive rate (1 \N{MINUS SIGN} specificity)", ylabel="true positive rate")
            else:
                axes.set(xlabel="recall (sensitivity)", ylabel="precision")
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
            axes.grid(True)
            if axes.get_legend_handles_labels()[0]:
                figure.canvas.legend(loc="outside lower center", ncols=2, handletextpad=0.5, columnspacing=1.2)
            figures.append(figure.finish(kind, _curve_alt(run, kind, name), f"{name} by class"))
    return figures


def _curve_alt(run: Run, kind: str, name: str) -> str:
    told = [f"{label} {score(of[kind]['value'])}" for label, of in run.headline["per_class"].items()]
    area = "area under the curve" if kind == "auroc" else "average precision"
    dashed = "the diagonal is chance" if kind == "auroc" else "dashed lines are each class's share of the windows"
    return f"{name} curves of {run.primary}, pooled test folds; {area}: {listing(told)}; {dashed}."


def member_figures(metrics: dict[str, Any]) -> list[Figure]:
    """Scores of all members with their intervals, the floors drawn."""
    figures = []
    floors = metrics["floors"]
    names = list(metrics["members"])
    kinds = (("balanced_accuracy", "balanced accuracy"), ("macro_f1", "macro F1"), ("accuracy", "accuracy"))
    for kind, title in kinds:
        drawn = {of: values[kind] for of, values in floors.items() if defined(values.get(kind))}
        with drawing(3.3, 0.95 + 0.27 * len(names)) as figure:
            axes = figure.axes
            for row, name in enumerate(names):
                entry = metrics["members"][name][kind]
                if not defined(entry["value"]):
                    continue
                colour = ACCENT if name == metrics["primary"] else INK
                if defined(entry["low"]):
                    axes.plot([entry["low"], entry["high"]], [row, row], color=colour, linewidth=1.6)
                axes.plot(entry["value"], row, "D" if name == metrics["primary"] else "o", color=colour, markersize=5.5)
            merged: dict[float, list[str]] = {}
            for of, value in drawn.items():
                merged.setdefault(round(value, 6), []).append(of)
            for at, (value, of) in enumerate(sorted(merged.items())):
                axes.axvline(value, color=ALARM, linewidth=1.2, linestyle=(0, (4, 2)))
                # The lower of two floors is named on its left, so that the names don't meet.
                side = "right" if value > 0.7 or at < len(merged) - 1 else "left"
                axes.text(value, -0.75, f" {' = '.join(of)} ", color=ALARM, fontsize=8, ha=side, va="bottom")
            axes.set(xlim=(0, 1), ylim=(len(names) - 0.4, -0.7), xlabel=title)
            axes.set_yticks(range(len(names)), names)
            axes.grid(True, axis="x")
            axes.tick_params(axis="y", length=0)
            told = "; ".join(_told(name, metrics["members"][name][kind]) for name in names)
            floor = ", ".join(f"{of} {score(value)}" for of, value in drawn.items())
            figures.append(figure.finish(f"members-{kind}", f"{title} of each member: {told}. Floors: {floor}."))
    return figures


def _told(name: str, entry: dict[str, Any]) -> str:
    return f"{name} {score(entry['value'])}" + (f" ({interval(entry)})" if interval(entry) else "")
