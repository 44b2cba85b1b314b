"""Windows of a study with their classes and folds, and the training and validation sets of an outer fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from eegwf.data.events import classify
from eegwf.errors import InputError
from eegwf.seeds import seed_of
from eegwf.storage.files import read_table


@dataclass(frozen=True)
class WindowSet:
    """Windows of a class set, one entry each.

    Attributes
    ----------
    classes
        Names of the classes.
    window, label, fold
        Integer arrays `(n_windows,)`: row in the arrays, class index (-1 for a borderline window), and
        fold, from 1.
    patient, recording, onset
        Arrays `(n_windows,)`: names, and onset in seconds from the start of the recording.
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

    def select(self, mask: np.ndarray) -> "WindowSet":
        """The windows for which `mask`, a Boolean array `(n_windows,)`, is true."""
        return replace(
            self,
            window=self.window[mask],
            label=self.label[mask],
            fold=self.fold[mask],
            patient=self.patient[mask],
            recording=self.recording[mask],
            onset=self.onset[mask],
        )

    def excluding_fold(self, fold: int) -> "WindowSet":
        """The windows outside a fold; tuning and training receive no others."""
        return self.select(self.fold != fold)

    def in_folds(self, *folds: int) -> "WindowSet":
        """The windows of one or several folds."""
        return self.select(np.isin(self.fold, folds))

    def scored(self) -> "WindowSet":
        """The windows that have a class."""
        return self.select(self.label >= 0)

    def borderline(self) -> "WindowSet":
        """The windows that have none."""
        return self.select(self.label < 0)

    def permuted(self, test_fold: int, seed: int) -> "WindowSet":
        """Permute the labels outside the test fold, as a control.

        Parameters
        ----------
        test_fold
            Fold whose labels are unchanged; 0 for none.
        seed
            Seed of the study.

        Returns
        -------
        WindowSet
            The same windows; the class labels outside the test fold are permuted, borderline windows stay borderline.
        """
        rng = np.random.default_rng(seed_of(seed, "permuted labels", test_fold))
        shuffled = (self.fold != test_fold) & (self.label >= 0)
        label = self.label.copy()
        label[shuffled] = rng.permutation(label[shuffled])
        return replace(self, label=label)


@dataclass(frozen=True)
class Split:
    """Training and validation set from different folds.

    Attributes
    ----------
    train, validation
        Windows that have a class.
    validation_folds
        Numbers of the validation folds, ascending.
    unlabeled
        Rows of the borderline windows of the training folds, ascending; for pretraining only.
    """

    train: WindowSet
    validation: WindowSet
    validation_folds: tuple[int, ...]
    unlabeled: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def load_window_set(
    windows: Path, folds: Path, classes: Mapping[str, Sequence[str]], reserved: bool = False
) -> WindowSet:
    """Read the windows and folds of a study and assign classes to the windows.

    Parameters
    ----------
    windows, folds
        `windows.tsv` and `folds.tsv`.
    classes
        Event types of each class.
    reserved
        Whether to read the patients reserved for tuning, with their inner folds, instead of the other patients, with
        their outer folds.

    Returns
    -------
    WindowSet
        The windows that belong to a class or are borderline.

    Raises
    ------
    InputError
        If a class has no windows, the patient of a window has no fold, or no patient is reserved.
    """
    table = read_table(windows, ("window", "patient", "label"), text=("recording", "patient", "label"))
    fold_table = read_table(folds, ("patient", "fold"), text=("patient",))
    missing = sorted(set(table["patient"]) - set(fold_table["patient"]))
    if missing:
        raise InputError(f"{folds}: no fold for patient {missing[0]}, who has windows in {windows}")
    fold_table = fold_table[(fold_table["fold"] == 0) == reserved]
    if reserved and fold_table.empty:
        raise InputError(f"{folds}: no patient in fold 0, reserved for tuning; remove the file and run again")
    table = table[table["patient"].isin(fold_table["patient"])]
    fold_of = dict(zip(fold_table["patient"], fold_table["inner" if reserved else "fold"], strict=True))
    found = classified_windows(table, fold_of, classes)
    for number, name in enumerate(found.classes):
        if not np.any(found.label == number):
            labels = sorted(set(table["label"]) - {""})
            raise InputError(
                f"{windows}: no window of class {name!r} (event types {', '.join(classes[name])}); labels of the "
                f"windows: {', '.join(labels) or 'none'}; use another class set or shorten windows.length"
            )
    return found


