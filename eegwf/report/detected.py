"""Recordings with their detections, and each annotated seizure with what was found of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eegwf.evaluation.detector import TICKS, Interval, OperatingPoint, Timeline, timeline
from eegwf.evaluation.events import detections, latency
from eegwf.evaluation.scored_recordings import ScoredRecording, scored_recordings
from eegwf.report.data import ReportData


@dataclass(frozen=True)
class DetectedRecording:
    """A recording as the primary detector sees it.

    Attributes
    ----------
    item
        The recording with its annotated seizures and the probabilities of its windows.
    line
        Probability of a seizure over time, smoothed as by the operating point of its fold.
    threshold
        Probability above which the detector alarms; None if it takes the class of largest probability, infinite if it
        never alarms.
    detections
        Onset and end of each detection in seconds.
    """

    item: ScoredRecording
    line: Timeline
    threshold: float | None
    detections: list[Interval]

    @property
    def seconds(self) -> float:
        """Length in seconds, gaps included."""
        return self.item.n_ticks / TICKS

    @property
    def place(self) -> str:
        """Name of the recording, and of the patient if it does not contain it."""
        name, patient = self.item.name, self.item.patient
        return name if patient in name else f"patient {patient}, {name}"


@dataclass(frozen=True)
class Seizure:
    """An annotated seizure.

    Attributes
    ----------
    recording
        Its recording.
    onset, end
        Seconds from the beginning of the recording.
    event_type
        Event type.
    latency
        Seconds from the onset to the first detection; None if it was not detected.
    largest
        Largest probability of a seizure in the windows that overlap it; NaN if no window does.
    """

    recording: DetectedRecording
    onset: float
    end: float
    event_type: str
    latency: float | None
    largest: float


def detected_recordings(run: ReportData, points: Mapping[int, OperatingPoint]) -> list[DetectedRecording]:
    """List the recordings of the tested patients with the detections of the primary detector.

    Parameters
    ----------
    run
        Content of the report.
    points
        Operating point of each outer fold; empty for the class of largest probability.

    Returns
    -------
    list of DetectedRecording
        By patient.
    """
    predictions = run.predictions[run.predictions["member"] == run.primary]
    tables = (run.windows, run.recordings, run.annotations)
    items = scored_recordings(predictions, *tables, run.study.classes[run.class_set])
    return [_detected(item, points, run.metrics["events"]["primary"]) for item in items]


def _detected(item: ScoredRecording, points: Mapping[int, OperatingPoint], detector: str) -> DetectedRecording:
    point = points.get(item.fold)
    line = timeline(item.onset, item.end, item.p, point.smoothing if point else 0.0)
    return DetectedRecording(item, line, point.threshold if point else None, detections(item, detector, points))


def scored_seizures(recordings: Sequence[DetectedRecording]) -> list[Seizure]:
    """Annotated seizures with what was found of them, in the order of the recordings."""
    return [
        Seizure(
            one, onset, end, event_type, latency(one.detections, onset, end), largest_probability(one.item, onset, end)
        )
        for one in recordings
        for (onset, end), event_type in zip(one.item.seizures, one.item.types, strict=True)
    ]


def overlapping(spans: Sequence[Interval], start: float, end: float) -> list[Interval]:
    """Select the intervals that overlap an interval.

    Parameters
    ----------
    spans
        Onset and end of each in seconds; those without length overlap it too.
    start, end
        Seconds.

    Returns
    -------
    list
    """
    return [(low, high) for low, high in spans if low < end and (high > start or low >= start)]


def largest_probability(item: ScoredRecording, onset: float, end: float) -> float:
    """Largest probability of a seizure in the windows that overlap an interval.

    Parameters
    ----------
    item
        The recording.
    onset, end
        Seconds; of an interval without length, the window that contains it.

    Returns
    -------
    float
        NaN if no window overlaps it.
    """
    inside = (item.onset < max(end, onset + 1 / TICKS)) & (item.end > onset)
    return float(item.p[inside].max()) if inside.any() else float("nan")
