"""Baselines that do not use the signal, and warnings about implausible scores."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from eegwf.evaluation.scores import scores

IMPLAUSIBLE = 0.9  # balanced accuracies of scalp EEG studies with patient-wise folds are well below


def majority(truth: np.ndarray, fold: np.ndarray, n_classes: int) -> np.ndarray:
    """Predict the windows of each fold as the most frequent class of the other folds.

    Parameters
    ----------
    truth
        Class numbers of the labeled windows, `(n_windows,)`.
    fold
        Their folds, `(n_windows,)`.
    n_classes
        Number of classes.

    Returns
    -------
    ndarray
        Predicted class numbers, `(n_windows,)`; the first class on a tie.
    """
    counts = pd.crosstab(fold, truth).reindex(columns=range(n_classes), fill_value=0)
    other_folds = counts.sum() - counts
    return other_folds.to_numpy().argmax(axis=1)[counts.index.get_indexer(pd.Index(fold))]


def baselines(truth: np.ndarray, fold: np.ndarray, n_classes: int) -> dict[str, dict[str, float | None]]:
    """Compute the pooled scores of the majority rule, and the balanced accuracy at chance level.

    Parameters
    ----------
    truth, fold, n_classes
        As in `majority`.

    Returns
    -------
    dict
        Scores of the baselines `majority` and `chance`, by name.
    """
    predicted = majority(truth, fold, n_classes)
    majority_scores = scores(truth, predicted, np.eye(n_classes)[predicted])
    kept = ("balanced_accuracy", "macro_f1", "accuracy")
    return {
        "majority": {name: majority_scores[name] for name in kept},
        "chance": {"balanced_accuracy": 1 / n_classes},
    }


def sanity_warnings(
    members: Mapping[str, Mapping[str, float | None]],
    confusions: Mapping[str, np.ndarray],
    truth: np.ndarray,
    fold: np.ndarray,
    classes: list[str],
) -> list[str]:
    """List findings that may indicate leakage, a useless classifier or missing classes.

    Parameters
    ----------
    members
        Scores of each member.
    confusions
        Confusion matrix of each member, true classes in rows.
    truth, fold
        Class number and fold of each labeled window, `(n_windows,)`.
    classes
        Names of the classes.

    Returns
    -------
    list of str
        One sentence for each finding.
    """
    sentences = []
    balanced = _defined(members, "balanced_accuracy")
    high = {name: value for name, value in balanced.items() if value >= IMPLAUSIBLE}
    if high:
        sentences.append(
            f"balanced accuracy of {', '.join(high)} is {IMPLAUSIBLE:.2f} or more (up to {max(high.values()):.3f}), "
            "which is implausible for patient-wise evaluation of scalp EEG: check the study for leakage"
        )
    counts = np.bincount(truth, minlength=len(classes))
    largest = counts.max() / len(truth)
    low = {name: value for name, value in _defined(members, "accuracy").items() if value < largest}
    if low:
        sentences.append(
            f"accuracy of {', '.join(low)} (down to {min(low.values()):.3f}) is below {largest:.3f}, the fraction of "
            f"{classes[counts.argmax()]} windows: predicting this class for every window would be more accurate"
        )
    for number, name in enumerate(classes):
        never = [member for member, matrix in confusions.items() if not matrix[:, number].any()]
        if never:
            sentences.append(f"{', '.join(never)} never predicted {name}")
    for fold_number in np.unique(fold):
        present = np.bincount(truth[fold == fold_number], minlength=len(classes))
        missing = [name for name, count in zip(classes, present, strict=True) if count == 0]
        if missing:
            sentences.append(f"test fold {fold_number} has no window of {', '.join(missing)}")
    return sentences


def _defined(members: Mapping[str, Mapping[str, float | None]], score: str) -> dict[str, float]:
    values = {name: member_scores[score] for name, member_scores in members.items()}
    return {name: value for name, value in values.items() if value is not None}
