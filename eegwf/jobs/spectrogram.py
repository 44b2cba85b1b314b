"""Compute one spectrogram of all windows."""

from pathlib import Path

from eegwf.compute.device import choose_device
from eegwf.config.data_paths import axes_of
from eegwf.config.stages.spectrogram import SpectrogramSettings
from eegwf.data.context import n_context
from eegwf.spectrograms.store import write_spectrogram
from eegwf.spectrograms.window_file import WindowFile
from eegwf.storage.files import read_json
from eegwf.storage.job_state import library_versions, state_folder


def run(
    settings: SpectrogramSettings,
    name: str,
    code: str,
    windows: Path,
    state: Path,
    array: Path,
    axes: Path,
    threads: int = 1,
) -> None:
    """Write the array and the axes of a spectrogram.

    Parameters
    ----------
    settings
        Parameters of the spectrogram, and the device.
    name
        `mel`, `stft`, `cwt` or `acf`.
    code
        Digest of the code.
    windows
        Array of the windows, with its description beside it.
    state
        Folder of unfinished work; a job that was killed continues at the chunk it had reached.
    array, axes
        Files to write.
    threads
        Number of threads; the result does not depend on it.

    Raises
    ------
    InputError
        If the windows can't be transformed, or a GPU was requested or assigned and torch sees none.
    """
    device = choose_device(settings.device, "spectrograms.device")
    described = read_json(axes_of(windows))
    context = n_context(described)
    file = WindowFile.open(windows, described["sfreq"], described["ch_names"], context)
    identity = [name, settings.grid.model_dump(), described["sha256"], context, device, code, library_versions()]
    folder = state_folder(state, "spectrogram", *identity)
    write_spectrogram(name, settings.grid, file, array, axes, folder, threads=threads, device=device, progress=True)
