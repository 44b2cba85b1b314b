"""Prediction of one recording, block by block, in bounded memory."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np

from eegwf.data.opened_recording import OpenedRecording
from eegwf.data.signals.header import header
from eegwf.data.signals.signal import open_signal
from eegwf.data.start_times import header_start
from eegwf.data.windows import WindowLabels, stretch_starts
from eegwf.errors import InputError
from eegwf.prediction.description import Reading
from eegwf.prediction.ensemble import Ensemble
from eegwf.prediction.input_statistics import BandMeter, InputStatistics
from eegwf.prediction.input_transform import InputTransform
from eegwf.prediction.inputs import InputRecording
from eegwf.prediction.normalized_inputs import NormalizedInputs
from eegwf.prediction.study_patients import ModelChoice, StudyPatients
from eegwf.progress import Progress
from eegwf.training.inference import BATCH


@dataclass(frozen=True)
class RecordingPrediction:
    """Prediction of a recording.

    Attributes
    ----------
    onset
        Onset of each window in seconds, `(n_windows,)`.
    calibrated, raw
        Probabilities of the classes `(n_windows, n_classes)`.
    seconds
        Length of the recording in seconds, with gaps.
    started
        Date and time of its first sample; None if they are not known.
    quality
        Quality of the input, a value for each column of the table.
    """

    onset: np.ndarray
    calibrated: np.ndarray
    raw: np.ndarray
    seconds: float
    started: datetime | None
    quality: dict[str, Any]


class StudySamples(Exception):
    """The study has samples of a recording, and the models that predict it may have been trained on them."""

    def __init__(self, windows: np.ndarray):
        super().__init__()
        self.windows = windows


class ShorterThanWindow(InputError):
    """A recording without a stretch as long as a window, so that nothing in it can be predicted."""


def open_windows(recording: InputRecording, reading: Reading) -> OpenedRecording:
    """Open a recording, with all windows that lie in it.

    Parameters
    ----------
    recording
        The recording.
    reading
        How it is read.

    Returns
    -------
    OpenedRecording
        The recording without events.

    Raises
    ------
    InputError
        If it can't be read as the recordings of the study.
    ShorterThanWindow
        If it is shorter than a window.
    """
    signal = open_signal(recording.path, reading.resampled, reading.ch_names, reading.channels)
    starts = stretch_starts(signal.stretches, reading.n_times, reading.windows.n_step(reading.sfreq))
    if not len(starts):
        raise ShorterThanWindow(
            f"{recording.path}: {signal.duration:g} s, shorter than a window of the study, {reading.windows.length:g} s"
        )
    labels = WindowLabels(starts, [""] * len(starts), np.zeros(len(starts)), np.zeros(0, dtype=int))
    return OpenedRecording(recording.path, signal, [], labels, np.ones(len(starts), dtype=bool), reading.n_times)


def predict_recording(
    recording: InputRecording,
    reading: Reading,
    transform: InputTransform,
    ensemble: Ensemble,
    statistics: InputStatistics,
    patients: StudyPatients,
    choice: ModelChoice,
    interval: float = float("inf"),
) -> RecordingPrediction:
    """Predict the windows of a recording.

    Parameters
    ----------
    recording
        The recording.
    reading
        How it is read.
    transform
        Transform of its windows.
    ensemble
        Models that predict.
    statistics
        Band power of the training recordings.
    patients
        Patients of the study.
    choice
        Choice of these models.
    interval
        Seconds between two lines of progress; infinity for none.

    Returns
    -------
    RecordingPrediction
        Probabilities and quality.

    Raises
    ------
    InputError
        If the recording can't be used.
    StudySamples
        If the study has samples of the recording that are not of the patient without whom these models were trained.

    Notes
    -----
    Models that are normalized by statistics of the whole recording need a first pass over it for these.
    """
    opened = open_windows(recording, reading)
    meter = BandMeter(len(reading.ch_names), reading.sfreq)
    inputs = NormalizedInputs(ensemble.kinds)
    progress = Progress(recording.name, len(opened.labels.start) * (1 + inputs.needs_statistics), interval)
    if inputs.needs_statistics:
        for block in _blocks(opened, patients, choice):
            inputs.measure(transform(block))
            progress.step(steps=len(block))
    calibrated: list[np.ndarray] = []
    raw: list[np.ndarray] = []
    for block in _blocks(opened, patients, choice):
        meter.add(block)
        for results, values in zip((calibrated, raw), ensemble.predict(inputs(transform(block))), strict=True):
            results.append(values)
        progress.step(steps=len(block))
    return RecordingPrediction(
        onset=opened.labels.start / reading.sfreq,
        calibrated=np.concatenate(calibrated),
        raw=np.concatenate(raw),
        seconds=opened.signal.span,
        started=header_start(header(recording.path, reading.channels)),
        quality=_quality(opened, meter.levels(), statistics),
    )


def _blocks(opened: OpenedRecording, patients: StudyPatients, choice: ModelChoice) -> Iterator[np.ndarray]:
    """Windows of a recording in batches, none of which the models have seen."""
    windows = opened.read()
    while batch := list(islice(windows, BATCH)):
        block = np.stack(batch)
        if patients.have_seen(block, choice):
            raise StudySamples(block)
        yield block


def _quality(opened: OpenedRecording, levels: np.ndarray, statistics: InputStatistics) -> dict[str, Any]:
    signal, distance = opened.signal, statistics.distance(levels)
    assert opened.quality is not None, "the windows have been read"
    measured = {**asdict(opened.quality), "distance": distance, "more_distant_than": statistics.larger_than(distance)}
    return {
        "sfreq": signal.recorded_sfreq,
        "seconds": signal.duration,
        "n_windows": len(opened.labels.start),
        "n_gaps": len(signal.stretches) - 1,
        "sd_uv": round(opened.deviation, 3),
        **{name: None if np.isnan(value) else round(value, 4) for name, value in measured.items()},
        "flat_channels": ", ".join(signal.flat),
        "unused_channels": ", ".join(signal.dropped),
        "notes": "; ".join(signal.notes),
    }
