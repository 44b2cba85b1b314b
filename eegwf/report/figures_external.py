"""Figure of the report of an external test: internal and external scores, and their differences."""

from typing import Any

from eegwf.evaluation.external_predictions import FINAL
from eegwf.report.drawing import ACCENT, INK, WARNING, Figure, drawing
from eegwf.report.external_data import ExternalReportData
from eegwf.report.external_tables import describe
from eegwf.report.formats import defined, difference, difference_interval

KINDS = {"balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1", "auroc": "AUROC", "auprc": "AUPRC"}
EVENT_KINDS = {"sensitivity": "event sensitivity", "f1": "event F1"}
STYLES: dict[str, dict[str, Any]] = {
    "internal": {"marker": "o", "color": INK, "fillstyle": "none"},
    "external": {"marker": "D", "color": ACCENT},
    "final models": {"marker": "s", "color": ACCENT, "fillstyle": "none"},
}


def comparison_figures(report: ExternalReportData) -> list[Figure]:
    """Draw the internal and external scores with their intervals, and the differences of the two."""
    rows = [(title, _entries(report.metrics, kind)) for kind, title in KINDS.items()]
    if report.metrics["events"]:
        rows += [(title, _entries(report.metrics["events"], kind)) for kind, title in EVENT_KINDS.items()]
    return [_score_figure(report, rows), _difference_figure(report, rows)]


def _entries(part: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    entries = {"internal": part["internal"][kind], "external": part["mean_of_folds"][kind]}
    if FINAL in part["members"]:
        entries["final models"] = part["members"][FINAL][kind]
    return entries | {"difference": part["difference"][kind]}


def _score_figure(report: ExternalReportData, rows: list[tuple[str, dict[str, Any]]]) -> Figure:
    n_shown = len(rows[0][1]) - 1
    with drawing(4.6, 1.3 + 0.5 * len(rows)) as figure:
        axes, texts = figure.axes, []
        for row, (title, entries) in enumerate(rows):
            for place, name in enumerate(list(entries)[:n_shown]):
                entry, style, y = entries[name], STYLES[name], row + 0.22 * (place - (n_shown - 1) / 2)
                if defined(entry["low"]):
                    axes.plot([entry["low"], entry["high"]], [y, y], color=style["color"], linewidth=1.4)
                if defined(entry["value"]):
                    axes.plot(
                        entry["value"], y, linestyle="none", markersize=5, label=name if row == 0 else None, **style
                    )
            texts.append(
                f"{title}: " + ", ".join(f"{name} {describe(entries[name])}" for name in list(entries)[:n_shown])
            )
        chance = report.metrics["baselines"]["chance"]["balanced_accuracy"]
        axes.plot([chance] * 2, [-0.45, 0.45], color=WARNING, linewidth=1.2, linestyle=(0, (2, 1)))
        axes.set(xlim=(0, 1), ylim=(len(rows) - 0.5, -0.5), xlabel="score")
        axes.set_yticks(range(len(rows)), [title for title, _ in rows])
        axes.grid(True, axis="x")
        figure.canvas.legend(loc="outside lower center", ncols=3)
        alt = f"Internal and external scores with {report.level} confidence intervals. {'; '.join(texts)}."
        return figure.finish("external-scores", alt, "Scores")


def _difference_figure(report: ExternalReportData, rows: list[tuple[str, dict[str, Any]]]) -> Figure:
    with drawing(4.6, 1.0 + 0.5 * len(rows)) as figure:
        axes, texts = figure.axes, []
        axes.axvline(0, color=INK, linewidth=0.8)
        for row, (title, entries) in enumerate(rows):
            entry = entries["difference"]
            if defined(entry["low"]):
                axes.plot([entry["low"], entry["high"]], [row, row], color=ACCENT, linewidth=1.4)
            if defined(entry["value"]):
                axes.plot(entry["value"], row, "D", color=ACCENT, markersize=5)
            bounds = difference_interval(entry["low"], entry["high"])
            texts.append(f"{title} {difference(entry['value'])}" + (f" ({bounds})" if bounds else ""))
        axes.set(ylim=(len(rows) - 0.5, -0.5), xlabel="difference of scores, external \N{MINUS SIGN} internal")
        axes.set_yticks(range(len(rows)), [title for title, _ in rows])
        axes.margins(x=0.1)
        axes.grid(True, axis="x")
        alt = f"External minus internal scores with {report.level} confidence intervals: {'; '.join(texts)}."
        return figure.finish("external-differences", alt, "Differences")
