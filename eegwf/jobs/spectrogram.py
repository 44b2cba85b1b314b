"""The spectrogram job: from the study's windows to one array."""

from pathlib import Path
from typing import Any

import torch

from eegwf.config.spectrograms import Spectrograms
from eegwf.errors import InputError
from eegwf.spectrograms.store import WindowFile, write_spectrogram
from eegwf.storage.files import read_json
from eegwf.storage.job_state import library_versions, state_folder


def write_from_windows(
    name: str, config: dict[str, Any], code: str, windows: str, state: str, array: str, axes: str, threads: int = 1
) -> None:
    """Write `S.npy` and `S.json` of the windows in `windows`, whose description stands beside it.

    Parameters
    ----------
    name
        `mel`, `stft` or `cwt`.
    config
        The spectrogram's section under `grid`, and `device`.
    code
        Digest of the code.
    windows
        `windows.npy`.
    state
        Root of unfinished work: after a kill the job goes on at the chunk it had reached.
    array, axes
        Files to write.
    threads
        Threads; the bytes don't depend on it.

    Raises
    ------
    InputError
        If the windows can't be transformed, or if a GPU is asked for and none can be seen.
    """
    described = read_json(Path(windows).with_suffix(".json"))
    grid = getattr(Spectrograms.model_validate({name: config["grid"]}), name)
    device = config["device"]
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("spectrograms.device: cuda, but torch sees no GPU; set it to cpu, or to auto")
    file = WindowFile.open(windows, described["sfreq"], described["ch_names"])
    identity = [name, grid.model_dump(), described["sha256"], device, code, library_versions()]
    folder = state_folder(state, "spectrogram", *identity)
    write_spectrogram(name, grid, file, array, axes, folder, threads=threads, device=device, progress=True)
