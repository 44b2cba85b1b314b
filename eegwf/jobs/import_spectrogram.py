"""Import the given arrays of one spectrogram, all folds into one file."""

from pathlib import Path

from eegwf.config.stages.data import ImportSpectrogramSettings
from eegwf.data.fold_arrays.importer import write_spectrogram


def run(settings: ImportSpectrogramSettings, name: str, array: Path, axes: Path) -> None:
    """Write the array and the axes of one spectrogram.

    Parameters
    ----------
    settings
        The data set.
    name
        `mel`, `stft` or `cwt`.
    array, axes
        Files to write.

    Raises
    ------
    InputError
        If a file is not as the configuration says.
    """
    write_spectrogram(settings.dataset, name, array, axes)
