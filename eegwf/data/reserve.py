"""Patients reserved for tuning, who are in no outer fold, so that selection and evaluation use different patients."""

import numpy as np
import pandas as pd

from eegwf.config.tuning import n_reserved
from eegwf.data.folds import make_folds
from eegwf.errors import InputError
from eegwf.seeds import seed_of


def reserve(windows: pd.DataFrame, share: float, seed: int) -> list[str]:
    """Choose the reserved patients, stratified by the labels that patients have.

    Parameters
    ----------
    windows
        `windows.tsv`: `patient` and `label` of each window.
    share
        Fraction of the patients to reserve.
    seed
        Seed of the study.

    Returns
    -------
    list of str
        Names of the reserved patients, sorted.

    Notes
    -----
    The patients are sorted by their sets of labels, in random order within each set, and sampled systematically.
    """
    labels = windows[windows["label"] != ""].groupby("patient")["label"].unique()
    strata = {patient: tuple(sorted(labels.get(patient, ()))) for patient in windows["patient"].unique()}
    rng = np.random.default_rng(seed_of(seed, "reserved"))
    order = {patient: rng.random() for patient in sorted(strata)}
    patients = sorted(strata, key=lambda patient: (strata[patient], order[patient]))
    count = n_reserved(len(patients), share)
    positions = ((np.arange(count) + rng.random()) * len(patients) / max(count, 1)).astype(int)
    return sorted(patients[position] for position in positions)


def inner_parts(windows: pd.DataFrame, reserved: list[str], n_parts: int, seed: int) -> dict[str, int]:
    """Divide the reserved patients into inner folds; each is the validation fold once.

    Parameters
    ----------
    windows
        `windows.tsv`: `patient` and `label` of each window.
    reserved
        Names of the reserved patients.
    n_parts
        Number of inner folds.
    seed
        Seed of the study.

    Returns
    -------
    dict
        Inner fold of each reserved patient who has windows, from 1.

    Raises
    ------
    InputError
        If there are fewer patients than inner folds.
    """
    if len(reserved) < n_parts:
        raise InputError(
            f"tuning.reserved: {len(reserved)} reserved patient(s) can't make {n_parts} inner folds; reserve more, or "
            "use tuning.mode: per_fold"
        )
    folds = make_folds(windows[windows["patient"].isin(reserved)], n_parts, seed_of(seed, "inner") % 2**31)
    return dict(zip(folds["patient"], folds["fold"], strict=True))
