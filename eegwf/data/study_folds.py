"""Outer folds of a study, with the patients that are reserved for tuning."""

from collections.abc import Sequence

import pandas as pd

from eegwf.config.data import LEAVE_ONE_OUT
from eegwf.config.stages.data import FoldsSettings
from eegwf.data.folds import given_folds, make_folds, with_counts
from eegwf.data.patients import exclude_advice
from eegwf.data.reserve import inner_parts, reserve
from eegwf.errors import InputError


def study_folds(
    windows: pd.DataFrame, settings: FoldsSettings, given: str | None = None, lost: Sequence[str] = ()
) -> pd.DataFrame:
    """Assign every patient with windows to a fold.

    Parameters
    ----------
    windows
        `patient` and `label` of each window.
    settings
        How folds are made.
    given
        Table of folds that came with the data; None for that of the settings, if they name one.
    lost
        Ids of patients without windows, for the message.

    Returns
    -------
    DataFrame
        `patient`, `fold`, and a column of window counts for each label; sorted by patient. Patients reserved for tuning
        are in fold 0, and in the fold of the column `inner` among themselves.

    Raises
    ------
    InputError
        If folds can't be made, or are not as many as planned.
    """
    if given is None and isinstance(settings.folds, str) and settings.folds != LEAVE_ONE_OUT:
        given = settings.folds
    if given is not None:
        made = given_folds(given, windows, lowest=1 if settings.reserved is None else 0)
        reserved = made["patient"][made["fold"] == 0].tolist()
    else:
        reserved = [] if settings.reserved is None else reserve(windows, settings.reserved, settings.seed)
        made = make_folds(windows[~windows["patient"].isin(reserved)], settings.folds, settings.seed)
    if settings.n_inner_folds is not None:
        made = _with_reserved(made, windows, inner_parts(windows, reserved, settings.n_inner_folds, settings.seed))
    n_made = int(made["fold"].max())
    if n_made != settings.n_folds:
        advice = "take patients without usable recordings out of the table of folds"
        if given is None:
            advice = f"no window of {', '.join(lost)}: {exclude_advice(lost)}" if lost else "run `eegwf check`"
        raise InputError(
            f"folds: {settings.n_folds} folds are planned, but the {len(made)} patients with windows make {n_made}; "
            f"{advice}"
        )
    return made


def _with_reserved(made: pd.DataFrame, windows: pd.DataFrame, inner: dict[str, int]) -> pd.DataFrame:
    """Folds with the reserved patients in fold 0, and the fold among the reserved in the column `inner`, 0 for none."""
    fold_of = dict(zip(made["patient"], made["fold"], strict=True)) | dict.fromkeys(inner, 0)
    patients = sorted(fold_of)
    table = pd.DataFrame({"patient": patients, "fold": [fold_of[patient] for patient in patients]})
    table["inner"] = [inner.get(patient, 0) for patient in patients]
    return with_counts(table, windows)
