"""Scores of resampled patients (cluster bootstrap and jackknife; Efron and Tibshirani, 1993).

Windows of a patient are correlated, so patients are resampled instead of windows. `intervals` computes confidence
intervals from these scores. They describe how the scores of the trained models vary with the tested patients; they do
not include the variance of training.
"""

import numpy as np

from eegwf.evaluation.scores import SPECIFICITY, TOLERANCE

CELLS = 1_000_000  # windows x replicates in memory at once: a few arrays of 8 MB each


def patient_draws(n_patients: int, n_replicates: int, seed: int) -> np.ndarray:
    """Draw patients with replacement.

    Parameters
    ----------
    n_patients
        Number of patients, and of draws in a replicate.
    n_replicates
        Number of replicates.
    seed
        Random seed.

    Returns
    -------
    ndarray
        How often each patient is drawn in each replicate, `(n_replicates, n_patients)`.
    """
    rng = np.random.default_rng(seed)
    draws = np.zeros((n_replicates, n_patients))
    for row in draws:
        row += np.bincount(rng.integers(n_patients, size=n_patients), minlength=n_patients)
    return draws


def leave_one_out(n_patients: int) -> np.ndarray:
    """Leave out each patient once, for the jackknife.

    Parameters
    ----------
    n_patients
        Number of patients.

    Returns
    -------
    ndarray
        Weights of the patients as `patient_draws` returns them, `(n_patients, n_patients)`: 0 for the patient left out.
    """
    return 1 - np.eye(n_patients)


def replicate_scores(
    truth: np.ndarray,
    predicted: np.ndarray,
    p: np.ndarray,
    patient: np.ndarray,
    draws: np.ndarray,
    cells: int = CELLS,
    specificity: float = SPECIFICITY,
) -> dict[str, np.ndarray]:
    """Score every replicate; the weight of a window is the number of times that its patient was drawn.

    Parameters
    ----------
    truth, predicted
        Class numbers, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`.
    patient
        Patient number of each window, `(n_windows,)`.
    draws
        Weights, `(n_replicates, n_patients)`, from `patient_draws` or `leave_one_out`.
    cells
        Maximum number of windows times replicates in memory at once; the result does not depend on it.
    specificity
        Specificity at which `sensitivity_at_specificity` is computed.

    Returns
    -------
    dict
        Overall scores (`scores.SCORES`, and `detection_auroc`, the AUROC of seizures, any class but the first, by the
        probability 1 - p of the first class) as `(n_replicates,)` and those of each class (`class_recall`, ...)
        as `(n_replicates, n_classes)`, as defined in `scores`; NaN where undefined. Scores that average over the
        classes are also undefined in a replicate without a class that the cohort has, since they would average over
        other classes than the score of the cohort does.
    """
    n_classes = p.shape[1]
    result = count_scores(truth, predicted, patient, draws, n_classes)
    ranked = [_ranking(p[:, c], truth == c, patient, draws, cells, specificity) for c in range(n_classes)]
    auroc, auprc, others = np.stack(ranked, axis=-1)
    auprc[np.isnan(auroc)] = np.nan
    averaged = slice(1, None) if n_classes == 2 else slice(None)
    result |= {"auroc": auroc[:, averaged].mean(axis=1), "auprc": auprc[:, averaged].mean(axis=1)}
    # A window that is not recognized as the first class is detected as a seizure, so that both have one curve.
    result |= {"detection_auroc": auroc[:, 0], "sensitivity_at_specificity": others[:, 0]}
    return result | {"class_auroc": auroc, "class_auprc": auprc}


def count_scores(
    truth: np.ndarray, predicted: np.ndarray, patient: np.ndarray, draws: np.ndarray, n_classes: int
) -> dict[str, np.ndarray]:
    """Score every replicate by the scores of the confusion matrix alone, which need no ranking of the windows.

    Parameters
    ----------
    truth, predicted, patient, draws
        As in `replicate_scores`.
    n_classes
        Number of classes.

    Returns
    -------
    dict
        As `replicate_scores` returns it, without AUROC, average precision and scores of one threshold.
    """
    counts = np.zeros((draws.shape[1], n_classes * n_classes))
    np.add.at(counts, (patient, truth * n_classes + predicted), 1)
    matrices = (draws @ counts).reshape(-1, n_classes, n_classes)
    return _from_confusion(matrices, np.bincount(truth, minlength=n_classes))


