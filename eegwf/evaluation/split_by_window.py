"""Cross-validation of one model with folds by patient and with folds by window: what a leak would have claimed.

Windows of a patient are similar. If they are in training and test, a model is tested on patients whom it was trained
on, and its score says nothing about other patients. Here the same model is scored both ways on the same windows.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from eegwf.data.splits import WindowSet
from eegwf.errors import InputError
from eegwf.evaluation.bootstrap import leave_one_out, replicate_scores
from eegwf.evaluation.intervals import jackknife_interval
from eegwf.evaluation.metrics import Member, Patients
from eegwf.evaluation.scores import scores
from eegwf.seeds import seed_of
from eegwf.training.closed_form import ClosedFormNetwork, fit_and_predict

SCORES = ("balanced_accuracy", "auroc")
MAX_FOLDS = 10  # a study that leaves out one patient at a time would need hundreds of fits
TOLERANCE = 1e-6  # s, of onsets


def compare_splits(
    network: ClosedFormNetwork,
    features: torch.Tensor,
    windows: WindowSet,
    duration: np.ndarray | None,
    seed: int,
    confidence: float,
    permute_labels: bool = False,
) -> dict[str, Any]:
    """Score a model in cross-validation by patient and by window.

    Parameters
    ----------
    network
        Model that is fitted for each fold.
    features
        Its features of the windows.
    windows
        The windows that have a class, with the folds of the study.
    duration
        Duration of each window in seconds, `(n_windows,)`; None if the times of the windows are unknown.
    seed
        Seed of the study.
    confidence
        Level of the intervals.
    permute_labels
        Whether the labels of the training windows are permuted, as a control.

    Returns
    -------
    dict
        `n_folds` of both, `n_study_folds`, `n_windows`, `n_patients`, and under `by_patient` and `by_window` each score
        with its `value`, and `shared` as in `shared_with_training`. Scores by patient have the bounds `low` and `high`
        of the patient jackknife. Those by window have none: an interval over patients describes scores of other
        patients, and these are not scores of other patients.

    Raises
    ------
    InputError
        If the training windows of a fold lack a class.
    """
    by_patient = replace(windows, fold=joined_folds(windows.fold))
    n_folds = len(np.unique(by_patient.fold))
    by_window = replace(windows, fold=random_folds(windows.label, n_folds, seed))
    found: dict[str, Any] = {
        "n_folds": n_folds,
        "n_study_folds": len(np.unique(windows.fold)),
        "n_windows": len(windows.window),
        "n_patients": len(np.unique(windows.patient)),
    }
    for name, part in (("by_patient", by_patient), ("by_window", by_window)):
        p = cross_validate(network, features, part, seed if permute_labels else None)
        member = Member(part.label, p.argmax(axis=1), p, part.patient, part.fold)
        values = scores(member.truth, member.predicted, member.p)
        bounds = _bounds(member, values, confidence) if name == "by_patient" else {}
        found[name] = {score: {"value": values[score], **bounds.get(score, {})} for score in SCORES}
        found[name]["shared"] = shared_with_training(part, duration)
    return found


def joined_folds(fold: np.ndarray) -> np.ndarray:
    """Number the folds from 1, and join them in turn if there are more than `MAX_FOLDS`."""
    return np.unique(fold, return_inverse=True)[1] % MAX_FOLDS + 1


def random_folds(label: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """Assign windows to folds at random, with equal proportions of the classes.

    Parameters
    ----------
    label
        Class index of each window, `(n_windows,)`.
    n_folds
        Number of folds.
    seed
        Seed of the study.

    Returns
    -------
    ndarray
        Fold of each window, from 1. Folds differ by at most one window in total, and by at most one of each class.
    """
    order = np.random.default_rng(seed_of(seed, "split by window")).permutation(len(label))
    order = order[np.argsort(label[order], kind="stable")]
    fold = np.empty(len(label), dtype=np.int64)
    fold[order] = np.arange(len(label)) % n_folds + 1
    return fold


def cross_validate(
    network: ClosedFormNetwork, features: torch.Tensor, windows: WindowSet, permutation_seed: int | None = None
) -> np.ndarray:
    """Predict the windows of each fold by the model that is fitted to all other folds.

    Parameters
    ----------
    network
        Model that is fitted for each fold.
    features
        Its features of the windows.
    windows
        The windows that have a class, with the folds of the cross-validation.
    permutation_seed
        Seed with which the labels outside the test fold are permuted; None to keep them.

    Returns
    -------
    ndarray
        Probabilities `(n_windows, n_classes)`.

    Raises
    ------
    InputError
        If the training windows of a fold lack a class.
    """
    n_classes = len(windows.classes)
    p = np.empty((len(windows.label), n_classes))
    for fold in np.unique(windows.fold).tolist():
        label = windows.label if permutation_seed is None else windows.permuted(fold, permutation_seed).label
        train = windows.fold != fold
        missing = set(range(n_classes)) - set(label[train].tolist())
        if missing:
            raise InputError(f"all windows of class {windows.classes[min(missing)]!r} are in one fold")
        p[~train] = fit_and_predict(network, features, label, train, n_classes)
    return p


def shared_with_training(windows: WindowSet, duration: np.ndarray | None) -> dict[str, float | None]:
    """Compute which fraction of the windows has something in common with windows of other folds.

    Parameters
    ----------
    windows
        Windows with the folds of a cross-validation.
    duration
        Duration of each window in seconds, `(n_windows,)`; None if the times of the windows are unknown.

    Returns
    -------
    dict
        `patient`: windows whose patient has windows in other folds. `samples`: windows that overlap with one of another
        fold. `adjacent`: windows that overlap with one of another fold or have a common edge with it. The latter two
        are None without times.
    """
    patient, recording = (np.unique(names, return_inverse=True)[1] for names in (windows.patient, windows.recording))
    pairs = np.unique(np.stack([patient, windows.fold]), axis=1)
    shared = np.bincount(pairs[0])[patient] > 1
    if duration is None:
        return {"patient": float(shared.mean()), "samples": None, "adjacent": None}
    samples, adjacent = np.zeros((2, len(patient)), dtype=bool)
    order = np.lexsort((windows.onset, recording))
    for shift in range(1, len(order)):
        first, second = order[:-shift], order[shift:]
        gap = windows.onset[second] - windows.onset[first] - duration[first]
        near = (recording[first] == recording[second]) & (gap <= TOLERANCE)
        if not near.any():
            break
        near &= windows.fold[first] != windows.fold[second]
        for marked, chosen in ((adjacent, near), (samples, near & (gap < -TOLERANCE))):
            marked[first[chosen]] = marked[second[chosen]] = True
    return {"patient": float(shared.mean()), "samples": float(samples.mean()), "adjacent": float(adjacent.mean())}


def _bounds(
    member: Member, values: Mapping[str, float | None], confidence: float
) -> dict[str, dict[str, float | None]]:
    """Bounds of the scores from the patient jackknife."""
    patients = Patients.of(member, member.p.shape[1])
    draws = leave_one_out(patients.n)
    left_out = replicate_scores(member.truth, member.predicted, member.p, patients.number, draws)
    found = {}
    for score in SCORES:
        bounds = jackknife_interval(values[score], left_out[score], patients.behind(score), confidence)
        found[score] = {"low": bounds.low, "high": bounds.high}
    return found
