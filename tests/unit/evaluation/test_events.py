"""Event scoring, compared with values computed by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from eegwf.config.evaluation import Evaluation
from eegwf.data.events import has_background
from eegwf.errors import InputError
from eegwf.evaluation.detector import OperatingPoint
from eegwf.evaluation.event_counts import score_recording
from eegwf.evaluation.event_metrics import score_events
from eegwf.evaluation.events import (
    ALWAYS,
    COLUMNS,
    LARGEST,
    POINT,
    RATIOS,
    detections,
    event_table,
    latencies,
    n_merged,
    ratios,
    shifted_scores,
    unsuitable,
)
from eegwf.evaluation.scored_recordings import scored_recordings
from eegwf.evaluation.seizure_types import seizure_types

THREE = {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]}
TWO = {"background": ["bckg"], "seizure": ["sz"]}


def test_class_sets_without_background_are_recognized():
    assert has_background(THREE) and has_background(TWO)
    assert not has_background({"focal": ["sz_foc"], "generalized": ["sz_gen"]})
    assert not has_background({"any": ["bckg", "sz"], "generalized": ["sz_gen"]})


def study():
    """Patients a (two recordings) and b (one recording), of an hour each; c was not tested. Windows of 60 s."""
    recordings = pd.DataFrame(
        {
            "recording": ["a1", "a2", "b1", "c1"],
            "patient": ["a", "a", "b", "c"],
            "duration": [3600.0, 3600.0, 3600.0, 3600.0],
        }
    )
    rows = [(name, 60.0 * i) for name in ("a1", "a2", "b1") for i in range(60)]
    windows = pd.DataFrame(rows, columns=["recording", "onset"])
    windows["patient"] = windows["recording"].str[0]
    windows["duration"] = 60.0
    windows.insert(0, "window", np.arange(len(windows)))
    classes = {("a1", 600.0): 1, ("a1", 2400.0): 2, ("a2", 1800.0): 1}
    predicted = [classes.get((r, o), 0) for r, o in zip(windows["recording"], windows["onset"], strict=True)]
    predictions = windows.drop(columns="duration")
    predictions[["p_background", "p_focal", "p_generalized"]] = 0.1 + 0.7 * np.eye(3)[predicted]
    predictions["predicted"] = np.array(list(THREE))[predicted]
    predictions["fold"] = 1
    events = pd.DataFrame(
        [
            ("a1", 0.0, 600.0, "bckg"),
            ("a1", 610.0, 40.0, "sz_foc_ia"),
            ("a2", 600.0, 40.0, "sz_gen"),
            ("a2", 1500.0, 40.0, "sz_unk"),
            ("b1", 100.0, 50.0, "bckg"),
            ("c1", 100.0, 50.0, "sz_foc"),
        ],
        columns=["recording", "onset", "duration", "label"],
    )
    return predictions, windows, recordings, events


def repeated(tables, n):
    """The patients of a study several times, under different names."""
    predictions, windows, recordings, events = tables
    copies = []
    for number in range(n):
        names = {"recording": lambda table, k=number: table["recording"] + str(k)}
        patients = names | {"patient": lambda table, k=number: table["patient"] + str(k)}
        moved = {"window": lambda table, k=number: table["window"] + k * len(windows)}
        copies.append(
            (predictions.assign(**patients, **moved), windows.assign(**patients, **moved),
             recordings.assign(**patients), events.assign(**names))
        )  # fmt: skip
    return [pd.concat(parts, ignore_index=True) for parts in zip(*copies, strict=True)]


def patients_of(table, detector):
    return table[table["detector"] == detector].set_index("patient")


def test_event_table_equals_values_by_hand():
    predictions, *tables = study()
    table = event_table(scored_recordings(predictions, *tables, THREE), {})
    assert table.columns.tolist() == list(COLUMNS) and table["detector"].unique().tolist() == [LARGEST, ALWAYS]
    scored = patients_of(table, LARGEST)
    assert scored.index.tolist() == ["a", "b", "all"]
    # a: detected in a1, missed in a2 (sz_unk is excluded by this set); false at 2400 s of a1 and 1800 s of a2.
    assert scored.loc["a", ["n_events", "tp", "fp"]].tolist() == [2, 1, 2]
    assert scored.loc["a", "sensitivity"] == 1 / 2
    assert scored.loc["a", "precision"] == pytest.approx(1 / 3)
    assert scored.loc["a", "f1"] == pytest.approx(2 / 5)
    assert scored.loc["a", "false_alarms_per_day"] == pytest.approx(2 * 24 / 2)
    # 40 of the 60 s of the window at 600 s are seizure.
    assert scored.loc["a", ["seizure_s", "tp_s", "fp_s", "seconds"]].tolist() == [80, 40, 140, 7200]
    assert scored.loc["a", list(RATIOS[4:])].tolist() == pytest.approx([40 / 80, 40 / 180, 80 / 260])
    assert scored.loc["b", ["n_events", "tp", "fp", "false_alarms_per_day"]].tolist() == [0, 0, 0, 0]
    assert scored.loc["b", ["sensitivity", "precision", "f1"]].isna().all()
    assert scored.loc["all", ["n_events", "tp", "fp"]].tolist() == [2, 1, 2]
    assert scored.loc["all", "false_alarms_per_day"] == pytest.approx(2 * 24 / 3)
    always = patients_of(table, ALWAYS)
    # An hour has 12 events of 5 min; that from 600 s to 900 s overlaps the seizure and the tolerated time around it
    # in both recordings of a, that from 300 s to 600 s in both, too.
    assert always.loc["a", ["n_events", "tp", "fp"]].tolist() == [2, 2, 20]
    assert always.loc["b", ["n_events", "tp", "fp", "fp_s"]].tolist() == [0, 0, 12, 3600]


@pytest.mark.parametrize(
    ("detected", "seizures", "counts", "f1"),
    [
        # Always on over 24 h with one seizure of 60 s: of 288 events, one overlaps it.
        ([(0.0, 86400.0)], [(1000.0, 1060.0)], (1, 1, 287), 2 / 289),
        ([], [(1000.0, 1060.0)], (1, 0, 0), 0.0),
        ([], [], (0, 0, 0), np.nan),
        ([(500.0, 560.0)], [], (0, 0, 1), 0.0),
    ],
)
def test_golden_cases_of_f1(detected, seizures, counts, f1):
    """F1 is 0 with seizures and no detection, and undefined only with neither."""
    found = score_recording(seizures, detected, 86400)
    assert found[:3] == counts
    value = ratios(np.array([*found, 86400]))["f1"]
    assert value == pytest.approx(f1, nan_ok=True)


def test_time_without_windows_is_background():
    predictions, *tables = study()
    kept = predictions[~((predictions["recording"] == "a1") & predictions["onset"].between(300, 900))]
    scored = patients_of(event_table(scored_recordings(kept, *tables, THREE), {}), LARGEST)
    assert scored.loc["a", ["n_events", "tp", "fp"]].tolist() == [2, 0, 2]


def test_unreadable_recordings_and_studies_without_events():
    predictions, windows, recordings, events = study()
    unreadable = pd.DataFrame({"recording": ["a3"], "patient": ["a"], "duration": [np.nan]})
    recordings = pd.concat([recordings, unreadable])
    found = scored_recordings(predictions, windows, recordings, events.head(0), THREE)
    scored = patients_of(event_table(found, {}), LARGEST)
    assert scored.loc["a", ["n_events", "tp", "fp", "false_alarms_per_day"]].tolist() == [0, 0, 3, 36]


def test_predictions_of_unlisted_recordings_are_refused():
    predictions, windows, recordings, events = study()
    with pytest.raises(InputError, match="no recording 'a2'"):
        scored_recordings(predictions, windows, recordings[recordings["recording"] != "a2"], events, THREE)


def test_event_table_is_empty_without_a_background_class():
    predictions, *tables = study()
    classes = {"foc": ["sz_foc"], "gen": ["sz_gen"]}
    scored, found = score_events(predictions, {}, tuple(tables), classes, Evaluation(), 1)
    assert scored.empty and list(scored.columns) == list(COLUMNS) and found is None


def test_gaps_count_for_onsets_but_not_for_the_rate_of_false_alarms():
    """A recording of an hour with a gap of an hour in the middle; its second half begins at 5400 s."""
    predictions, windows, recordings, events = study()
    second_half = predictions["onset"] >= 1800
    predictions = predictions.assign(onset=predictions["onset"] + 3600 * second_half)
    events = events.assign(onset=events["onset"] + 3600 * (events["onset"] >= 1800))
    scored = patients_of(
        event_table(scored_recordings(predictions, windows, recordings.assign(span=7200.0), events, THREE), {}), LARGEST
    )
    assert scored.loc["a", ["n_events", "tp", "fp"]].tolist() == [2, 1, 2]
    assert scored.loc["a", "false_alarms_per_day"] == pytest.approx(2 * 24 / 2)


def test_each_fold_has_its_own_operating_point():
    predictions, *tables = study()
    predictions["fold"] = np.where(predictions["patient"] == "a", 1, 2)
    recordings = scored_recordings(predictions, *tables, THREE)
    points = {1: OperatingPoint(0.85), 2: OperatingPoint(0.15)}
    first = [detections(item, POINT, points) for item in recordings]
    assert first == [[(600, 660), (2400, 2460)], [(1800, 1860)], [(0, 3600)]]
    points = {1: OperatingPoint(0.95), 2: OperatingPoint(0.85, 0.0, 10.0)}
    assert [detections(item, POINT, points) for item in recordings] == [[], [], []]


def test_latency_is_that_of_the_first_detection_of_each_annotated_seizure():
    predictions, *tables = study()
    recordings = scored_recordings(predictions, *tables, THREE)
    # The window at 600 s begins 10 s before the seizure at 610 s; the one at 600 s of a2 is missed.
    assert latencies(recordings, {}) == [-10.0, None]
    points = {1: OperatingPoint(0.1)}
    assert latencies(recordings, points) == [-30.0, -30.0]  # detections that began long before
    assert latencies(recordings, {1: OperatingPoint(1.0)}) == [None, None]


def test_shuffled_predictions_keep_the_number_of_positive_windows():
    predictions, *tables = study()
    recordings = scored_recordings(predictions, *tables, THREE)
    shuffled = recordings[0].shifted(np.random.default_rng(1))
    assert sorted(shuffled.p) == sorted(recordings[0].p) and shuffled.positive.sum() == 2
    np.testing.assert_array_equal(shuffled.positive, shuffled.p > 0.5)
    assert (shuffled.p != recordings[0].p).any()
    one, two = (shifted_scores(recordings, {}, seed) for seed in (1, 1))
    assert one == two and one != shifted_scores(recordings, {}, 2)
    # Three positive windows in two of three recordings of 60 windows: nearly all are false alarms.
    assert one["false_alarms_per_day"] == pytest.approx(24, abs=2) and one["f1"] < 0.2


def test_event_metrics_of_detectors_and_their_intervals():
    predictions, *tables = repeated(study(), 5)
    missed = (predictions["recording"] == "a10") & (predictions["onset"] == 600)
    predictions.loc[missed, ["p_background", "p_focal", "predicted"]] = [0.8, 0.1, "background"]
    validation = {1: predictions.assign(fold=2)}
    table, found = score_events(predictions, validation, tuple(tables), THREE, Evaluation(n_bootstrap=200), 3)
    assert set(found["detectors"]) == {POINT, LARGEST, ALWAYS, "never", "shifted"}
    pooled = patients_of(table, POINT).loc["all"]
    for name in RATIOS:
        entry = found["detectors"][POINT][name]
        assert entry["value"] == pytest.approx(pooled[name]) and entry["low"] <= entry["value"] <= entry["high"]
    means = found["detectors"][LARGEST]["patient_mean"]
    assert means["sensitivity"]["n_patients"] == 5 and means["sensitivity"]["value"] == 0.4
    assert means["false_alarms_per_day"]["n_patients"] == 10 and means["false_alarms_per_day"]["value"] == 12
    assert found["detectors"]["never"]["f1"] == {"value": 0.0, "low": None, "high": None}
    assert (found["n_annotated"], found["n_merged"], found["n_events"]) == (10, 10, 10) and found["unsuitable"] == []
    assert found["n_untested"] == 5  # of the patients c
    # Without operating points, the detector is that of the largest probability.
    assert score_events(predictions, {}, tuple(tables), THREE, Evaluation(), 3)[1]["primary"] == LARGEST


def test_short_recordings_and_seizures_that_are_joined_are_told():
    predictions, windows, recordings, events = study()
    joined = pd.DataFrame([("a1", 100.0 * number, 20.0, "sz_foc") for number in range(1, 11)], columns=events.columns)
    found = scored_recordings(predictions, windows, recordings, joined, THREE)
    assert n_merged(found) == 1
    assert unsuitable(found) == ["the 10 annotated seizures are 1 after those less than 90 s apart are joined"]
    apart = joined.assign(onset=[110.0 * number for number in range(1, 11)])
    assert unsuitable(scored_recordings(predictions, windows, recordings, apart, THREE)) == []
    short = scored_recordings(predictions, windows, recordings.assign(duration=240.0), apart.head(1), THREE)
    assert unsuitable(short) == ["half of the recordings are not longer than 240 s"]


def test_a_detector_that_never_alarms_is_written_and_read():
    """With one probability in all windows, no threshold reaches a low rate of false alarms."""
    predictions, *tables = repeated(study(), 5)
    predictions = predictions.assign(p_background=0.3, p_focal=0.4, p_generalized=0.3, predicted="focal", label="")
    settings = Evaluation(operating_point={"value": 1e-6})
    table, found = score_events(predictions, {1: predictions}, tuple(tables), THREE, settings, 3)
    (point,) = found["operating_points"]
    assert point["threshold"] is None and point["reason"] == "only a detector that never alarms reaches the target"
    assert OperatingPoint.read(point) == OperatingPoint(np.inf, 0, 0)
    assert patients_of(table, POINT).loc["all", ["n_events", "tp", "fp"]].tolist() == [10, 0, 0]
    assert found["detectors"][POINT]["false_alarms_per_day"]["high"] == pytest.approx(3.689 * 24 / 15, rel=1e-3)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    windows = tables[0].assign(label="bckg")
    types = seizure_types(predictions, windows, (windows, *tables[1:]), THREE, found, settings, 3)
    assert {entry["event_type"]: entry["sensitivity"]["value"] for entry in types}["sz_gen"] == 0
