"""Arrays that a model reads, of the study or of an external data set."""

from eegwf.config.data_paths import ExternalPaths
from eegwf.config.paths import ResultPaths
from eegwf.spectrograms.names import members


def input_arrays(files: ResultPaths | ExternalPaths, spectrogram: str) -> list[str]:
    """Arrays of an input.

    Parameters
    ----------
    files
        Files of the data set.
    spectrogram
        Name of the input.

    Returns
    -------
    list of str
        One spectrogram, three for `concat`, or the windows themselves for `raw`.
    """
    if spectrogram == "raw":
        return [str(files.data.windows_array)]
    return [str(files.spectrogram(name)) for name in members(spectrogram)]
