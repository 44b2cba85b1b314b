"""What a study must beat: floors that look at no signal, and alarms that ask for a second look."""

import numpy as np
import pandas as pd

from eegwf.evaluation.scores import scores

ALARM = 0.9  # patient-wise balanced accuracies of scalp EEG studies lie well below


def majority(truth: np.ndarray, fold: np.ndarray, n_classes: int) -> np.ndarray:
    """Predict each fold's windows as the most frequent class of the other folds.

    Parameters
    ----------
    truth
        Class numbers of the labelled windows, `(n_windows,)`.
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
    elsewhere = counts.sum() - counts
    return elsewhere.to_numpy().argmax(axis=1)[counts.index.get_indexer(fold)]


def floors(truth: np.ndarray, fold: np.ndarray, n_classes: int) -> dict[str, dict[str, float | None]]:
    """Pooled scores of the majority rule, and the balanced accuracy of chance."""
    constant = majority(truth, fold, n_classes)
    of_majority = scores(truth, constant, np.eye(n_classes)[constant])
    kept = ("balanced_accuracy", "macro_f1", "accuracy")
    return {
        "majority": {name: of_majority[name] for name in kept},
        "chance": {"balanced_accuracy": 1 / n_classes},
    }


def alarms(
    members: dict[str, dict[str, float | None]],
    confusions: dict[str, np.ndarray],
    truth: np.ndarray,
    fold: np.ndarray,
    classes: list[str],
) -> list[str]:
    """Sentences about results that ask for a second look.

    Parameters
    ----------
    members
        Scores of each member.
    confusions
        Confusion matrix of each member, true classes in rows.
    truth, fold
        Class number and fold of each labelled window.
    classes
        Names of the classes.
    """
    sentences = []
    high = [name for name, of in members.items() if of["balanced_accuracy"] >= ALARM]
    if high:
        best = max(members[name]["balanced_accuracy"] for name in high)
        sentences.append(
            f"balanced accuracy of {', '.join(high)} is {ALARM:.2f} or more (up to {best:.3f}): "
            "an alarm, not a success: look for a leak"
        )
    counts = np.bincount(truth, minlength=len(classes))
    share = counts.max() / len(truth)
    low = [name for name, of in members.items() if of["accuracy"] < share]
    if low:
        worst = min(members[name]["accuracy"] for name in low)
        sentences.append(
            f"accuracy of {', '.join(low)} (down to {worst:.3f}) is below {share:.3f}, "
            f"the share of {classes[counts.argmax()]}: always answering that would be right more often"
        )
    for number, name in enumerate(classes):
        silent = [member for member, matrix in confusions.items() if not matrix[:, number].any()]
        if silent:
            sentences.append(f"{', '.join(silent)} never predicted {name}")
    for one in np.unique(fold):
        present = np.bincount(truth[fold == one], minlength=len(classes))
        missing = [name for name, count in zip(classes, present, strict=True) if count == 0]
        if missing:
            sentences.append(f"test fold {one} has no window of {', '.join(missing)}")
    return sentences