def classified_windows(
    table: pd.DataFrame, fold_of: Mapping[str, int], classes: Mapping[str, Sequence[str]]
) -> WindowSet:
    """Assign classes to windows, and leave out those whose event type has none.

    Parameters
    ----------
    table
        Rows of `windows.tsv`.
    fold_of
        Fold of each patient.
    classes
        Event types of each class.

    Returns
    -------
    WindowSet
        The windows that belong to a class or are borderline.
    """
    names = tuple(classes)
    index = {label: _class_index(label, classes, names) for label in table["label"].unique()}
    kept = table[[index[label] is not None for label in table["label"]]]
    return WindowSet(
        names,
        kept["window"].to_numpy(np.int64),
        np.array([index[label] for label in kept["label"]], dtype=np.int64),
        np.array([fold_of[patient] for patient in kept["patient"]], dtype=np.int64),
        kept["patient"].to_numpy(object),
        kept["recording"].to_numpy(object),
        kept["onset"].to_numpy(np.float64),
        max(fold_of.values()),
    )


def _class_index(label: str, classes: Mapping[str, Sequence[str]], names: tuple[str, ...]) -> int | None:
    """Index of the class of a label; -1 for a borderline window, None for a label of no class."""
    if not label:
        return -1
    name = classify(label, classes)
    return None if name is None else names.index(name)


def split(window_set: WindowSet, test_fold: int, inner: int = 1) -> Split:
    """Split the windows outside the test fold into training and validation set.

    Parameters
    ----------
    window_set
        Windows; those of the test fold are ignored.
    test_fold
        Number k of the outer fold; 0 if there is no test fold, as for patients reserved for tuning.
    inner
        Which of the other folds is the validation fold: 1 for k+1, 2 for k+2 and so on, cyclically.

    Returns
    -------
    Split

    Raises
    ------
    InputError
        If the training set lacks a class, or there is no such inner fold.

    Notes
    -----
    If the validation set lacks a class, the following folds are added to it until it has every class. The training set
    has priority: it keeps at least one fold, and no fold is added that contains its last windows of a class. The
    validation set may therefore lack a class, as may a test fold.
    """
    others = window_set.excluding_fold(test_fold)
    visible = others.scored()
    n_others = window_set.n_folds - (test_fold != 0)
    if not 1 <= inner <= n_others:
        raise InputError(f"tuning.inner_folds: no inner fold {inner} of {n_others} besides the test fold; use fewer")
    order = [(test_fold - 1 + step) % window_set.n_folds + 1 for step in range(1, n_others + 1)]
    order = order[inner - 1 :] + order[: inner - 1]
    present = {fold: set(visible.in_folds(fold).label.tolist()) for fold in order}

    def lacking(folds: list[int]) -> list[str]:
        numbers = set().union(*(present[fold] for fold in folds))
        return [name for number, name in enumerate(window_set.classes) if number not in numbers]

    size = min(range(1, n_others), key=lambda size: (len(lacking(order[size:])), len(lacking(order[:size])), size))
    missing = lacking(order[size:])
    if missing:
        place = f"fold {test_fold}" if test_fold else "tuning.reserved"
        raise InputError(
            f"{place}: its training patients (folds {', '.join(map(str, sorted(order[size:])))}) have no "
            f"window of class {missing[0]!r}; use fewer folds, another class set, or more patients"
        )
    train, validation = order[size:], order[:size]
    unlabeled = np.sort(others.in_folds(*train).borderline().window)
    return Split(visible.in_folds(*train), visible.in_folds(*validation), tuple(sorted(validation)), unlabeled)
