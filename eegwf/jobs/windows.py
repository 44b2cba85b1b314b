"""Read every recording and cut it into labeled windows."""

from pathlib import Path

from eegwf.config.stages.data import WindowsSettings
from eegwf.data.dataset import write_dataset_windows
from eegwf.data.reading_settings import ReadingSettings
from eegwf.storage.files import read_json


def run(
    settings: WindowsSettings,
    code: str,
    root: Path,
    state: Path,
    output: Path,
    like: Path | None = None,
    workers: int = 1,
) -> None:
    """Write the tables of recordings, events and windows, and the array of the windows.

    Parameters
    ----------
    settings
        How recordings are read and cut.
    code
        Digest of the code.
    root
        Root of the data set.
    state
        Folder of unfinished work.
    output
        Folder of the tables and arrays.
    like
        `windows.json` of the study as whose recordings those of an external data set are read, with its channels and
        sampling rate; None for the study's own.
    workers
        Number of processes.

    Raises
    ------
    InputError
        If a recording can't be used, or no window is left.
    """
    reading = ReadingSettings(
        root, settings.dataset, settings.signals, settings.windows, settings.patients, settings.channels
    )
    if like is not None:
        described = read_json(like)
        reading = reading.as_study(described["ch_names"], described["sfreq"])
    write_dataset_windows(reading, output, state, workers, code)
