"""Tables of a data set: recordings, events and windows, made from the descriptions of the recordings that were read."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from eegwf.data.bids import Recording

EVENT_COLUMNS = ["recording", "onset", "duration", "label", "n_windows"]
# Numbers of a recording, empty if it is excluded or its data set has no events.
COUNTS = ["n_windows", "n_seizures", "n_unlabeled", "n_open"]
# Number of gaps, and seconds from the first sample to the end of the last one, gaps included.
TIMES = ["n_gaps", "span"]
# Standard deviation in microvolts, and quality of the channels; empty likewise.
MEASURED = ["sd_uv", "flat", "line_noise", "correlation"]
# Names of the channels that no derivation contains.
DROPPED = "dropped"
# Description of what was read of each recording, by the recording's name.
Parts = dict[str, dict[str, Any]]


def windows_table(
    recordings: Sequence[Recording], parts: Parts, patient: Callable[[Recording], str], length: float
) -> pd.DataFrame:
    """Table of the windows.

    Parameters
    ----------
    recordings
        Recordings that are used.
    parts
        Descriptions of the recordings.
    patient
        Name of the patient of a recording.
    length
        Length of a window in seconds.

    Returns
    -------
    DataFrame
    """
    rows = []
    for recording in recordings:
        part = parts[recording.recording]
        for start, label, overlap in zip(part["start"], part["label"], part["overlap"], strict=True):
            rows.append([recording.recording, patient(recording), start / part["sfreq"], label, overlap])
    table = pd.DataFrame(rows, columns=["recording", "patient", "onset", "label", "overlap"])
    table.insert(0, "window", range(len(table)))
    table.insert(4, "duration", length)
    return table


def events_table(recordings: Sequence[Recording], parts: Parts) -> pd.DataFrame:
    """Table of the events.

    Parameters
    ----------
    recordings
        Recordings that are used.
    parts
        Descriptions of the recordings.

    Returns
    -------
    DataFrame
    """
    rows = [
        [recording.recording, *event, n_windows]
        for recording in recordings
        for event, n_windows in zip(
            parts[recording.recording]["events"], parts[recording.recording]["carried"], strict=True
        )
    ]
    return pd.DataFrame(rows, columns=EVENT_COLUMNS)


def recordings_table(
    recordings: Sequence[Recording], parts: Parts, patient: Callable[[Recording], str], root: Path
) -> pd.DataFrame:
    """Table of all recordings, used and excluded.

    Parameters
    ----------
    recordings
        All recordings.
    parts
        Descriptions of the recordings.
    patient
        Name of the patient of a recording.
    root
        Root of the data set, to which paths are relative.

    Returns
    -------
    DataFrame
    """
    rows: list[list[Any]] = []
    for recording in recordings:
        part = parts[recording.recording]
        path = Path(recording.path).relative_to(root).as_posix()
        cells = [recording.recording, patient(recording), path]
        if part["bad"]:
            numbers = [None] * len(COUNTS + TIMES + MEASURED)
            rows.append([*cells, None, None, None, None, part["bad"], "", *numbers, ""])
        else:
            sizes = [len(part["ch_names"]), len(part["events"])]
            counts = [len(part["start"]), *(part[name] for name in (*COUNTS[1:], *TIMES))]
            measured = [part["sfreq"], part["duration"], *sizes, "", "; ".join(part["notes"]), *counts]
            quality = part["quality"] or [None] * len(MEASURED[1:])
            rows.append([*cells, *measured, float(f"{part['sd']:.4g}"), *quality, "; ".join(part["dropped"])])
    columns = ["recording", "patient", "path", "sfreq", "duration", "n_chans", "n_events", "excluded", "notes"]
    table = pd.DataFrame(rows, columns=[*columns, *COUNTS, *TIMES, *MEASURED, DROPPED])
    return table.astype(dict.fromkeys(["n_chans", "n_events", *COUNTS, "n_gaps"], "Int64"))
