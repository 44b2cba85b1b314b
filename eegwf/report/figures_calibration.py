"""Figures of the calibration: reliability diagrams and the risk-coverage curve, before and after calibration."""

from collections.abc import Mapping
from typing import Any

from eegwf.report.data import ReportData
from eegwf.report.drawing import ACCENT, INK, Figure, drawing
from eegwf.report.formats import defined, score

# Color, marker and line of the probabilities before and after calibration.
STYLES: dict[str, dict[str, Any]] = {
    "raw": {"color": INK, "marker": "s", "linestyle": (0, (3, 2)), "linewidth": 1.1, "markersize": 4},
    "calibrated": {"color": ACCENT, "marker": "o", "linestyle": "-", "markersize": 5},
}


def reliability_figures(found: Mapping[str, Any], classes: list[str], predicted: str) -> list[Figure]:
    """Draw the reliability diagram of each class, one versus rest; with two classes that of the last one only.

    Parameters
    ----------
    found
        Scores of the raw and of the calibrated probabilities, as in `calibration` of `metrics.json`.
    classes
        Names of the classes.
    predicted
        Whose probabilities of which windows they are, for the alternative text.

    Returns
    -------
    list of Figure
    """
    shown = classes[1:] if len(classes) == 2 else classes
    figures = []
    for number, label in enumerate(shown):
        with drawing(3.6, 4.0) as figure:
            axes = figure.axes
            axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
            for name, style in STYLES.items():
                curve = found[name]["reliability"][label]
                if name == "calibrated":
                    for point in curve:
                        if defined(point["low"]):
                            axes.plot([point["p"]] * 2, [point["low"], point["high"]], color=ACCENT, linewidth=1)
                axes.plot([point["p"] for point in curve], [point["observed"] for point in curve], label=name, **style)
            axes.set(xlabel=f"probability of {label}", ylabel=f"fraction of {label}", aspect="equal")
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
            axes.grid(True)
            figure.canvas.legend(loc="outside lower center", ncols=2)
            alt = f"Reliability diagram of {label}, {predicted}: " + "; ".join(
                f"{name}, mean difference from the diagonal "
                f"{score(found[name]['ece_by_class'][label]['equal_mass'])}, largest {_largest(found, name, label)}"
                for name in STYLES
            )
            figures.append(figure.finish(f"reliability{number}", f"{alt}.", f"Reliability diagram, {label}"))
    return figures


def _largest(found: Mapping[str, Any], name: str, label: str) -> str:
    """Point of a reliability curve that is farthest from the diagonal, in words."""
    point = max(found[name]["reliability"][label], key=lambda entry: abs(entry["p"] - entry["observed"]))
    return f"where the mean probability is {score(point['p'])} and the fraction {score(point['observed'])}"


def risk_coverage_figure(run: ReportData) -> Figure:
    """Draw the error rate of the windows of largest probability against their fraction of all windows."""
    found = run.metrics["calibration"]
    with drawing(3.6, 4.0) as figure:
        axes, texts = figure.axes, []
        for name, style in STYLES.items():
            curve = found[name]["risk_coverage"]
            label = f"{name}, AURC {score(curve['aurc'])}"
            axes.plot(curve["coverage"], curve["risk"], label=label, **style, markevery=5)
            half = min(range(len(curve["risk"])), key=lambda i: abs(curve["coverage"][i] - 0.5))
            texts.append(
                f"{name}, area under the curve {score(curve['aurc'])}, error {score(curve['risk'][-1])} of all windows "
                f"and {score(curve['risk'][half])} of half of them"
            )
        axes.set(xlabel="coverage (fraction of windows kept)", ylabel="error rate of the windows kept")
        axes.set(xlim=(0, 1.02), ylim=(0, None))
        axes.grid(True)
        figure.canvas.legend(loc="outside lower center", ncols=1)
        alt = f"Risk-coverage curves of {run.primary}, pooled test folds: {'; '.join(texts)}."
        return figure.finish("risk-coverage", alt, "Risk-coverage curve")
