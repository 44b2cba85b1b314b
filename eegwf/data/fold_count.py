"""Number of outer folds of a study, known before any job has run."""

from pathlib import Path

from eegwf.config.data import LEAVE_ONE_OUT, Bids
from eegwf.config.study import Study
from eegwf.config.tuning import n_reserved
from eegwf.errors import InputError
from eegwf.storage.files import read_table


def count_folds(study: Study) -> int:
    """Number of outer folds, known before any job has run.

    Raises
    ------
    InputError
        If a table of folds can't be read.
    """
    if study.dataset.kind == "fold_arrays":
        return study.dataset.n_folds
    if isinstance(study.folds, int):
        return study.folds
    if study.folds != LEAVE_ONE_OUT:
        try:
            return int(read_table(study.folds, ("patient", "fold"))["fold"].astype(int).max())
        except (OSError, ValueError) as error:
            raise InputError(
                f"folds: {study.folds}: no table with patient and fold ({error}); give a number, "
                f"'{LEAVE_ONE_OUT}' or such a table"
            ) from None
    if isinstance(study.dataset, Bids):
        found = {folder.name for folder in Path(study.dataset.root).glob("sub-*") if folder.is_dir()}
        n_patients = len({study.patients.get(name, name) for name in found})
    else:
        n_patients = sum(getattr(study.dataset, f"n_{group}") for group in ("focal", "generalized", "both", "none"))
    return n_patients - (n_reserved(n_patients, study.tuning.reserved) if study.tuning.mode == "reserved" else 0)
