"""Short recordings of noise, and the files of windows that are cut from them."""

import numpy as np
from edfio import Edf, EdfAnnotation, EdfSignal

from eegwf.config.stages.data import WindowsSettings
from eegwf.data.reading_settings import ReadingSettings

FILES = ("recordings.tsv", "events.tsv", "windows.tsv", "windows.json", "windows.npy")
CHANNELS = ("Fp1", "F3", "C3")
SECONDS = 20
EVENTS = {"sub-01": ["4\t6\tsz_foc"], "sub-02": ["8\t5\tsz_gen"], "sub-03": [], "sub-04": ["0\t20\tbckg"]}
CONFIG = {
    "dataset": {"kind": "bids", "root": "unused"},
    "signals": {"montage": "as recorded", "sfreq": 64.0, "l_freq": 0.5},
    "windows": {"length": 2.0, "step": 2.0, "guard": 1.0},
    "patients": {},
}


def reading_settings(config, root):
    settings = WindowsSettings.model_validate(config)
    sections = (settings.dataset, settings.signals, settings.windows, settings.patients, settings.channels)
    return ReadingSettings(root, *sections)


def record(root, patient, rows=(), sfreq=64, peak=100.0, channels=CHANNELS, seconds=SECONDS, flat=(), annotated=False):
    """Write a recording of noise and its table of events; `annotated`: as EDF+, with an annotation each second."""
    folder = root / patient / "eeg"
    folder.mkdir(parents=True, exist_ok=True)
    data = np.random.default_rng(int(patient[4:])).normal(0, peak / 5, (len(channels), seconds * sfreq))
    data = np.clip(data, -peak, peak)
    data[list(flat)] = 7.0
    limit = (-2 * peak, 2 * peak)
    signals = [
        EdfSignal(row, sfreq, label=name, physical_dimension="uV", physical_range=limit)
        for name, row in zip(channels, data, strict=True)
    ]
    path = folder / f"{patient}_task-sz_eeg.edf"
    notes = [EdfAnnotation(float(second), None, "a text of some length") for second in range(seconds)]
    Edf(signals, data_record_duration=1, annotations=notes if annotated else None).write(path)
    lines = ["onset\tduration\teventType", *rows]
    (folder / f"{patient}_task-sz_events.tsv").write_text("\n".join(lines) + "\n")
    return path


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}
