"""The spectrogram job: from the study's windows to one array."""

from pathlib import Path
from typing import Any

from eegwf.config.spectrograms import Spectrograms
from eegwf.files import read_json
from eegwf.spectrograms.store import write_spectrogram


def write_from_windows(
    name: str, config: dict[str, Any], windows: str, array: str, axes: str, threads: int = 1
) -> None:
    """Write `S.npy` and `S.json` of the windows in `windows`, whose description stands beside it.

    Parameters
    ----------
    name
        `mel`, `stft` or `cwt`.
    config
        The spectrogram's section under `grid`.
    windows
        `windows.npy`.
    array, axes
        Files to write.
    threads
        Threads; the bytes don't depend on it.
    """
    described = read_json(Path(windows).with_suffix(".json"))
    grid = getattr(Spectrograms.model_validate({name: config["grid"]}), name)
    write_spectrogram(
        name, grid, windows, described["sfreq"], described["ch_names"], array, axes, threads=threads, progress=True
    )
