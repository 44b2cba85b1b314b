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

COLUMNS = ("onset", "duration", "eventType", "confidence", "channels", "dateTime", "recordingDuration")
BACKGROUND, MISSING = "bckg", "n/a"


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
        event_type = event_types[int(mean[1:].argmax())]
        confidence = f"{1 - mean[0]:.4f}"
        rows.append((_seconds(first), _seconds(last - first), event_type, confidence, MISSING))
    if not rows:
        rows.append((_seconds(0.0), _seconds(seconds), BACKGROUND, MISSING, MISSING))
    return pd.DataFrame([(*row, start_time, _seconds(seconds)) for row in rows], columns=list(COLUMNS))


def _seconds(value: float) -> str:
    return f"{value:.4f}"
