"""Permutation test of a classifier whose windows are grouped in patients."""

import numpy as np

from eegwf.evaluation.bootstrap import CELLS


def permutation_p_value(
    truth: np.ndarray,
    predicted: np.ndarray,
    patient: np.ndarray,
    fold: np.ndarray,
    n_classes: int,
    n_permutations: int,
    seed: int,
    cells: int = CELLS,
) -> float | None:
    """Compute the p value of the balanced accuracy if predictions are exchanged between patients.

    Parameters
    ----------
    truth, predicted
        Class numbers, `(n_windows,)`, the windows of each patient in the order of time.
    patient
        Patient number of each window, `(n_windows,)`.
    fold
        Test fold of each window, `(n_windows,)`.
    n_classes
        Number of classes.
    n_permutations
        Number of permutations; 0: no test.
    seed
        Random seed.
    cells
        Maximum number of windows times permutations in memory at once; the result does not depend on it.

    Returns
    -------
    float or None
        One-sided p value, at least ``1/(n_permutations + 1)``; None without permutations, with a single patient, or
        if all windows have the same class.

    Notes
    -----
    The null hypothesis is that the predictions carry no information on the labels: neither on who has seizures of a
    class, nor on when. Windows of a patient are dependent, so that permuting single windows would reject it too often.
    A permutation therefore exchanges whole sequences of predictions between patients (whole-block exchange; Winkler et
    al., 2015), and only between patients of the same test fold, whose predictions are those of the same models. With
    one patient in each fold, patients are exchanged among all.

    Sequences have different lengths. The sequence of another patient starts at a random window and is continued from
    its beginning at its end; that of the patient, if it is kept, is shifted circularly in the same way. The random
    start is needed where all recordings have the same course, such as a seizure in their middle, since the labels of
    all patients are then the same. The test is exact for stationary sequences of equal length, and an approximation
    otherwise; `python -m bench.coverage` measures its level. Circular shifts alone, without exchange, would reject too
    often if predictions and labels drift (Harris, 2020). The observed predictions count as one of the permutations
    (Phipson and Smyth, 2010).

    References
    ----------
    .. [1] Winkler, A. M. et al. (2015). Multi-level block permutation. NeuroImage 123, 253-268.
    .. [2] Harris, K. D. (2020). Nonsense correlations in neuroscience. bioRxiv 2020.11.29.402719.
    .. [3] Phipson, B. and Smyth, G. K. (2010). Permutation p-values should never be zero: calculating exact p-values
       when permutations are randomly drawn. Statistical Applications in Genetics and Molecular Biology 9, 39.
    """
    order = np.argsort(patient, kind="stable")
    truth, predicted, patient, fold = truth[order], predicted[order], patient[order], fold[order]
    starts, lengths = np.unique(patient, return_index=True, return_counts=True)[1:]
    if not n_permutations or len(starts) < 2 or (truth == truth[0]).all():
        return None
    block = fold[starts]
    if len(np.unique(block)) == len(block):
        block = np.zeros(len(block), dtype=int)
    position = np.arange(len(truth)) - np.repeat(starts, lengths)
    row = np.repeat(np.arange(len(starts)), lengths)
    observed = _balanced_accuracy(truth, predicted[None], n_classes)[0]
    rng = np.random.default_rng(seed)
    donors = _exchanges(block, n_permutations, rng)
    shifts = rng.integers(lengths[donors])
    reached = 0
    step = max(1, cells // len(truth))
    for start in range(0, n_permutations, step):
        donor, shift = donors[start : start + step][:, row], shifts[start : start + step][:, row]
        source = starts[donor] + (shift + position) % lengths[donor]
        permuted = _balanced_accuracy(truth, predicted[source], n_classes)
        reached += int((permuted >= observed - 1e-12).sum())
    return (1 + reached) / (1 + n_permutations)


def _exchanges(block: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Permutations of the patients within their blocks, `(n, n_patients)`."""
    # Sorted by block and then by a random number, the patients of a block are in random order.
    keys = rng.random((n, len(block))) + np.unique(block, return_inverse=True)[1]
    shuffled = np.argsort(keys, axis=1)
    result = np.empty_like(shuffled)
    result[:, np.argsort(block, kind="stable")] = shuffled
    return result


def _balanced_accuracy(truth: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """Balanced accuracy of predictions `(n_permutations, n_windows)`, over the classes that occur."""
    counts = np.bincount(truth, minlength=n_classes)
    correct = np.stack([(predicted[:, truth == c] == c).sum(1) for c in np.flatnonzero(counts)], axis=1)
    return (correct / counts[counts > 0]).mean(axis=1)
