"""Stretches of EEG on the page: which are shown, their drawings, and their data for the interactive view."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from eegwf.evaluation.detector import TICKS, OperatingPoint
from eegwf.report.data import ReportData
from eegwf.report.detected import DetectedRecording, Seizure, overlapping
from eegwf.report.drawing import Figure
from eegwf.report.eeg_samples import Snippet, WindowSamples, cut_snippet, packed
from eegwf.report.figures_eeg import centered, eeg_figure, microvolts_of_spacing
from eegwf.report.formats import defined, number, score, seconds
from eegwf.report.galleries import N_SHOWN, ShownWindow, galleries
from eegwf.report.scripts import data_block
from eegwf.report.shown_relevance import WindowRelevance, relevance_by_recording, relevance_note, shown_in

SECONDS, BEFORE = 30.0, 10.0
"""Length of a snippet, and how long before the onset of a seizure it begins."""
MAX_DATA = 2_500_000
"""Characters of the samples and the relevance of all snippets; the others are only drawn."""


@dataclass(frozen=True)
class Shown:
    """A drawn snippet.

    Attributes
    ----------
    key
        Its id on the page.
    title
        What it is, with the numbers.
    figure
        The drawing.
    snippet
        Its samples.
    recording
        Its recording.
    explained
        Windows within it whose relevance is drawn.
    """

    key: str
    title: str
    figure: Figure
    snippet: Snippet
    recording: DetectedRecording
    explained: list[WindowRelevance]

    @property
    def note(self) -> str:
        """Sentences on the explained windows."""
        return relevance_note(self.explained)


@dataclass(frozen=True)
class SnippetSource:
    """What snippets are made of.

    Attributes
    ----------
    samples
        Samples of the windows.
    relevance
        Explained windows by recording.
    """

    samples: WindowSamples
    relevance: Mapping[str, Sequence[WindowRelevance]]

    @property
    def length(self) -> float:
        """Seconds of a window."""
        return self.samples.length

    def cut(self, recording: DetectedRecording, start: float) -> Snippet:
        """Cut a stretch of `SECONDS` seconds, or all of a shorter recording.

        Parameters
        ----------
        recording
            The recording.
        start
            Begin in seconds; moved so that the stretch is within the recording.

        Returns
        -------
        Snippet
            Its samples.
        """
        start = max(min(start, recording.seconds - SECONDS), 0.0)
        return cut_snippet(self.samples, recording.item.name, start, min(SECONDS, recording.seconds))

    def explained(self, snippet: Snippet, window: tuple[float, float] | None = None) -> list[WindowRelevance]:
        """Select the explained windows within a snippet.

        Parameters
        ----------
        snippet
            The snippet.
        window
            Onset and end in seconds of the window that it is about.

        Returns
        -------
        list of WindowRelevance
            Windows that do not overlap.
        """
        windows = self.relevance.get(snippet.recording, ())
        return shown_in(windows, snippet.start, snippet.end, snippet.ch_names, window)


def snippets(
    run: ReportData,
    points: Mapping[int, OperatingPoint],
    recordings: Sequence[DetectedRecording],
    seizures: Sequence[Seizure],
) -> tuple[list[Shown], dict[str, list[Shown]]]:
    """Draw the EEG of the galleries, and with what is left of `max_snippets`, of the onsets of seizures.

    Parameters
    ----------
    run
        Content of the report.
    points
        Operating point of each outer fold; empty for the class of largest probability.
    recordings, seizures
        Recordings with their detections, and the annotated seizures.

    Returns
    -------
    onsets : list of Shown
        Missed seizures are preferred, those with the smallest probability first; they are in the order of the numbers.
    galleries : dict
        The windows of each gallery.
    """
    samples, shown = run.samples, dict[str, list[Shown]]()
    if isinstance(samples, str):
        return [], shown
    maps = [fold.maps for fold in run.outer if fold.maps is not None]
    source = SnippetSource(samples, relevance_by_recording(maps, samples.length))
    limit, places = run.study.report.max_snippets, {one.item.name: one for one in recordings}
    for name, windows in galleries(run, points, min(N_SHOWN, limit // 4)).items():
        key = f"eeg-{name.replace(' ', '-')}"
        shown[name] = [
            _of_window(source, places[one.recording], one, f"{key}-{number_of}")
            for number_of, one in enumerate(windows, start=1)
        ]
    n_left = limit - sum(map(len, shown.values()))
    order = sorted(range(len(seizures)), key=lambda index: _urgency(seizures[index]))
    return [_of_seizure(source, seizures[index], index + 1) for index in sorted(order[:n_left])], shown


def _urgency(seizure: Seizure) -> tuple[bool, float]:
    """Order in which onsets are shown; of found seizures, that of the table."""
    missed = seizure.latency is None
    return not missed, seizure.largest if missed and defined(seizure.largest) else 0.0


def seizure_key(number_of: int) -> str:
    """Id on the page of the EEG of a seizure, by its number in the table, from 1."""
    return f"eeg-seizure-{number_of}"


def _of_seizure(source: SnippetSource, one: Seizure, number_of: int) -> Shown:
    snippet = source.cut(one.recording, one.onset - BEFORE)
    detected = "not found" if one.latency is None else f"found, latency {number(round(one.latency, 1))} s"
    title = (
        f"Seizure {number_of}: {one.recording.place}, {one.event_type} from {seconds(one.onset)} s, {detected}, "
        f"largest probability {score(one.largest)}"
    )
    what, explained = f"Onset of seizure {number_of}", source.explained(snippet)
    figure = eeg_figure(snippet, one.recording, what, relevance=explained)
    return Shown(seizure_key(number_of), title, figure, snippet, one.recording, explained)


def _of_window(source: SnippetSource, recording: DetectedRecording, one: ShownWindow, key: str) -> Shown:
    snippet = source.cut(recording, one.onset + (source.length - SECONDS) / 2)
    title = (
        f"{recording.place}, window from {seconds(one.onset)} s: {one.label}, predicted class "
        f"{one.predicted}, probability of a seizure {score(one.p)}"
    )
    window, what = (one.onset, one.onset + source.length), f"EEG around the window from {seconds(one.onset)} s"
    explained = source.explained(snippet, window)
    figure = eeg_figure(snippet, recording, what, window, explained)
    return Shown(key, title, figure, snippet, recording, explained)


def viewer_data(drawn: Sequence[Shown]) -> Markup:
    """Samples and annotations of the snippets for the interactive viewer.

    Parameters
    ----------
    drawn
        The snippets.

    Returns
    -------
    Markup
        A data block with the id `eeg-data`: for each id the samples, compressed by `packed` (as long as all fit into
        `MAX_DATA` characters), and what is drawn over them; empty without snippets.
    """
    entries, n_left = {}, MAX_DATA
    for one in drawn:
        entry = _entry(one, packed(one.snippet.values))
        size = len(entry["data"]) + len(json.dumps(entry["relevance"]))
        if size <= n_left:
            n_left -= size
            entries[one.key] = entry
    return data_block("eeg-data", entries) if entries else Markup("")


def _entry(one: Shown, data: str) -> dict[str, Any]:
    snippet, threshold = one.snippet, one.recording.threshold
    return {
        "recording": snippet.recording,
        "start": snippet.start,
        "sfreq": snippet.sfreq,
        "step": snippet.step,
        "spacing": microvolts_of_spacing(centered(snippet.voltage())),
        "channels": snippet.ch_names,
        "seizures": overlapping(one.recording.item.seizures, snippet.start, snippet.end),
        "detections": overlapping(one.recording.detections, snippet.start, snippet.end),
        "relevance": [(part.onset, part.end, part.percent()) for part in one.explained],
        "p": probabilities(one),
        "threshold": threshold if threshold is not None and math.isfinite(threshold) else None,
        "data": data,
    }


def probabilities(one: Shown) -> list[tuple[float, float, float]]:
    """Start and end in seconds, and probability of a seizure, of the segments of a snippet's timeline."""
    line, low, high = one.recording.line, one.snippet.start * TICKS, one.snippet.end * TICKS
    segments = zip(line.start.tolist(), line.stop.tolist(), line.value.tolist(), strict=True)
    return [
        (start / TICKS, stop / TICKS, round(value, 4)) for start, stop, value in segments if start < high and stop > low
    ]