def interval(values: np.ndarray, confidence: float) -> tuple[float | None, float | None, int]:
    """Compute the percentile interval of the replicates of a score.

    Parameters
    ----------
    values
        Replicates, `(n_replicates,)`; NaN where undefined. Undefined replicates are omitted.
    confidence
        Confidence level, such as 0.95.

    Returns
    -------
    tuple
        Lower and upper bound (both None if more than half of the replicates are undefined), and the number of undefined
        replicates.
    """
    defined = values[~np.isnan(values)]
    undefined = len(values) - len(defined)
    if 2 * undefined > len(values):
        return None, None, undefined
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high), undefined


def _from_confusion(matrices: np.ndarray, windows: np.ndarray) -> dict[str, np.ndarray]:
    """Scores from confusion matrices `(n_replicates, true, predicted)`, and the windows of each class in the cohort."""
    correct = np.diagonal(matrices, axis1=1, axis2=2)
    true, predicted, total = matrices.sum(2), matrices.sum(1), matrices.sum((1, 2))
    recall, f1 = ratio(correct, true), ratio(2 * correct, true + predicted)
    chance = (true * predicted).sum(1)
    occurs = windows > 0
    complete = (true[:, occurs] > 0).all(axis=1)
    agreement = total * correct.sum(1) - chance
    truth_variance, predicted_variance = (total * total - (count * count).sum(1) for count in (true, predicted))
    matthews = ratio(agreement, np.sqrt(truth_variance * predicted_variance))
    return {
        "balanced_accuracy": np.where(complete, recall[:, occurs].mean(axis=1), np.nan),
        "macro_f1": np.where(complete, np.nan_to_num(f1).mean(axis=1), np.nan),
        "accuracy": ratio(correct.sum(1), total),
        "cohen_kappa": ratio(agreement, total * total - chance),
        "mcc": np.where((truth_variance > 0) & (predicted_variance == 0), 0.0, matthews),
        "class_recall": recall,
        "class_specificity": ratio(total[:, None] - true - predicted + correct, total[:, None] - true),
        "class_precision": ratio(correct, predicted),
        "class_f1": f1,
    }


def _ranking(
    score: np.ndarray, positive: np.ndarray, patient: np.ndarray, draws: np.ndarray, cells: int, recall: float
) -> np.ndarray:
    """Weighted AUROC, average precision, and largest specificity at a recall of each replicate, `(3, n_replicates)`.

    The windows are sorted once, because replicates differ in the weights only. The cumulative weights at the last
    window of each tie are the points of the ROC curve and of the precision-recall curve.
    """
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    patient, positive = patient[order], positive[order].astype(float)
    auroc, auprc, specificity = result = np.empty((3, len(draws)))
    step = max(1, cells // len(score))
    for start in range(0, len(draws), step):
        block = slice(start, start + step)
        weight = np.take(draws[block], patient, axis=1)
        predicted = np.cumsum(weight, axis=1).take(ends, axis=1)
        weight *= positive
        tp = np.cumsum(weight, axis=1).take(ends, axis=1)
        fp = predicted - tp
        positives, negatives = tp[:, -1], fp[:, -1]
        # False positives only increase along the curve, so the first point with this recall has the fewest.
        first = (tp >= (positives * (recall - TOLERANCE))[:, None]).argmax(axis=1)
        correct = negatives - fp[np.arange(len(fp)), first]
        specificity[block] = np.where(positives > 0, ratio(correct, negatives), np.nan)
        tp_steps = np.diff(tp, axis=1, prepend=0)
        fp_steps = np.diff(fp, axis=1, prepend=0)
        area = (fp_steps * (tp - tp_steps / 2)).sum(1)
        auroc[block] = ratio(area, positives * negatives)
        precision = np.divide(tp, predicted, out=np.zeros_like(tp), where=predicted > 0)
        auprc[block] = ratio((tp_steps * precision).sum(1), positives)
    return result


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide; NaN where the denominator is 0.

    Parameters
    ----------
    numerator, denominator
        Arrays of one shape, not negative.

    Returns
    -------
    ndarray
        The quotients.
    """
    return np.divide(numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator > 0)
