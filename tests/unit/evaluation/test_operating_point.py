"""Operating points: the best of all that are tried, from validation recordings alone."""

import numpy as np
import pytest
from pydantic import ValidationError

from eegwf.config.evaluation import OperatingPointSettings
from eegwf.evaluation.detector import TICKS, OperatingPoint
from eegwf.evaluation.event_counts import join, score_recording
from eegwf.evaluation.events import POINT, detections
from eegwf.evaluation.operating_point import NEVER, choose_point, curve, sweep, thresholds
from eegwf.evaluation.scored_recordings import ScoredRecording


def recordings(n=6, seconds=3600, seed=0, fold=1, skill=2.0):
    """Recordings with seizures of a minute each half hour, and probabilities that are larger in them."""
    rng, result = np.random.default_rng(seed), []
    onset = np.arange(0.0, seconds, 10)
    for number in range(n):
        seizures = [(start, start + 60.0) for start in np.add(rng.uniform(0, 1600, 2), [0, 1700])] if number else []
        truth = np.array([any(a < o + 10 and o < b for a, b in seizures) for o in onset])
        logit = rng.normal(size=len(onset)) + skill * truth - 1
        p = np.round(1 / (1 + np.exp(-logit)), 9)
        ticks = np.rint(np.array(seizures).reshape(-1, 2) * TICKS).astype(np.int64)
        result.append(
            ScoredRecording(f"r{number}", f"p{number}", fold, float(seconds), seconds * TICKS, seizures, join(ticks),
                            onset, onset + 10, p, p > 0.5)
        )  # fmt: skip
    return result


def scored(items, point):
    """Pooled counts by the slow scorer."""
    points = dict.fromkeys((item.fold for item in items), point)
    found = [score_recording(item.seizures, detections(item, POINT, points), item.seconds) for item in items]
    return np.sum(found, axis=0)[:3].tolist()


def settings(target="f1", value=24.0, **changes):
    return OperatingPointSettings(target=target, value=value, **changes)


@pytest.mark.parametrize(("target", "value"), [("f1", 1.0), ("false_alarms_per_day", 24.0), ("sensitivity", 0.7)])
def test_the_chosen_point_is_the_best_of_all_tried(target, value):
    """Reference: a search over all points with the slow scorer."""
    items = recordings()
    chosen = choose_point(items, settings(target, value, smoothing=[0, 30], min_duration=[0, 20]))
    assert chosen.reason == "" and scored(items, chosen.point) == [10, chosen.scores.tp, chosen.scores.fp]
    days = 6 * 3600 / 86400
    values = []
    for smoothing in (0, 30):
        for point, _ in sweep(items, smoothing, [0, 20]):
            n_events, tp, fp = scored(items, point)
            sensitivity, rate, f1 = tp / n_events, fp / days, 2 * tp / (n_events + tp + fp)
            if target == "f1":
                values.append(f1)
            elif target == "sensitivity" and sensitivity >= value:
                values.append(-rate)
            elif target == "false_alarms_per_day" and rate <= value:
                values.append(sensitivity)
    best = {
        "f1": chosen.scores.f1,
        "sensitivity": -chosen.scores.false_alarms_per_day,
        "false_alarms_per_day": chosen.scores.sensitivity,
    }[target]
    assert best == pytest.approx(max(values)) and len(values) > 5


def test_fewer_false_alarms_cost_sensitivity():
    items = recordings(skill=1.5)
    found = [choose_point(items, settings("false_alarms_per_day", value)).scores for value in (1e-6, 10, 100, 1e4)]
    assert found[0].fp == 0 and [scores.false_alarms_per_day <= value for scores, value in
                                 zip(found, (1e-6, 10, 100, 1e4), strict=True)] == [True] * 4  # fmt: skip
    sensitivities = [scores.sensitivity for scores in found]
    assert sensitivities == sorted(sensitivities) and sensitivities[-1] == 1


def test_a_target_that_is_not_reached_is_told():
    items = [item for item in recordings() if item.seizures]
    # Probabilities that are the same everywhere: a detector alarms always or never.
    constant = [ScoredRecording(**{**item.__dict__, "p": np.full(len(item.p), 0.3)}) for item in items]
    chosen = choose_point(constant, settings("sensitivity", 0.9))
    assert chosen.reason == "no operating point reaches the target; the largest sensitivity is 0"
    assert chosen.scores.tp == 0
    never = choose_point(constant, settings("false_alarms_per_day", 1.0))
    assert never.scores.fp == 0 and never.scores.tp == 0


def test_without_validation_seizures_the_default_is_used():
    chosen = choose_point(recordings(n=1), settings())
    assert chosen.point == OperatingPoint(0.5, 0, 0) and chosen.scores is None
    assert chosen.reason == "no annotated seizure in the validation recordings"
    assert choose_point([], settings()).reason == chosen.reason


def test_thresholds_are_between_values_and_dense_in_the_upper_tail():
    items = recordings()
    found = [point.threshold for point, _ in sweep(items, 0.0, [0.0])]
    assert found == sorted(found) and found[-1] == NEVER and 0.5 in found
    values = np.concatenate([item.p for item in items])
    assert not set(found) & set(values) - {0.5}
    assert (np.array(found) > np.quantile(values, 0.95)).sum() >= 8
    assert thresholds([]) == [0.5, NEVER]


def test_the_curve_falls_with_the_threshold_and_contains_the_counts_of_each_fold():
    one, two = recordings(seed=1, fold=1), recordings(seed=2, fold=2)
    points = {1: OperatingPoint(0.5, 0, 0), 2: OperatingPoint(0.7, 30, 20)}
    found = curve([*one, *two], points)
    rates = [scores.fp for _, scores in found]
    sensitivities = [scores.sensitivity for _, scores in found]
    assert sensitivities[-1] == 0 and rates[-1] == 0 and max(sensitivities) == 1
    threshold, scores = found[len(found) // 2]
    expected = np.add(scored(one, OperatingPoint(threshold, 0, 0)), scored(two, OperatingPoint(threshold, 30, 20)))
    assert [scores.n_events, scores.tp, scores.fp] == expected.tolist()


def test_a_sensitivity_above_one_is_refused():
    with pytest.raises(ValidationError, match="a sensitivity is at most 1"):
        settings("sensitivity", 24.0)
