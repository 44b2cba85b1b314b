"""Make the folds by patient, and stop the run if they would leak."""

from pathlib import Path

import pandas as pd

from eegwf.config.data import LEAVE_ONE_OUT
from eegwf.config.stages.data import FoldsSettings
from eegwf.data.folds import given_folds, make_folds, with_counts
from eegwf.data.leakage import check_leakage
from eegwf.data.reserve import inner_parts, reserve
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_table, write_json, write_table


def run(
    settings: FoldsSettings, windows: Path, arrays: Path, folds: Path, leakage: Path, given: str | None = None
) -> None:
    """Write the table of the folds and the results of the leakage checks.

    Parameters
    ----------
    settings
        How folds are made. Patients reserved for tuning are in fold 0, and in the fold of the column `inner` among
        themselves.
    windows, arrays
        Table of the windows, and their samples.
    folds, leakage
        Files to write.
    given
        Table of folds that came with the data.

    Raises
    ------
    InputError
        If folds can't be made, are not as many as planned, or a leakage check fails.
    """
    table = read_table(windows, ("window", "patient", "label"), text=("recording", "patient", "label"))
    if given is None and isinstance(settings.folds, str) and settings.folds != LEAVE_ONE_OUT:
        given = settings.folds
    if given is not None:
        made = given_folds(given, table, lowest=1 if settings.reserved is None else 0)
        reserved = made["patient"][made["fold"] == 0].tolist()
    else:
        reserved = [] if settings.reserved is None else reserve(table, settings.reserved, settings.seed)
        made = make_folds(table[~table["patient"].isin(reserved)], settings.folds, settings.seed)
    if settings.n_inner_folds is not None:
        made = _with_reserved(made, table, inner_parts(table, reserved, settings.n_inner_folds, settings.seed))
    n_made = int(made["fold"].max())
    if n_made != settings.n_folds:
        raise InputError(
            f"folds: {settings.n_folds} folds are planned, but the {len(made)} patients with windows make {n_made}; "
            f"take patients without usable recordings out of the data set (or out of the table of folds)"
        )
    checks = check_leakage(table, made, read_array(arrays))
    write_table(folds, made)
    write_json(leakage, checks)


def _with_reserved(made: pd.DataFrame, windows: pd.DataFrame, inner: dict[str, int]) -> pd.DataFrame:
    """Folds with the reserved patients in fold 0, and the fold among the reserved in the column `inner`, 0 for none."""
    fold_of = dict(zip(made["patient"], made["fold"], strict=True)) | dict.fromkeys(inner, 0)
    patients = sorted(fold_of)
    table = pd.DataFrame({"patient": patients, "fold": [fold_of[patient] for patient in patients]})
    table["inner"] = [inner.get(patient, 0) for patient in patients]
    return with_counts(table, windows)
