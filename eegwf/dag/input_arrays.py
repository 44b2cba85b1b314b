"""Arrays that a model reads, of the study or of an external data set."""

from collections.abc import Iterable
from pathlib import Path

from eegwf.config.data_paths import ExternalPaths, axes_of
from eegwf.config.paths import ResultPaths
from eegwf.config.spectrograms import InputGrids, Spectrograms


def input_arrays(files: ResultPaths | ExternalPaths, spectrogram: str, settings: Spectrograms) -> list[str]:
    """Arrays of an input.

    Parameters
    ----------
    files
        Files of the data set.
    spectrogram
        Name of the input.
    settings
        Section `spectrograms` of the configuration.

    Returns
    -------
    list of str
        One spectrogram, several for `concat`, or the windows themselves for `raw` and for spectrograms that are
        computed on the fly.
    """
    if spectrogram == "raw" or settings.on_the_fly:
        return [str(files.data.windows_array)]
    return [str(files.spectrogram(name)) for name in settings.members(spectrogram)]


def array_axes(arrays: Iterable[str]) -> list[str]:
    """Descriptions of arrays."""
    return [str(axes_of(Path(array))) for array in arrays]


def computed_grids(spectrogram: str, settings: Spectrograms) -> InputGrids | None:
    """Parameters of the spectrograms that are computed whenever windows are read.

    Parameters
    ----------
    spectrogram, settings
        As in `input_arrays`.

    Returns
    -------
    InputGrids or None
        None for an input that is read from arrays.
    """
    if spectrogram == "raw" or not settings.on_the_fly:
        return None
    return settings.grids(spectrogram)
