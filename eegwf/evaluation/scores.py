"""Scores of one member's predictions, by scikit-learn's definitions; what is undefined is None."""

import warnings

import numpy as np
from sklearn import metrics

SCORES = ("balanced_accuracy", "macro_f1", "accuracy", "auroc", "auprc", "cohen_kappa")
CLASS_SCORES = ("recall", "precision", "f1", "auroc", "auprc")


def confusion(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Count the windows of each true (row) and predicted (column) class: `(n_classes, n_classes)` int64."""
    return metrics.confusion_matrix(truth, predicted, labels=np.arange(n_classes)).astype(np.int64)


def scores(truth: np.ndarray, predicted: np.ndarray, p: np.ndarray) -> dict[str, float | None]:
    """Score predictions.

    Parameters
    ----------
    truth, predicted
        Class numbers, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`.

    Returns
    -------
    dict
        A value, or None where undefined, for each name in `SCORES`:

        - `balanced_accuracy`: mean recall over the classes that occur in the truth; a class that does not
          occur is left out of the mean, as in `balanced_accuracy_score`.
        - `macro_f1`: mean F1 over all classes of the class set; a class neither true nor predicted counts 0,
          as in `f1_score(labels=..., average="macro")`.
        - `accuracy`, `cohen_kappa`.
        - `auroc`, `auprc`: with two classes the last is the positive one; with more, one class against the
          rest, unweighted mean. Undefined unless every class occurs (scikit-learn calls the average
          precision 0 without a positive window, and 1 with nothing else).

        All are None without windows.
    """
    n_classes = p.shape[1]
    if len(truth) == 0:
        return dict.fromkeys(SCORES)
    ranked = _ranking_scores(truth, p)
    averaged = slice(n_classes - 1, None) if n_classes == 2 else slice(None)
    with warnings.catch_warnings():
        # Classes absent from the truth, and a kappa of 0/0: defined above, no news to the user.
        warnings.simplefilter("ignore")
        values = {
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
            "macro_f1": metrics.f1_score(
                truth, predicted, labels=np.arange(n_classes), average="macro", zero_division=0
            ),
            "accuracy": metrics.accuracy_score(truth, predicted),
            "auroc": np.mean(ranked["auroc"][averaged]),
            "auprc": np.mean(ranked["auprc"][averaged]),
            "cohen_kappa": metrics.cohen_kappa_score(truth, predicted, labels=np.arange(n_classes)),
        }
    return {name: number(value) for name, value in values.items()}


def class_scores(truth: np.ndarray, predicted: np.ndarray, p: np.ndarray) -> dict[str, list[float | None]]:
    """Score each class against the rest.

    Parameters
    ----------
    truth, predicted, p
        As in `scores`.

    Returns
    -------
    dict
        For each name in `CLASS_SCORES` one value a class, None where it is 0/0: recall of a class that never
        occurs, precision of one that is never predicted, F1 of one that is neither, AUROC and average
        precision where the truth is all this class or never.
    """
    n_classes = p.shape[1]
    if len(truth) == 0:
        return {name: [None] * n_classes for name in CLASS_SCORES}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, predicted, labels=np.arange(n_classes), average=None, zero_division=np.nan
    )
    arrays = {"recall": recall, "precision": precision, "f1": f1, **_ranking_scores(truth, p)}
    return {name: [number(value) for value in arrays[name]] for name in CLASS_SCORES}


def _ranking_scores(truth: np.ndarray, p: np.ndarray) -> dict[str, np.ndarray]:
    """AUROC and average precision of each class against the rest; NaN where undefined."""
    auroc, auprc = np.full((2, p.shape[1]), np.nan)
    for c in range(p.shape[1]):
        positive = truth == c
        if positive.any() and not positive.all():
            auroc[c] = metrics.roc_auc_score(positive, p[:, c])
            auprc[c] = metrics.average_precision_score(positive, p[:, c])
    return {"auroc": auroc, "auprc": auprc}


def number(value: float) -> float | None:
    """Make a float fit for JSON: None for NaN."""
    return None if np.isnan(value) else float(value)
