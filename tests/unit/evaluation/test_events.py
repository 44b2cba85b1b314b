"""Event scoring, compared with values computed by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.errors import InputError
from eegwf.evaluation.events import (
    COLUMNS,
    has_background,
    predicted_seizures,
    score_events,
    score_recording,
    union,
)

THREE = {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]}
TWO = {"background": ["bckg"], "seizure": ["sz"]}


def test_class_sets_without_background_are_recognized():
    assert has_background(THREE) and has_background(TWO)
    assert not has_background({"focal": ["sz_foc"], "generalized": ["sz_gen"]})
    assert not has_background({"any": ["bckg", "sz"], "generalized": ["sz_gen"]})


def test_consecutive_seizure_windows_are_one_seizure():
    onset = np.array([0.0, 5, 10, 15, 30, 35])
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
    # 5-15 s, and 30-35 s after a gap without windows; the tie at 35 s is background.
    assert predicted_seizures(onset, onset + 5, p) == [(5.0, 15.0), (30.0, 35.0)]
    assert predicted_seizures(onset[::-1], onset[::-1] + 5, p[::-1]) == [(5.0, 15.0), (30.0, 35.0)]
    assert predicted_seizures(onset[:0], onset[:0], p[:0]) == []


def test_probabilities_of_overlapping_windows_are_averaged():
    onset = np.array([0.0, 4, 8])
    p = np.array([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6]])
    # 0-4: .1; 4-8: (.1 + .7)/2 = .4; 8-12: (.7 + .6)/2 = .65; 12-16: .6
    assert predicted_seizures(onset, onset + 8, p) == [(8.0, 16.0)]


def test_probabilities_of_seizure_classes_are_not_added():
    assert predicted_seizures(np.array([0.0]), np.array([5.0]), np.array([[0.4, 0.3, 0.3]])) == []
    assert predicted_seizures(np.array([0.0]), np.array([5.0]), np.array([[0.3, 0.3, 0.4]])) == [(0.0, 5.0)]


def test_detected_missed_and_false_events():
    # Detected: 600 s, because 660 s is within the tolerance of 60 s; false: 2000 s; missed: 3000 s.
    counts = score_recording([(600, 630), (3000, 3050)], [(660, 670), (2000, 2020)], 3600)
    assert counts == (2, 1, 1)


def test_tolerances_are_30_s_before_and_60_s_after():
    assert score_recording([(600, 630)], [(560, 569)], 3600) == (1, 0, 1)
    assert score_recording([(600, 630)], [(560, 571)], 3600) == (1, 1, 0)
    assert score_recording([(600, 630)], [(689, 699)], 3600) == (1, 1, 0)
    assert score_recording([(600, 630)], [(691, 699)], 3600) == (1, 0, 1)


def test_close_events_are_merged_and_long_events_are_split():
    assert score_recording([(600, 630), (719, 730)], [], 3600) == (1, 0, 0)
    assert score_recording([(600, 630), (720, 730)], [], 3600) == (2, 0, 0)
    assert score_recording([], [(600, 630), (650, 660)], 3600) == (0, 0, 1)
    assert score_recording([(1000, 1601)], [], 3600) == (3, 0, 0)


@given(st.integers(0, 20_000))
def test_event_of_ten_minutes_is_split_in_two_at_any_onset(tenths):
    # timescoring alone splits 211.7-811.7 s into three events: 300 s, 300 s and 1e-13 s.
    start = tenths / 10
    assert score_recording([], [(start, start + 600)], 3600) == (0, 0, 2)


def test_nested_events_and_events_beyond_the_recording():
    assert score_recording([(0, 100), (20, 30)], [(85, 95)], 1000) == (1, 1, 0)
    # timescoring alone shortens the first event to 30 s, so that the event at 95 s is a false alarm.
    assert score_recording([(0, 100), (20, 30)], [(95, 99)], 1000) == (1, 1, 0)
    assert score_recording([(-20, 10), (990, 1200)], [(1005, 1010)], 1000) == (2, 0, 0)
    assert score_recording([(500, 500)], [(500, 505)], 1000) == (1, 1, 0)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)).map(lambda x: (x[0], x[0] + x[1]))))
def test_union_covers_the_same_seconds(intervals):
    merged = union(intervals)
    seconds = {s for start, end in intervals for s in range(start, end)}
    assert [s for start, end in merged for s in range(start, end)] == sorted(seconds)
    assert all(first[1] < second[0] for first, second in pairwise(merged))


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
    predictions[["raw_background", "raw_focal", "raw_generalized"]] = 0.1 + 0.7 * np.eye(3)[predicted]
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


def test_event_table_equals_values_by_hand():
    predictions, windows, recordings, events = study()
    scored = score_events(predictions, windows, recordings, events, THREE).set_index("patient")
    assert scored.reset_index().columns.tolist() == list(COLUMNS)
    assert scored.index.tolist() == ["a", "b", "all"]
    # a: detected in a1, missed in a2 (sz_unk is excluded by this set); false at 2400 s of a1 and 1800 s of a2.
    assert scored.loc["a", ["n_events", "tp", "fp"]].tolist() == [2, 1, 2]
    assert scored.loc["a", "sensitivity"] == 1 / 2
    assert scored.loc["a", "precision"] == pytest.approx(1 / 3)
    assert scored.loc["a", "f1"] == pytest.approx(2 / 5)
    assert scored.loc["a", "false_alarms_per_day"] == pytest.approx(2 * 24 / 2)
    assert scored.loc["b", ["n_events", "tp", "fp", "false_alarms_per_day"]].tolist() == [0, 0, 0, 0]
    assert scored.loc["b", ["sensitivity", "precision", "f1"]].isna().all()
    assert scored.loc["all", ["n_events", "tp", "fp"]].tolist() == [2, 1, 2]
    assert scored.loc["all", "false_alarms_per_day"] == pytest.approx(2 * 24 / 3)


def test_time_without_windows_is_background():
    predictions, windows, recordings, events = study()
    kept = predictions[~((predictions["recording"] == "a1") & predictions["onset"].between(300, 900))]
    scored = score_events(kept, windows, recordings, events, THREE).set_index("patient")
    assert scored.loc["a", ["n_events", "tp", "fp"]].tolist() == [2, 0, 2]


def test_unreadable_recordings_and_studies_without_events():
    predictions, windows, recordings, events = study()
    unreadable = pd.DataFrame({"recording": ["a3"], "patient": ["a"], "duration": [np.nan]})
    recordings = pd.concat([recordings, unreadable])
    scored = score_events(predictions, windows, recordings, events.head(0), THREE).set_index("patient")
    assert scored.loc["a", ["n_events", "tp", "fp", "false_alarms_per_day"]].tolist() == [0, 0, 3, 36]


def test_predictions_of_unlisted_recordings_are_refused():
    predictions, windows, recordings, events = study()
    with pytest.raises(InputError, match="no recording 'a2'"):
        score_events(predictions, windows, recordings[recordings["recording"] != "a2"], events, THREE)


def test_event_table_is_empty_without_a_background_class():
    predictions, windows, recordings, events = study()
    scored = score_events(predictions, windows, recordings, events, {"foc": ["sz_foc"], "gen": ["sz_gen"]})
    assert scored.empty and list(scored.columns) == list(COLUMNS)
