"""The windows of a study with their classes and folds, and the splits of an outer fold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eegwf.data.events import classify
from eegwf.errors import InputError
from eegwf.seeds import seed_of
from eegwf.storage.files import read_table


@dataclass(frozen=True)
class Cohort:
    """Windows that a class set keeps, one entry each.

    Attributes
    ----------
    classes
        Names of the classes.
    window, label, fold
        Integer arrays `(n_windows,)`: row in the arrays, class index (-1: borderline), fold from 1.
    patient, recording, onset
        Arrays `(n_windows,)`: names, and seconds from the recording's start.
    n_folds
        Number of folds of the study.
    """

    classes: tuple[str, ...]
    window: np.ndarray
    label: np.ndarray
    fold: np.ndarray
    patient: np.ndarray
    recording: np.ndarray
    onset: np.ndarray
    n_folds: int

    def select(self, mask: np.ndarray) -> "Cohort":
        """The windows where `mask` is true."""
        parts = (self.window, self.label, self.fold, self.patient, self.recording, self.onset)
        return Cohort(self.classes, *(part[mask] for part in parts), self.n_folds)

    def without(self, fold: int) -> "Cohort":
        """A view that does not contain a fold's windows: what tuning is handed."""
        return self.select(self.fold != fold)

    def only(self, *folds: int) -> "Cohort":
        """The windows of some folds."""
        return self.select(np.isin(self.fold, folds))

    def scored(self) -> "Cohort":
        """The windows that have a class."""
        return self.select(self.label >= 0)

    def permuted(self, test_fold: int, seed: int) -> "Cohort":
        """A control: the labels of all windows outside the test fold are shuffled among those that have one."""
        rng = np.random.default_rng(seed_of(seed, "permuted labels", test_fold))
        shuffled = (self.fold != test_fold) & (self.label >= 0)
        label = self.label.copy()
        label[shuffled] = rng.permutation(label[shuffled])
        return replace(self, label=label)


@dataclass(frozen=True)
class Split:
    """Training and validation windows, each with a class, from separate folds."""

    train: Cohort
    validation: Cohort
    validation_folds: tuple[int, ...]


def load_cohort(windows: Path, folds: Path, classes: dict[str, Sequence[str]], reserved: bool = False) -> Cohort:
    """Read the windows and folds of a study under a class set.

    Parameters
    ----------
    windows, folds
        `windows.tsv` and `folds.tsv`.
    classes
        Event types of each class.
    reserved
        Read the patients reserved for tuning, with their inner folds, in place of those of the outer folds.

    Raises
    ------
    InputError
        If no window of the set falls into a class, or a window's patient has no fold.
    """
    table = read_table(windows, ("window", "patient", "label"), text=("recording", "patient", "label"))
    given = read_table(folds, ("patient", "fold"), text=("patient",))
    lost = sorted(set(table["patient"]) - set(given["patient"]))
    if lost:
        raise InputError(f"{folds}: no fold for patient {lost[0]}, who has windows in {windows}")
    given = given[(given["fold"] == 0) == reserved]
    if reserved and given.empty:
        raise InputError(f"{folds}: no patient in fold 0, reserved for tuning; remove the file and run again")
    table = table[table["patient"].isin(given["patient"])]
    fold_of = dict(zip(given["patient"], given["inner" if reserved else "fold"], strict=True))
    names = tuple(classes)
    index = {label: _class_index(label, classes, names) for label in table["label"].unique()}
    kept = table[[index[label] is not None for label in table["label"]]]
    label = np.array([index[label] for label in kept["label"]], dtype=np.int64)
    for number, name in enumerate(names):
        if not np.any(label == number):
            labels = sorted(set(table["label"]) - {""})
            raise InputError(
                f"{windows}: no window of class {name!r} (event types {', '.join(classes[name])}); the windows "
                f"hold {', '.join(labels) or 'no label'}; use another class set or shorten windows.length"
            )
    return Cohort(
        names,
        kept["window"].to_numpy(np.int64),
        label,
        np.array([fold_of[patient] for patient in kept["patient"]], dtype=np.int64),
        kept["patient"].to_numpy(object),
        kept["recording"].to_numpy(object),
        kept["onset"].to_numpy(np.float64),
        max(fold_of.values()),
    )


def _class_index(label: str, classes: dict[str, Sequence[str]], names: tuple[str, ...]) -> int | None:
    """Class of a label: its index, -1 for a borderline window, None for one that the set leaves out."""
    if not label:
        return -1
    name = classify(label, classes)
    return None if name is None else names.index(name)


def split(cohort: Cohort, test_fold: int, inner: int = 1) -> Split:
    """Split what is not the test fold into training and validation.

    Parameters
    ----------
    cohort
        Windows; those of the test fold are left out if they are there.
    test_fold
        The outer fold k; 0 if no fold is tested, as where the patients are reserved for tuning.
    inner
        Which of the other folds validates: 1 for k+1, 2 for k+2 and so on, cyclically.

    Raises
    ------
    InputError
        If training lacks a class, or there is no such inner fold.

    Notes
    -----
    A validation set that lacks a class is widened by the next fold until it has all. Training comes first: it keeps a
    fold and its last windows of every class, so that validation may lack a class for good, as may a test fold.
    """
    visible = cohort.without(test_fold).scored()
    n_others = cohort.n_folds - (test_fold != 0)
    if not 1 <= inner <= n_others:
        raise InputError(f"tuning.inner_folds: no inner fold {inner} of {n_others} beside the test fold; use fewer")
    order = [(test_fold - 1 + step) % cohort.n_folds + 1 for step in range(1, n_others + 1)]
    order = order[inner - 1 :] + order[: inner - 1]
    present = {fold: set(visible.only(fold).label.tolist()) for fold in order}

    def lacking(folds: list[int]) -> list[str]:
        held = set().union(*(present[fold] for fold in folds))
        return [name for number, name in enumerate(cohort.classes) if number not in held]

    size = min(range(1, n_others), key=lambda size: (len(lacking(order[size:])), len(lacking(order[:size])), size))
    missing = lacking(order[size:])
    if missing:
        whose = f"fold {test_fold}" if test_fold else "tuning.reserved"
        raise InputError(
            f"{whose}: its training patients (folds {', '.join(map(str, sorted(order[size:])))}) have no "
            f"window of class {missing[0]!r}; use fewer folds, another class set, or more patients"
        )
    return Split(visible.only(*order[size:]), visible.only(*order[:size]), tuple(sorted(order[:size])))
