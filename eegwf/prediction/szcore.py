"""Tables of detected events in the form of SzCORE.

References
----------
Dan et al. (2024), SzCORE: seizure community open-source research evaluation framework, Epilepsia.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from eegwf.evaluation.detector import TICKS, OperatingPoint, timeline
from eegwf.prediction.description import FinalDescription
from eegwf.prediction.recording import RecordingPrediction

COLUMNS = ("onset", "duration", "eventType", "confidence", "channels", "dateTime", "recordingDuration")
BACKGROUND, MISSING = "bckg", "n/a"
# The types of seizures that SzCORE lists: those of focal seizures by awareness (known, impaired, unknown), and others.
FOCAL = (
    "m m_automatisms m_atonic m_clonic m_spasms m_hyperkinetic m_myoclonic m_tonic nm nm_autonomic nm_behavior "
    "nm_cognitive nm_emotional nm_sensory um"
)
OTHERS = (
    "sz sz_foc sz_foc_a sz_foc_ia sz_foc_f2b sz_gen sz_gen_m sz_gen_m_tonicClonic sz_gen_m_clonic sz_gen_m_tonic "
    "sz_gen_m_myoTC sz_gen_m_myoAtonic sz_gen_m_atonic sz_gen_m_spasms sz_gen_nm sz_gen_nm_typical sz_gen_nm_atypical "
    "sz_gen_nm_myoclonic sz_gen_nm_eyelidMyio sz_uo sz_uo_m sz_uo_m_tonicClonic sz_uo_m_spasms sz_uo_nm "
    "sz_uo_nm_behavior"
)
EVENT_TYPES = {
    *OTHERS.split(),
    *(f"sz_foc_{awareness}_{kind}" for awareness in ("a", "ia", "ua") for kind in FOCAL.split()),
}


def detected_events(
    onset: np.ndarray,
    duration: float,
    p: np.ndarray,
    point: OperatingPoint,
    event_types: Sequence[str],
    seconds: float,
    started: datetime | None,
) -> pd.DataFrame:
    """Detect the seizures of a recording.

    Parameters
    ----------
    onset
        Onset of each window in seconds, `(n_windows,)`.
    duration
        Length of a window in seconds.
    p
        Calibrated probabilities `(n_windows, n_classes)`, the background first.
    point
        Operating point.
    event_types
        Event type of each class but the first.
    seconds
        Length of the recording in seconds, with gaps.
    started
        Date and time of its first sample; None if they are not known.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, a row for each detection: the event type is that of the seizure class with the largest mean
        probability in it, and the confidence is the mean probability of a seizure. Without a detection, one row of type
        `bckg` with the length of the recording.
    """
    end = onset + duration
    found = timeline(onset, end, 1 - p[:, 0], point.smoothing).detect(point.threshold, point.min_duration)
    start_time = started.strftime("%Y-%m-%d %H:%M:%S") if started else MISSING
    rows = []
    for first, last in (found / TICKS).tolist():
        last = min(last, seconds)
        inside = np.clip(np.minimum(end, last) - np.maximum(onset, first), 0, None)
        mean = (inside @ p) / inside.sum()
        event_type = known_type(event_types[int(mean[1:].argmax())])
        confidence = f"{1 - mean[0]:.4f}"
        rows.append((_seconds(first), _seconds(last - first), event_type, confidence, MISSING))
    if not rows:
        rows.append((_seconds(0.0), _seconds(seconds), BACKGROUND, MISSING, MISSING))
    return pd.DataFrame([(*row, start_time, _seconds(seconds)) for row in rows], columns=list(COLUMNS))


def events_of(description: FinalDescription, point: OperatingPoint, result: RecordingPrediction) -> pd.DataFrame:
    """Detect the seizures of a predicted recording.

    Parameters
    ----------
    description
        Description of the models.
    point
        Operating point.
    result
        Prediction of the recording.

    Returns
    -------
    DataFrame
        As from `detected_events`.
    """
    event_types = [description.event_type(name) for name in description.seizure_classes]
    length = description.reading.windows.length
    return detected_events(result.onset, length, result.calibrated, point, event_types, result.seconds, result.started)


def known_type(event_type: str) -> str:
    """The event type itself, or the nearest more general one that SzCORE knows; its evaluation ends at any other."""
    while event_type not in EVENT_TYPES and "_" in event_type:
        event_type = event_type.rpartition("_")[0]
    return event_type


def _seconds(value: float) -> str:
    return f"{value:.4f}"
