"""Balanced accuracy of single patients with its interval, and of all patients but one."""

import numpy as np

from eegwf.evaluation.bootstrap import count_scores, leave_one_out
from eegwf.evaluation.intervals import Interval, jackknife_interval
from eegwf.evaluation.metrics import Member


def without_each(member: Member, n_classes: int) -> dict[str, float]:
    """Compute the balanced accuracy without each patient.

    Parameters
    ----------
    member
        Labeled windows of a member.
    n_classes
        Number of classes.

    Returns
    -------
    dict
        For each patient with labeled windows the balanced accuracy of all other patients; NaN if no other patient has
        windows of a class that this one has, since the mean would be over other classes.
    """
    names, number = np.unique(member.patient.astype(str), return_inverse=True)
    found = count_scores(member.truth, member.predicted, number, leave_one_out(len(names)), n_classes)
    return dict(zip(names.tolist(), found["balanced_accuracy"].tolist(), strict=True))


def patient_intervals(member: Member, recording: np.ndarray, n_classes: int, confidence: float) -> dict[str, Interval]:
    """Compute the interval of the balanced accuracy of each patient over the patient's recordings.

    Windows of a recording are correlated, so the recordings are the units, as patients are in all other intervals.

    Parameters
    ----------
    member
        Labeled windows of a member.
    recording
        Recording of each window, `(n_windows,)`.
    n_classes
        Number of classes.
    confidence
        Confidence level.

    Returns
    -------
    dict
        For each patient with labeled windows the interval of `jackknife_interval`; without bounds unless at least
        `MIN_PATIENTS` recordings have windows of each class that the patient has.
    """
    result = {}
    for patient in np.unique(member.patient.astype(str)).tolist():
        rows = member.patient == patient
        truth, predicted, _ = member.take(rows)
        names, number = np.unique(recording[rows].astype(str), return_inverse=True)
        draws = np.vstack([np.ones(len(names)), leave_one_out(len(names))])
        value, *left_out = count_scores(truth, predicted, number, draws, n_classes)["balanced_accuracy"]
        n_recordings = [len(np.unique(number[truth == label])) for label in np.unique(truth)]
        result[patient] = jackknife_interval(float(value), np.array(left_out), n_recordings, confidence)
    return result
