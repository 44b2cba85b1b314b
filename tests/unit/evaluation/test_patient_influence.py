"""Balanced accuracy without a patient, and intervals of patients over their recordings."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from eegwf.evaluation.intervals import jackknife_interval
from eegwf.evaluation.metrics import Member
from eegwf.evaluation.patient_influence import patient_intervals, without_each


@pytest.fixture
def member():
    """Three classes; `b` is the only patient with the last one, and `d` has one class."""
    rng = np.random.default_rng(4)
    patient = np.repeat(np.array(["c", "a", "b", "d"]), [40, 60, 50, 30])
    truth = rng.integers(0, 2, len(patient))
    truth[(patient == "b") & (rng.random(len(patient)) < 0.4)] = 2
    truth[patient == "d"] = 0
    predicted = np.where(rng.random(len(patient)) < 0.7, truth, rng.integers(0, 3, len(patient)))
    return Member(truth, predicted, np.eye(3)[predicted], patient, np.ones(len(patient), int))


def test_score_without_a_patient_is_that_of_the_others(member):
    found = without_each(member, 3)
    assert list(found) == ["a", "b", "c", "d"] and np.isnan(found.pop("b"))
    for name, value in found.items():
        rows = member.patient != name
        assert value == pytest.approx(balanced_accuracy_score(member.truth[rows], member.predicted[rows]))
    alone = Member(*(array[:40] for array in (member.truth, member.predicted, member.p, member.patient, member.fold)))
    assert np.isnan(without_each(alone, 3)["c"])


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
def test_intervals_are_over_the_recordings(member):
    recording = np.arange(len(member.truth)) % 5
    recording[member.patient == "a"] %= 2
    found = patient_intervals(member, recording, 3, 0.9)
    assert list(found) == ["a", "b", "c", "d"] and found["a"] == (None, None, 0)  # two recordings
    for name in ("b", "c", "d"):
        own = member.patient == name
        truth, predicted, unit = member.truth[own], member.predicted[own], recording[own]
        score = balanced_accuracy_score(truth, predicted)
        others = [balanced_accuracy_score(truth[unit != n], predicted[unit != n]) for n in range(5)]
        counts = [len(set(unit[truth == label])) for label in set(truth.tolist())]
        assert min(counts) >= 3
        assert found[name] == pytest.approx(jackknife_interval(score, np.array(others), counts, 0.9))
        assert found[name].low < score < found[name].high
