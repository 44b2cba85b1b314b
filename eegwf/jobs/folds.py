"""Make the folds by patient, and stop the run if they would leak."""

from pathlib import Path

import numpy as np

from eegwf.config.data_paths import axes_of
from eegwf.config.patients import normalize_id
from eegwf.config.stages.data import FoldsSettings
from eegwf.data.context import n_context, without_context
from eegwf.data.leakage import check_leakage
from eegwf.data.patients import lost_ids
from eegwf.data.study_folds import study_folds
from eegwf.storage.files import read_array, read_json, read_table, write_json, write_table


def run(
    settings: FoldsSettings,
    windows: Path,
    arrays: Path,
    folds: Path,
    leakage: Path,
    given: str | None = None,
    recordings: Path | None = None,
) -> None:
    """Write the table of the folds and the results of the leakage checks.

    Parameters
    ----------
    settings
        How folds are made. Patients reserved for tuning are in fold 0, and in the fold of the column `inner` among
        themselves.
    windows, arrays
        Table of the windows, and their samples, whose axes are in the JSON file beside them.
    folds, leakage
        Files to write.
    given
        Table of folds that came with the data.
    recordings
        Table of the recordings, to name patients without windows.

    Raises
    ------
    InputError
        If folds can't be made, are not as many as planned, or a leakage check fails.
    """
    table = read_table(windows, ("window", "patient", "label"), text=("recording", "patient", "label"))
    lost = _without_windows(recordings, set(table["patient"])) if recordings is not None else []
    made = study_folds(table, settings, given, lost)
    samples: np.ndarray = read_array(arrays)
    sfreq = None
    if samples.ndim == 3:  # spectrograms have a fourth axis, and their windows no common time
        axes = read_json(axes_of(arrays))
        sfreq, samples = axes["sfreq"], without_context(samples, n_context(axes))
    checks = check_leakage(table, made, samples, sfreq, settings.max_similarity)
    write_table(folds, made)
    write_json(leakage, checks)


def _without_windows(recordings: Path, present: set[str]) -> list[str]:
    """Ids of the folders of patients who have recordings and no windows."""
    table = read_table(recordings, ("patient", "path"), text=("patient", "path"))
    folders = [next((part for part in path.split("/") if part.startswith("sub-")), "") for path in table["path"]]
    ids = map(normalize_id, folders)
    return lost_ids(zip(ids, table["patient"], strict=True), present)
