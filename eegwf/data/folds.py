"""Folds by patient: made once per study, with a random seed, balanced over the labels."""

from pathlib import Path

import numpy as np
import pandas as pd

from eegwf.config.data import LEAVE_ONE_OUT
from eegwf.config.patients import normalize_id
from eegwf.errors import InputError
from eegwf.seeds import seed_of
from eegwf.storage.files import read_table


def make_folds(windows: pd.DataFrame, folds: int | str, seed: int) -> pd.DataFrame:
    """Assign every patient to a fold.

    Parameters
    ----------
    windows
        `windows.tsv`: `patient` and `label` of each window.
    folds
        Number of folds, or `leave-one-patient-out`.
    seed
        Seed of the study.

    Returns
    -------
    DataFrame
        `patient`, `fold` from 1, and a column of window counts for each label; sorted by patient.

    Raises
    ------
    InputError
        If there are fewer patients than folds.

    Notes
    -----
    scikit-learn's StratifiedGroupKFold balances the label counts first. The seed decides only between patients with
    the same counts; if the counts of all patients differ, another seed can lead to the same folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # takes a second, and not every caller makes folds

    patients = sorted(windows["patient"].unique())
    if len(patients) < 3:
        raise InputError(
            f"folds: {len(patients)} patient(s) with windows ({', '.join(patients) or 'none'}); test, validation and "
            "training need 3 or more, so add recordings of other patients"
        )
    if folds == LEAVE_ONE_OUT:
        return with_counts(pd.DataFrame({"patient": patients, "fold": range(1, len(patients) + 1)}), windows)
    assert isinstance(folds, int)
    if len(patients) < folds:
        raise InputError(
            f"folds: {folds} folds can't be made of {len(patients)} patients; use {len(patients)} or fewer"
        )
    ordered = windows.sort_values(["patient", "label"], kind="stable")
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed_of(seed, "folds") % 2**32)
    names = ordered["patient"].to_numpy(object)
    fold_of: dict[str, int] = {}
    for fold, (_, rows) in enumerate(splitter.split(np.zeros(len(ordered)), _strata(ordered, folds), names), start=1):
        fold_of |= dict.fromkeys(names[rows], fold)
    if set(fold_of.values()) != set(range(1, folds + 1)):
        raise InputError(f"folds: {folds} balanced folds can't be made of {len(patients)} patients; use fewer")
    return with_counts(pd.DataFrame({"patient": patients, "fold": [fold_of[name] for name in patients]}), windows)


def _strata(windows: pd.DataFrame, folds: int) -> np.ndarray:
    """Labels to balance over; those too rare for the splitter are merged with the borderline windows."""
    counts = windows["label"].value_counts()
    rare = set(counts[counts < folds].index)
    strata = np.array(["" if label in rare else label for label in windows["label"]], dtype=object)
    if 0 < np.sum(strata == "") < folds:
        strata[strata == ""] = counts.index[0]
    return strata.astype(str)


def given_folds(path: Path | str, windows: pd.DataFrame, lowest: int = 1) -> pd.DataFrame:
    """Read folds from a table with `patient` and `fold`, such as the official split of a corpus.

    Parameters
    ----------
    path
        Tab-separated table with `patient` and `fold`; patients without windows are ignored.
    windows
        `windows.tsv`: `patient` and `label` of each window.
    lowest
        Number of the first fold: 1, or 0 if patients are reserved for tuning, who are in fold 0.

    Returns
    -------
    DataFrame
        As of `make_folds`.

    Raises
    ------
    InputError
        If the table can't be read, a patient has no fold or two folds, or the folds are not `lowest`..K with K at
        least 3.
    """
    try:
        table = read_table(path, ("patient", "fold"), text=("patient", "fold"))
    except OSError as error:
        raise InputError(
            f"folds: {path}: {error.strerror}; set a number or the path of a table with patient and fold"
        ) from None
    fold_of: dict[str, int] = {}
    names = table["patient"].map(normalize_id)
    for row, (patient, fold) in enumerate(zip(names, table["fold"], strict=True), start=2):
        if not (fold.isascii() and fold.isdigit()) or int(fold) < lowest:
            raise InputError(f"{path}: line {row}: fold {fold!r}: expected a whole number from {lowest}")
        if fold_of.setdefault(patient, int(fold)) != int(fold):
            raise InputError(
                f"{path}: line {row}: patient {patient} is in fold {fold_of[patient]} and in fold {fold}; a patient "
                "belongs to one fold, so remove one of the rows"
            )
    patients = sorted(windows["patient"].unique())
    missing = [patient for patient in patients if patient not in fold_of]
    if missing:
        raise InputError(
            f"{path}: no fold for patient {missing[0]}; {len(missing)} patient(s) are missing; add a row for each"
        )
    used = {fold_of[patient] for patient in patients}
    if max(used) - lowest + 1 != len(used) or max(used) < 3:
        raise InputError(
            f"{path}: folds {sorted(used)} of the patients with windows: expected {lowest} to K, K at least 3"
            + ("; fold 0 is reserved for tuning" if lowest == 0 else "")
        )
    return with_counts(pd.DataFrame({"patient": patients, "fold": [fold_of[name] for name in patients]}), windows)


def with_counts(folds: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """Add a column of window counts for each label.

    Parameters
    ----------
    folds
        Table with `patient`.
    windows
        `windows.tsv`: `patient` and `label` of each window.

    Returns
    -------
    DataFrame
        `folds` with the counts appended.
    """
    labeled = windows[windows["label"] != ""]
    counts = pd.crosstab(labeled["patient"], labeled["label"])
    counts = counts.reindex(folds["patient"], fill_value=0)
    return pd.concat([folds.reset_index(drop=True), counts.reset_index(drop=True)], axis=1)
