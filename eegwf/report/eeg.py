"""Section of the page on single seizures: table, EEG of seizures and of windows, and timelines of the recordings."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from eegwf.evaluation.events import primary_points
from eegwf.report.data import ReportData
from eegwf.report.detected import DetectedRecording, Seizure, detected_recordings, scored_seizures
from eegwf.report.eeg_snippets import Shown, seizure_key, snippets, viewer_data
from eegwf.report.figures_timelines import timeline_figure
from eegwf.report.formats import count, number, score, seconds
from eegwf.report.galleries import BORDERLINE, FALSE_ALARMS, MISSES
from eegwf.report.tables import Table

N_OPEN_TIMELINES, MAX_TIMELINES = 6, 200
TITLES = {MISSES: "Worst misses", FALSE_ALARMS: "Most confident false alarms", BORDERLINE: "Borderline windows"}
MEANINGS = {
    MISSES: "Windows with a seizure whose probability is not above the threshold, the smallest probability first.",
    FALSE_ALARMS: "Background windows whose probability is above the threshold, the largest probability first.",
    BORDERLINE: "Windows whose probability is nearest to the threshold.",
}
MEANINGS_WITHOUT_THRESHOLD = {
    MISSES: "Windows with a seizure that are predicted as background, the smallest probability of a seizure first.",
    FALSE_ALARMS: "Background windows that are predicted as another class, the largest probability of a seizure first.",
    BORDERLINE: "Windows whose probability of a seizure is nearest to 0.5.",
}

RELEVANCE = (
    " Of the few windows that were explained (section Attribution), the shade behind the EEG is the relevance of the "
    "samples for the class that the explained model predicts, input x gradient, relative to the largest of the "
    "window (orange: increases the score of the class, blue: decreases it); dashed orange lines are the ends of "
    "such a window."
)


def parts(run: ReportData) -> dict[str, Any]:
    """Values of the template for the section.

    Parameters
    ----------
    run
        Content of the report.

    Returns
    -------
    dict
        The key `eeg`, None if no events were scored.
    """
    if not run.metrics.get("events"):
        return {"eeg": None}
    points = primary_points(run.metrics["events"])
    recordings = detected_recordings(run, points)
    seizures, meanings = scored_seizures(recordings), MEANINGS if points else MEANINGS_WITHOUT_THRESHOLD
    onsets, shown = snippets(run, points, recordings, seizures)
    drawn = [*onsets, *(one for entries in shown.values() for one in entries)]
    return {
        "eeg": {
            "seizures": seizure_table(seizures, {one.key for one in onsets}),
            "onsets": onsets,
            "galleries": [(TITLES[name], meanings[name], entries) for name, entries in shown.items()],
            "reason": why_no_eeg(run),
            "note": snippet_note(drawn),
            "data": viewer_data(drawn),
            **_timelines(recordings),
        }
    }


def why_no_eeg(run: ReportData) -> str:
    """Reason why the report shows no EEG; empty if it does."""
    if isinstance(run.samples, str):
        return run.samples
    return "" if run.study.report.max_snippets else "No EEG is shown: report.max_snippets of the configuration is 0."


def seizure_table(seizures: Sequence[Seizure], drawn: set[str]) -> Table:
    """What was found of each annotated seizure.

    Parameters
    ----------
    seizures
        The seizures, in the order of their numbers.
    drawn
        Ids of the snippets on the page, to which the numbers are linked.

    Returns
    -------
    Table
    """
    rows: list[Any] = []
    for number_of, one in enumerate(seizures, start=1):
        key = seizure_key(number_of)
        name = Markup('<a href="#{}">{}</a>').format(key, number_of) if key in drawn else str(number_of)
        rows.append(
            [
                name,
                one.recording.item.patient,
                one.recording.item.name,
                seconds(one.onset),
                seconds(one.end - one.onset) if one.end > one.onset else "unknown",
                one.event_type,
                "no" if one.latency is None else "yes",
                "" if one.latency is None else f"{one.latency:.1f}".replace("-", "\N{MINUS SIGN}"),
                score(one.largest),
            ]
        )
    return Table(
        f"Annotated seizures of the test folds: {len(rows)}",
        ["seizure", "patient", "recording", "onset (s)", "length (s)", "type", "found", "latency (s)",
         "largest probability"],
        rows,
        "A seizure is found if a detection overlaps it or the tolerance of 30 s before and 60 s after it; the latency "
        "is from its onset to the first such detection. The largest probability is that of a seizure, calibrated and "
        "without smoothing, in the windows that overlap it; it is undefined if no window does. Numbers of seizures "
        "with a link lead to their EEG.",
        text={1, 2, 5, 6},
        sortable=True,
        filter_label="Show seizures with",
    )  # fmt: skip


def snippet_note(drawn: Sequence[Shown]) -> str:
    """Description of the figures of EEG; empty without one."""
    if not drawn:
        return ""
    steps = [one.snippet.step for one in drawn]
    return (
        "The EEG is that of the windows: in the montage of the study, filtered and resampled. Positive voltages are "
        "drawn upward, the median of each channel is subtracted, and a trace is cut at 1.5 times the distance of "
        "two channels, which the bar on the right shows. The green span is the annotated seizure, the blue bar at the "
        "top the window. Below are the annotated and detected events, and the probability of a seizure with the "
        "threshold of the operating point (dashed), smoothed as for detections. Voltages are rounded to "
        f"{number(min(steps))} to {number(max(steps))} µV.{RELEVANCE if any(one.explained for one in drawn) else ''}"
    )


def _timelines(recordings: Sequence[DetectedRecording]) -> dict[str, Any]:
    """Figures of the timelines: recordings with seizures or detections first."""
    eventful = sorted(recordings, key=lambda one: not (one.item.seizures or one.detections))
    figures = [timeline_figure(one) for one in eventful[:MAX_TIMELINES]]
    n_left = len(recordings) - len(figures)
    return {
        "timelines": figures[:N_OPEN_TIMELINES],
        "further_timelines": figures[N_OPEN_TIMELINES:],
        "n_further": count(len(figures[N_OPEN_TIMELINES:]), "further recording"),
        "left_out": f"{count(n_left, 'further recording')} not shown." if n_left else "",
    }
