"""Percentile intervals from resampled patients (Efron and Tibshirani 1993, cluster bootstrap).

Windows of one patient resemble each other, so patients are drawn, not windows. The intervals say how the
scores of these trained models vary with the patients tested; they don't hold the spread of training anew.
"""

import numpy as np

CELLS = 1_000_000  # windows x replicates held at once: a few arrays of 8 MB each


def patient_draws(n_patients: int, n_replicates: int, seed: int) -> np.ndarray:
    """Draw patients with replacement: how often each is in each replicate, `(n_replicates, n_patients)`."""
    rng = np.random.default_rng(seed)
    draws = np.zeros((n_replicates, n_patients))
    for row in draws:
        row += np.bincount(rng.integers(n_patients, size=n_patients), minlength=n_patients)
    return draws


def replicate_scores(
    truth: np.ndarray,
    predicted: np.ndarray,
    p: np.ndarray,
    patient: np.ndarray,
    draws: np.ndarray,
    cells: int = CELLS,
) -> dict[str, np.ndarray]:
    """Score every replicate, each window weighing as often as its patient was drawn.

    Parameters
    ----------
    truth, predicted
        Class numbers, `(n_windows,)`.
    p
        Probabilities, `(n_windows, n_classes)`.
    patient
        Patient number of each window, `(n_windows,)`.
    draws
        Weights, `(n_replicates, n_patients)`, from `patient_draws`.
    cells
        Most windows times replicates to hold at once; the result does not depend on it.

    Returns
    -------
    dict
        Overall scores (`scores.SCORES`) as `(n_replicates,)` and those of each class (`class_recall`, ...)
        as `(n_replicates, n_classes)`, by the definitions of `scores`, NaN where undefined.
    """
    n_classes = p.shape[1]
    counts = np.zeros((draws.shape[1], n_classes * n_classes))
    np.add.at(counts, (patient, truth * n_classes + predicted), 1)
    result = _from_confusion((draws @ counts).reshape(-1, n_classes, n_classes))
    ranked = [_ranking(p[:, c], truth == c, patient, draws, cells) for c in range(n_classes)]
    auroc, auprc = np.stack(ranked, axis=-1)
    auprc[np.isnan(auroc)] = np.nan
    averaged = slice(1, None) if n_classes == 2 else slice(None)
    result |= {"auroc": auroc[:, averaged].mean(axis=1), "auprc": auprc[:, averaged].mean(axis=1)}
    return result | {"class_auroc": auroc, "class_auprc": auprc}


def interval(values: np.ndarray, confidence: float) -> tuple[float | None, float | None, int]:
    """Percentile interval of a score's replicates.

    Parameters
    ----------
    values
        Replicates, `(n_replicates,)`, NaN where undefined: those are left out.
    confidence
        Level, such as .95.

    Returns
    -------
    tuple
        Low end, high end (both None if more than half of the replicates are undefined), and the number of
        undefined replicates.
    """
    defined = values[~np.isnan(values)]
    undefined = len(values) - len(defined)
    if 2 * undefined > len(values):
        return None, None, undefined
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high), undefined


def _from_confusion(matrices: np.ndarray) -> dict[str, np.ndarray]:
    """Scores from confusion matrices `(n_replicates, true, predicted)`."""
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    true, called, total = matrices.sum(2), matrices.sum(1), matrices.sum((1, 2))
    recall, f1 = _ratio(hits, true), _ratio(2 * hits, true + called)
    chance = (true * called).sum(1)
    return {
        "balanced_accuracy": np.nanmean(recall, axis=1),
        "macro_f1": np.nan_to_num(f1).mean(axis=1),
        "accuracy": _ratio(hits.sum(1), total),
        "cohen_kappa": _ratio(total * hits.sum(1) - chance, total * total - chance),
        "class_recall": recall,
        "class_precision": _ratio(hits, called),
        "class_f1": f1,
    }


def _ranking(
    score: np.ndarray, positive: np.ndarray, patient: np.ndarray, draws: np.ndarray, cells: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted AUROC and average precision of each replicate, ties in one step.

    The windows are sorted once; a replicate then only changes their weights, and cumulative sums at the last
    window of each tie are the points of its ROC and precision-recall curves.
    """
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    patient, positive = patient[order], positive[order].astype(float)
    auroc, auprc = np.empty((2, len(draws)))
    step = max(1, cells // len(score))
    for start in range(0, len(draws), step):
        block = slice(start, start + step)
        weight = np.take(draws[block], patient, axis=1)
        through = np.cumsum(weight, axis=1).take(ends, axis=1)
        weight *= positive
        hits = np.cumsum(weight, axis=1).take(ends, axis=1)
        alarms = through - hits
        new_hits = np.diff(hits, axis=1, prepend=0)
        new_alarms = np.diff(alarms, axis=1, prepend=0)
        area = (new_alarms * (hits - new_hits / 2)).sum(1)
        auroc[block] = _ratio(area, hits[:, -1] * alarms[:, -1])
        precision = np.divide(hits, through, out=np.zeros_like(hits), where=through > 0)
        auprc[block] = _ratio((new_hits * precision).sum(1), hits[:, -1])
    return auroc, auprc


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Quotient, NaN for 0/0."""
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
