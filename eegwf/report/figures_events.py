"""Figure of the event scores: sensitivity against false alarms."""

from eegwf.evaluation.events import POINT
from eegwf.report.data import ReportData
from eegwf.report.drawing import ACCENT, INK, WARNING, Figure, drawing
from eegwf.report.formats import number, score


def curve_figure(run: ReportData) -> Figure | None:
    """Draw the sensitivity for events against the false alarms per hour, with the chosen point; None without one."""
    events = run.metrics["events"]
    points = [(item["false_alarms_per_day"] / 24, item["sensitivity"]) for item in events["curve"]]
    points = [(rate, value) for rate, value in points if value is not None]
    if not points:
        return None
    detectors = events["detectors"]
    chosen = detectors[POINT]
    rate, value = chosen["false_alarms_per_day"], chosen["sensitivity"]
    always = detectors["always"]
    with drawing(4.6, 3.4) as figure:
        axes = figure.axes
        # In the order of the thresholds: with a lower one, false alarms can also be joined, so that there are fewer.
        rates, sensitivities = zip(*points, strict=True)
        axes.plot(rates, sensitivities, ".-", color=INK, linewidth=1, label="one threshold for all folds")
        if value["low"] is not None:
            axes.plot([rate["value"] / 24] * 2, [value["low"], value["high"]], color=ACCENT, linewidth=1.4)
            axes.plot([rate["low"] / 24, rate["high"] / 24], [value["value"]] * 2, color=ACCENT, linewidth=1.4)
        axes.plot(rate["value"] / 24, value["value"], "D", color=ACCENT, markersize=6, label="chosen on validation")
        axes.plot(
            always["false_alarms_per_day"]["value"] / 24, always["sensitivity"]["value"], "s", color=WARNING,
            markersize=6, label="always on",
        )  # fmt: skip
        axes.set(ylim=(-0.02, 1.04), xlabel="false alarms per hour", ylabel="sensitivity for events")
        axes.set_xlim(left=0)
        axes.grid(True)
        axes.legend(loc="lower right")
        alt = (
            f"Sensitivity for events against false alarms per hour of {run.primary}, pooled test folds, by threshold: "
            + "; ".join(f"{score(y)} at {number(x)}" for x, y in sorted(points)[:: max(len(points) // 6, 1)])
            + f". The operating point chosen on the validation patients: {score(value['value'])} at "
            f"{number(rate['value'] / 24)}. A detector that is always on: {score(always['sensitivity']['value'])} at "
            f"{number(always['false_alarms_per_day']['value'] / 24)}."
        )
        return figure.finish("event-curve", alt, "Sensitivity and false alarms")
