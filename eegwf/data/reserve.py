"""Patients reserved for tuning: in no outer fold, so that what they choose is judged by others."""

import numpy as np
import pandas as pd

from eegwf.config.tuning import n_reserved
from eegwf.data.folds import make_folds
from eegwf.errors import InputError
from eegwf.seeds import seed_of


def reserve(windows: pd.DataFrame, share: float, seed: int) -> list[str]:
    """Choose the reserved patients: the same share of every kind of patient, as far as whole patients allow.

    Parameters
    ----------
    windows
        `windows.tsv`: `patient` and `label` of each window.
    share
        Of the patients.
    seed
        Seed of the study.

    Notes
    -----
    A systematic sample of the patients sorted by the labels that they have, in random order among those alike.
    """
    labels = windows[windows["label"] != ""].groupby("patient")["label"].unique()
    kinds = {patient: tuple(sorted(labels.get(patient, ()))) for patient in windows["patient"].unique()}
    rng = np.random.default_rng(seed_of(seed, "reserved"))
    order = {patient: rng.random() for patient in sorted(kinds)}
    patients = sorted(kinds, key=lambda patient: (kinds[patient], order[patient]))
    wanted = n_reserved(len(patients), share)
    places = ((np.arange(wanted) + rng.random()) * len(patients) / max(wanted, 1)).astype(int)
    return sorted(patients[place] for place in places)


def inner_parts(windows: pd.DataFrame, reserved: list[str], n_parts: int, seed: int) -> dict[str, int]:
    """Part the reserved patients among themselves; each part validates one inner fold.

    Raises
    ------
    InputError
        If there are fewer patients than parts.
    """
    if len(reserved) < n_parts:
        raise InputError(
            f"tuning.reserved: {len(reserved)} reserved patient(s) can't make {n_parts} inner folds; reserve more, or "
            "use tuning.mode: per_fold"
        )
    made = make_folds(windows[windows["patient"].isin(reserved)], n_parts, seed_of(seed, "inner") % 2**31)
    return dict(zip(made["patient"], made["fold"], strict=True))
