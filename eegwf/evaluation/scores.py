"""Scores of the predictions of a member, as defined in scikit-learn; None where undefined.

scikit-learn is imported in the functions, so that a job that reads its input first starts a second earlier.
"""

import warnings

import numpy as np

SCORES = (
    "balanced_accuracy", "macro_f1", "accuracy", "auroc", "auprc", "cohen_kappa", "mcc", "sensitivity_at_specificity",
)  # fmt: skip
CLASS_SCORES = ("recall", "specificity", "precision", "f1", "auroc", "auprc")
SIGNED = ("cohen_kappa", "mcc")
"""Scores from -1 to 1; all others are from 0 to 1."""
SPECIFICITY = 0.95
TOLERANCE = 1e-9  # of a false positive rate, which is a quotient


def confusion(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Compute the confusion matrix.

    Parameters
    ----------
    truth, predicted
        Class numbers, `(n_windows,)`.
    n_classes
        Number of classes.

    Returns
    -------
    ndarray of int64
        Number of windows of each true (row) and predicted (column) class, `(n_classes, n_classes)`.
    """
    from sklearn import metrics

    return metrics.confusion_matrix(truth, predicted, labels=np.arange(n_classes)).astype(np.int64)


def scores(
    truth: np.ndarray, predicted: np.ndarray, p: np.ndarray, specificity: float = SPECIFICITY
) -> dict[str, float | None]:
    """Compute the overall scores of predictions.

    Parameters
    ----------
    truth, predicted
        Class numbers, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`.
    specificity
        Specificity at which `sensitivity_at_specificity` is computed.

    Returns
    -------
    dict
        A value, or None where undefined, for each name in `SCORES`:

        - `balanced_accuracy`: mean recall over the classes that occur in the truth; classes that do not occur are
          omitted from the mean, as in `balanced_accuracy_score`.
        - `macro_f1`: mean F1 over all classes of the class set; a class that is neither true nor predicted counts as 0,
          as in `f1_score(labels=..., average="macro")`.
        - `accuracy`, `cohen_kappa`.
        - `mcc`: Matthews correlation coefficient, for more than two classes the R_K statistic (Gorodkin, 2004). 0 if
          all predictions are equal, as in `matthews_corrcoef`; undefined if all windows have the same class.
        - `auroc`, `auprc`: with two classes, the last class is the positive class; with more, the unweighted mean over
          the classes, one versus rest. Undefined unless every class occurs (scikit-learn defines the average precision
          as 0 without a positive window, and as 1 with positive windows only).
        - `sensitivity_at_specificity`: of the detection of seizures, that is of any class but the first, by the
          probability 1 - p of the first class: the largest sensitivity of a threshold whose specificity is at least
          `specificity`. It is a point of the empirical ROC curve, without interpolation, and its threshold belongs to
          the scored windows. Undefined without windows of the first class or of the others.

        All are None if there are no windows.
    """
    from sklearn import metrics

    n_classes = p.shape[1]
    if len(truth) == 0:
        return dict.fromkeys(SCORES)
    ranked = _ranking_scores(truth, p)
    averaged = slice(n_classes - 1, None) if n_classes == 2 else slice(None)
    with warnings.catch_warnings():
        # scikit-learn warns of classes absent from the truth and of a kappa of 0/0, which the docstring defines.
        warnings.simplefilter("ignore")
        values: dict[str, float] = {
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
            "macro_f1": metrics.f1_score(
                truth, predicted, labels=np.arange(n_classes), average="macro", zero_division=0
            ),
            "accuracy": metrics.accuracy_score(truth, predicted),
            "auroc": np.mean(ranked["auroc"][averaged]),
            "auprc": np.mean(ranked["auprc"][averaged]),
            "cohen_kappa": metrics.cohen_kappa_score(truth, predicted, labels=np.arange(n_classes)),
            "mcc": metrics.matthews_corrcoef(truth, predicted) if (truth != truth[0]).any() else np.nan,
            "sensitivity_at_specificity": _sensitivity(truth != 0, -p[:, 0], specificity),
        }
    return {name: number(value) for name, value in values.items()}


def class_scores(truth: np.ndarray, predicted: np.ndarray, p: np.ndarray) -> dict[str, list[float | None]]:
    """Compute the scores of each class, one versus rest.

    Parameters
    ----------
    truth, predicted, p
        As in `scores`.

    Returns
    -------
    dict
        For each name in `CLASS_SCORES` a value per class, None where it is undefined: the recall of a class that does
        not occur, the specificity of a class that all windows have, the precision of a class that is never predicted,
        the F1 of a class that is neither, and the AUROC and average precision of a class that has no window or all
        windows.
    """
    from sklearn import metrics

    n_classes = p.shape[1]
    if len(truth) == 0:
        return {name: [None] * n_classes for name in CLASS_SCORES}
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, predicted, labels=np.arange(n_classes), average=None, zero_division=np.nan
    )
    matrix = confusion(truth, predicted, n_classes)
    negatives = len(truth) - matrix.sum(axis=1)
    true_negatives = negatives - matrix.sum(axis=0) + np.diagonal(matrix)
    specificity = np.divide(true_negatives, negatives, out=np.full(n_classes, np.nan), where=negatives > 0)
    arrays = {
        "recall": recall,
        "specificity": specificity,
        "precision": precision,
        "f1": f1,
        **_ranking_scores(truth, p),
    }
    return {name: [number(value) for value in arrays[name]] for name in CLASS_SCORES}


def _ranking_scores(truth: np.ndarray, p: np.ndarray) -> dict[str, np.ndarray]:
    """AUROC and average precision of each class, one versus rest; NaN where undefined."""
    from sklearn import metrics

    auroc, auprc = np.full((2, p.shape[1]), np.nan)
    for c in range(p.shape[1]):
        positive = truth == c
        if positive.any() and not positive.all():
            auroc[c] = metrics.roc_auc_score(positive, p[:, c])
            auprc[c] = metrics.average_precision_score(positive, p[:, c])
    return {"auroc": auroc, "auprc": auprc}


def _sensitivity(positive: np.ndarray, score: np.ndarray, specificity: float) -> float:
    """Largest sensitivity of a threshold of the score with at least this specificity; NaN where undefined."""
    from sklearn import metrics

    if positive.all() or not positive.any():
        return np.nan
    false_positive, true_positive, _ = metrics.roc_curve(positive, score, drop_intermediate=False)
    return float(true_positive[false_positive <= 1 - specificity + TOLERANCE].max())


def number(value: float) -> float | None:
    """Convert a float for JSON; NaN becomes None."""
    return None if np.isnan(value) else float(value)
