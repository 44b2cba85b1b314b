"""Read the labels, patients and folds of given arrays."""

from pathlib import Path

import pandas as pd

from eegwf.config.data_paths import DataPaths
from eegwf.config.stages.data import ImportTablesSettings
from eegwf.data.dataset_tables import COUNTS, DROPPED, EVENT_COLUMNS, MEASURED
from eegwf.data.fold_arrays.importer import tables
from eegwf.storage.files import write_table


def run(settings: ImportTablesSettings, output: Path) -> None:
    """Write the tables of recordings, windows and folds, and a table of events without rows.

    Parameters
    ----------
    settings
        The data set, and ids that belong to the same person.
    output
        Folder of the tables.

    Raises
    ------
    InputError
        If a file is not as the configuration says, or two spectrograms have different labels or patients.
    """
    recordings, windows, folds = tables(settings.dataset, settings.patients)
    paths = DataPaths(output)
    empty = dict.fromkeys([*COUNTS, *MEASURED, DROPPED], "")
    write_table(paths.recordings, recordings.assign(excluded="", notes="", **empty))
    write_table(paths.windows, windows)
    write_table(paths.given_folds, folds[["patient", "fold"]])
    write_table(paths.events, pd.DataFrame(columns=EVENT_COLUMNS))
