"""Number of outer folds of a study, from the configuration and the file names of the data set."""

from eegwf.config.data import LEAVE_ONE_OUT, RecordedDataset
from eegwf.config.study import Study
from eegwf.config.tuning import n_reserved
from eegwf.data.bids import discover
from eegwf.errors import InputError
from eegwf.storage.files import read_table


def count_folds(study: Study) -> int:
    """Count the outer folds without the results of any job.

    Parameters
    ----------
    study
        Configuration of the study.

    Returns
    -------
    int
        Number of outer folds.

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
                f"folds: {study.folds}: no table with patient and fold ({error}); set a number, "
                f"'{LEAVE_ONE_OUT}' or the path of such a table"
            ) from None
    if isinstance(study.dataset, RecordedDataset):
        n_patients = _count_patients(study, study.dataset)
    else:
        n_patients = sum(getattr(study.dataset, f"n_{group}") for group in ("focal", "generalized", "both", "none"))
    return folds_of_patients(study, n_patients)


def _count_patients(study: Study, dataset: RecordedDataset) -> int:
    """Number of patients with a recording; 0 for a data set that is not there, which its reader reports."""
    try:
        found = discover(dataset.root, dataset.annotations, dataset.layout, dataset.exclude)
    except InputError:
        return 0
    names = {recording.patient for recording in found.usable}
    return len({study.patients.get(name, name) for name in names})


def folds_of_patients(study: Study, n_patients: int) -> int:
    """Number of outer folds of leave-one-patient-out.

    Parameters
    ----------
    study
        Configuration of the study.
    n_patients
        Number of patients of the data set.

    Returns
    -------
    int
        One for each patient who is not reserved for tuning.
    """
    return n_patients - (n_reserved(n_patients, study.tuning.reserved) if study.tuning.mode == "reserved" else 0)
