"""Example windows of the attribution maps: which are shown, and what of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eegwf.report.data import ReportData
from eegwf.report.figures_examples import Trace, map_row, trace_figure
from eegwf.report.formats import capitalized, listing, share
from eegwf.report.judgment import Judgment
from eegwf.report.map_drawing import Scale, scale_of
from eegwf.report.map_files import Maps
from eegwf.report.pooled_maps import Part, parts_of, varies

KINDS = {
    "hit": "Hit: the most confident correctly answered seizure window",
    "miss": "Miss: the seizure window most confidently answered as background",
    "false alarm": "False alarm: the most confident wrongly answered background window",
    "borderline": "Borderline: the least confident window",
}
MAX_METHODS = 4
MAX_CHANNELS = 6


@dataclass(frozen=True)
class Example:
    """An example window.

    Attributes
    ----------
    kind
        Key of `KINDS`.
    maps
        Maps of its fold.
    row
        Its row of `windows.tsv`.
    """

    kind: str
    maps: Maps
    row: Any

    @property
    def index(self) -> int:
        """Its number in the arrays of examples."""
        return int(self.row["example_index"])


def pooled_examples(folds: list[Maps]) -> list[Example]:
    """One window of each kind over all folds: the most confident, and the least confident borderline window."""
    chosen = []
    for kind in KINDS:
        found = [
            Example(kind, maps, row)
            for maps in folds
            for _, row in maps.windows.iterrows()
            if row["example"] == kind and row["example_index"] >= 0
        ]
        if found:
            sign = 1 if kind == "borderline" else -1
            chosen.append(min(found, key=lambda example: sign * example.row["p"]))
    return chosen


def example_parts(run: ReportData, folds: list[Maps], judged: Judgment) -> list[dict[str, Any]]:
    """Headings, sentences and figures of the example windows.

    Parameters
    ----------
    run
        Content of the report.
    folds
        Maps of the folds.
    judged
        Evidence and verdicts.

    Returns
    -------
    list of dict
        Values of the template: `title`, `text`, `figures` and `note`.
    """
    # The energy of a time series would show its samples.
    if run.spectrogram == "raw" and not run.study.report.include_eeg:
        return []
    return [_example(run, example, judged) for example in pooled_examples(folds)]


def _example(run: ReportData, example: Example, judged: Judgment) -> dict[str, Any]:
    about, key = example.maps.about, f"example-{example.kind.replace(' ', '-')}"
    methods = judged.ranked(about["methods"])[:MAX_METHODS] or ["energy"]  # no method is valid for the model
    figures, notes, context = [], [], seconds_of_context(about)
    channels = most_relevant_channels(example, methods[0])
    trace = _trace(run, example, channels)
    if trace is not None:
        figures.append(trace_figure(trace, f"the {example.kind}", key))
        if trace.relevance.any():
            notes.append(
                "The shade behind the EEG is the relevance of each sample, input x gradient"
                + (" through the spectrogram" if run.spectrogram != "raw" else "")
                + " (orange: increases the score of the class, blue: decreases it)."
            )
        if trace.seizures:
            notes.append("The green span is the annotated seizure.")
    else:
        included = run.study.report.include_eeg
        notes.append("There is no time series of this window." if included else "This report contains no EEG.")
    if context:
        notes.append(
            f"Times are from the onset of the window; dashed lines mark the window, beside which the model sees "
            f"{context:g} s of context on each side."
        )
    shown = []
    for part in parts_of(about):
        maps, scales = _row(example, part, methods, channels, judged)
        window = _length(run, example) if context else None
        figure = map_row(maps, part, scales, f"the {example.kind}", f"{key}-{part.spectrogram}", window)
        figures += [figure] if figure else []
        shown.append((maps, scales))
    notes += _notes(shown, channels)
    return {"title": KINDS[example.kind], "text": _sentence(run, example), "figures": figures, "note": " ".join(notes)}


def most_relevant_channels(example: Example, method: str) -> list[str]:
    """Channels with the largest relevance in the map of a method, or in the time series if the map has none.

    Parameters
    ----------
    example
        The window.
    method
        Name of the method.

    Returns
    -------
    list of str
        At most `MAX_CHANNELS` names, in the order of the channels.
    """
    about = example.maps.about
    values = np.asarray(example.maps.examples[about["methods"].index(method), example.index], dtype=float)
    names = about["ch_names"]
    if not varies(values, 0) and len(example.maps.example_signals):
        values, names = np.asarray(example.maps.example_signals[example.index, 1]), about["signal_ch_names"]
    total = np.abs(values).reshape(len(values), -1).sum(axis=1)
    strongest = {names[row]: None for row in np.argsort(-total, kind="stable")}
    kept = list(strongest)[:MAX_CHANNELS]
    return [name for name in dict.fromkeys(names) if name in kept]


def _trace(run: ReportData, example: Example, channels: list[str]) -> Trace | None:
    about, signals = example.maps.about, example.maps.example_signals
    rows = [row for row, name in enumerate(about["signal_ch_names"]) if name in channels]
    if not len(signals) or not rows or not run.study.report.include_eeg:
        return None
    voltage, relevance = np.asarray(signals[example.index], dtype=float)[:, rows]
    sfreq, context = float(about["sfreq"]), seconds_of_context(about)
    seizures = annotated_seizures(run, example.row, voltage.shape[1] / sfreq - 2 * context, context)
    names = [about["signal_ch_names"][row] for row in rows]
    return Trace(names, voltage, relevance, sfreq, seizures, context)


def seconds_of_context(about: dict[str, Any]) -> float:
    """Seconds of context before each window, and after it, from the description of the maps."""
    return about["context"] / about["sfreq"] if about.get("context") else 0.0


def annotated_seizures(
    run: ReportData, window: Any, length: float, context: float = 0.0
) -> list[tuple[float, float, str]]:
    """Annotated events of a class other than the background that overlap a window or its context.

    Parameters
    ----------
    run
        Content of the report.
    window
        Row of `windows.tsv`.
    length
        Length of the window in seconds.
    context
        Seconds before the window, and after it, that count too.

    Returns
    -------
    list of tuple
        Start and end in seconds from the onset of the window, and type.
    """
    events = run.annotations
    if "recording" not in events or not timed(window):
        return []
    events = events[events["recording"] == window["recording"]]
    found = []
    for event in events.to_dict("records"):
        start = max(float(event["onset"]) - float(window["onset"]), 0.0 - context)
        end = min(float(event["onset"]) + float(event["duration"]) - float(window["onset"]), length + context)
        if end > start and run.class_of(event["label"]) not in (None, run.classes[0]):
            found.append((start, end, event["label"]))
    return found


def timed(window: Any) -> bool:
    """Whether the time of a window in its recording is known."""
    return bool(np.isfinite(pd.to_numeric(window["onset"])))


def _row(
    example: Example, part: Part, methods: list[str], channels: list[str], judged: Judgment
) -> tuple[dict[str, np.ndarray], dict[str, Scale]]:
    """Maps averaged over the channels, each with a largest magnitude of 1, and scales with the same limits."""
    about = example.maps.about
    rows = [row for row, name in enumerate(part.ch_names) if name in channels]
    rows = rows or list(range(len(part.ch_names)))
    maps, scales = {}, {}
    signed = any(about["signed"][method] for method in methods)
    for method in methods:
        index = about["methods"].index(method)
        values = np.asarray(example.maps.examples[index, example.index, part.channels], dtype=float)[rows].mean(axis=0)
        title = capitalized(about["titles"][method])
        maps[title] = values / (np.abs(values).max() or 1.0)
        scales[title] = scale_of(
            np.array([-1.0, 1.0]) if signed else np.array([0.0, 1.0]), signed, method in judged.grayed
        )
    return maps, scales


def _notes(shown: list[tuple[dict[str, np.ndarray], dict[str, Scale]]], channels: list[str]) -> list[str]:
    """Sentences on the maps of all spectrograms."""
    drawn = {title for maps, _ in shown for title, values in maps.items() if varies(values, 0) or varies(values, 1)}
    constant = [title for title in shown[0][0] if title not in drawn]
    grayed = [title for title, scale in shown[0][1].items() if scale.grayed and title in drawn]
    notes = [f"Maps are means over {listing(channels)}, each scaled to a largest value of 1."]
    if constant:
        notes.append(f"Not drawn, since it varies neither over time nor over frequency: {listing(constant)}.")
    if grayed:
        notes.append(f"Drawn in gray, not supported by its controls: {listing(grayed)}.")
    return notes


def _sentence(run: ReportData, example: Example) -> str:
    row = example.row
    place = f", {row['recording']} from {float(row['onset']):.6g} s" if timed(row) else ""
    text = (
        f"Patient {row['patient']}{place}: true class {row['label']}, predicted class {row['predicted']} with a "
        f"probability of {share(float(row['p']))}. The maps explain the predicted class."
    )
    if timed(row) and len(run.annotations) and not annotated_seizures(run, row, _length(run, example)):
        text += " No annotated seizure overlaps the window."
    return text


def _length(run: ReportData, example: Example) -> float:
    found = run.windows.loc[run.windows["window"] == example.row["window"], "duration"]
    return float(found.iloc[0]) if len(found) else float("inf")
