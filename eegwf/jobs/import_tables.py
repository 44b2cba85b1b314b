"""The jobs that import given arrays: from the layouts of the earlier notebooks to the study's files."""

from pathlib import Path
from typing import Any

import pandas as pd

from eegwf.config.data import FoldArrays
from eegwf.data.fold_arrays.importer import tables
from eegwf.storage.files import write_table


def import_tables(config: dict[str, Any], output: Path) -> None:
    """Write `recordings.tsv`, `windows.tsv`, `given_folds.tsv` and an `events.tsv` without events.

    Parameters
    ----------
    config
        `dataset` and `patients`. Where two spectrograms disagree, this is refused.
    output
        Folder of the tables.
    """
    dataset = FoldArrays.model_validate(config["dataset"])
    recordings, windows, folds = tables(dataset, config["patients"])
    write_table(output / "recordings.tsv", recordings.assign(excluded="", notes=""))
    write_table(output / "windows.tsv", windows)
    write_table(output / "given_folds.tsv", folds[["patient", "fold"]])
    write_table(output / "events.tsv", pd.DataFrame(columns=["recording", "onset", "duration", "label"]))
