"""Recordings as SzCORE's evaluation has them, and its rules for the table that a detector writes."""

from pathlib import Path

import numpy as np
import pandas as pd
from edfio import Edf, EdfSignal, Recording, read_edf
from timescoring.annotations import Annotation

from eegwf.config.data import Synthetic
from eegwf.data.synthetic.dataset import write_dataset

# Order and names of the channels on the page "Contribute to SzCORE Benchmark".
NAMES = (
    "Fp1-Avg, F3-Avg, C3-Avg, P3-Avg, O1-Avg, F7-Avg, T3-Avg, T5-Avg, Fz-Avg, Cz-Avg, Pz-Avg, Fp2-Avg, F4-Avg, C4-Avg, "
    "P4-Avg, O2-Avg, F8-Avg, T4-Avg, T6-Avg"
)
CHANNELS = NAMES.split(", ")
COLUMNS = ["onset", "duration", "eventType", "confidence", "channels", "dateTime", "recordingDuration"]


def write_others(root: Path) -> Path:
    """Write a synthetic recording that no other study has, with two focal seizures, and return its path."""
    config = Synthetic(
        kind="synthetic", n_focal=1, n_generalized=0, n_both=0, n_none=0, minutes=2.0, seizures=2, seed=9
    )
    write_dataset(root, config)
    return root / "sub-01/eeg/sub-01_task-sz_eeg.edf"


def write_common_average(source: Path, path: Path, seconds: float | None = None, without: str = "") -> Path:
    """Write a referential recording as SzCORE has it: 19 electrodes against their average, in its order and names.

    Parameters
    ----------
    source
        Recording with the channels `EEG Fp1-REF`, ....
    path
        EDF file to write.
    seconds
        Length; None for all.
    without
        A channel that is not written.

    Returns
    -------
    Path
        The file.
    """
    recorded = read_edf(source)
    rows = {signal.label.removeprefix("EEG ").removesuffix("-REF"): signal.data for signal in recorded.signals}
    rate = recorded.signals[0].sampling_frequency
    mean = np.mean(list(rows.values()), axis=0)
    stop = None if seconds is None else round(seconds * rate)
    signals = [
        EdfSignal((rows[name.removesuffix("-Avg")] - mean)[:stop], rate, label=name, physical_dimension="uV")
        for name in CHANNELS
        if name != without
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    header = Recording(startdate=recorded.startdate)
    Edf(signals, recording=header, starttime=recorded.starttime).write(path)
    return path


def check_events(path: Path, seconds: float, started: str) -> pd.DataFrame:
    """Check a table against the rules of SzCORE, and read it as its evaluation does.

    Parameters
    ----------
    path
        Table to check.
    seconds, started
        Length of the recording, and its start.

    Returns
    -------
    DataFrame
        The events, with numbers.
    """
    content = path.read_text(encoding="utf-8")
    head, *lines = content.removesuffix("\n").split("\n")
    assert head.split("\t") == COLUMNS and lines and content.endswith("\n")
    table = pd.DataFrame([line.split("\t") for line in lines], columns=COLUMNS)
    onset, duration = table["onset"].astype(float), table["duration"].astype(float)
    assert (onset >= 0).all() and (duration > 0).all() and (onset + duration <= seconds + 1e-3).all()
    assert (onset.diff().dropna() > 0).all()
    assert set(table["dateTime"]) == {started} and set(table["channels"]) == {"n/a"}
    assert table["recordingDuration"].astype(float).unique().tolist() == [seconds]
    assert table["eventType"].str.fullmatch(r"bckg|sz(_\w+)?").all()
    given = table["confidence"][table["confidence"] != "n/a"].astype(float)
    assert given.between(0, 1).all()
    if (table["eventType"] == "bckg").any():
        assert len(table) == 1 and onset[0] == 0 and duration[0] == seconds
    # One value for each second; a mask of another length than that of the reference is counted as no seizure.
    mask = np.zeros(int(float(table["recordingDuration"][0])), dtype=bool)
    for first, length, kind in zip(onset, duration, table["eventType"], strict=True):
        if kind != "bckg":
            mask[int(first) : int(first + length)] = True
    assert len(Annotation(mask, 1).mask) == int(seconds)
    return table.assign(onset=onset, duration=duration)
