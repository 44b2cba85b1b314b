"""Arrays that a model reads, of the study or of an external data set."""

from collections.abc import Iterable

from eegwf.config.data_paths import ExternalPaths
from eegwf.config.paths import ResultPaths


def input_arrays(files: ResultPaths | ExternalPaths, members: Iterable[str]) -> list[str]:
    """Arrays of an input.

    Parameters
    ----------
    files
        Files of the data set.
    members
        Names of the spectrograms that are stacked, or `raw` for the windows themselves.

    Returns
    -------
    list of str
        An array for each of them.
    """
    return [str(files.data.windows_array if name == "raw" else files.spectrogram(name)) for name in members]
