"""Detected events: their times, types and confidence."""

from datetime import datetime

import numpy as np
import pytest

from eegwf.evaluation.detector import OperatingPoint
from eegwf.prediction.szcore import detected_events

ONSET = np.arange(0.0, 40.0, 4.0)
TYPES = ["sz_foc", "sz_gen"]


def detect(p, threshold=0.5, seconds=40.0, started=datetime(2020, 2, 3, 4, 5, 6), onset=ONSET, **point):
    return detected_events(onset, 4.0, np.array(p), OperatingPoint(threshold, **point), TYPES, seconds, started)


def background(n=10):
    return [[0.9, 0.06, 0.04]] * n


def test_a_detection_has_the_type_with_the_largest_mean_probability():
    p = background()
    p[2], p[3], p[7] = [0.2, 0.6, 0.2], [0.3, 0.1, 0.6], [0.4, 0.1, 0.5]
    table = detect(p)
    assert table["onset"].tolist() == ["8.0000", "28.0000"] and table["duration"].tolist() == ["8.0000", "4.0000"]
    # Means over the two windows: focal .35, generalized .4; background .25 and .4.
    assert table["eventType"].tolist() == ["sz_gen", "sz_gen"]
    assert table["confidence"].astype(float).tolist() == pytest.approx([0.75, 0.6])
    assert set(table["dateTime"]) == {"2020-02-03 04:05:06"} and set(table["recordingDuration"]) == {"40.0000"}
    assert set(table["channels"]) == {"n/a"}


def test_without_a_detection_the_recording_is_background():
    table = detect(background(), started=None)
    assert table.to_numpy().tolist() == [["0.0000", "40.0000", "bckg", "n/a", "n/a", "n/a", "40.0000"]]


def test_a_detector_that_never_alarms_detects_nothing():
    assert detect([[0.0, 1.0, 0.0]] * 10, threshold=np.inf)["eventType"].tolist() == ["bckg"]


def test_short_detections_are_discarded_and_no_event_ends_after_the_recording():
    p = background()
    p[1] = p[8] = p[9] = [0.1, 0.9, 0.0]
    table = detect(p, seconds=39.0, min_duration=5.0)
    assert table[["onset", "duration"]].to_numpy().tolist() == [["32.0000", "7.0000"]]


def test_overlapping_windows_weigh_by_the_time_in_the_event():
    onset = np.arange(0.0, 38.0, 2.0)
    p = np.tile([0.9, 0.06, 0.04], (19, 1))
    p[5] = [0.0, 0.9, 0.1]
    table = detect(p, threshold=0.4, onset=onset)
    first, length = float(table["onset"][0]), float(table["duration"][0])
    assert (first, length) == (10.0, 4.0)
    # The window itself covers 4 s of the event, its two neighbors 2 s each.
    assert float(table["confidence"][0]) == pytest.approx((4 * 1.0 + 2 * 2 * 0.1) / 8, abs=1e-4)
