"""The job that imports the given arrays of one spectrogram."""

from pathlib import Path
from typing import Any

from eegwf.config.data import FoldArrays
from eegwf.data.fold_arrays.importer import write_spectrogram


def import_spectrogram(config: dict[str, Any], name: str, array: Path, axes: Path) -> None:
    """Write one spectrogram's array and axes.

    Parameters
    ----------
    config
        `dataset`.
    name
        `mel`, `stft` or `cwt`.
    array, axes
        Files to write.
    """
    write_spectrogram(FoldArrays.model_validate(config["dataset"]), name, array, axes)
