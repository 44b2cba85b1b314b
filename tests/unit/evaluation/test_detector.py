"""Detections from probabilities, and counts of events, against values by hand and against `timescoring`."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eegwf.evaluation.detector import TICKS, timeline, union
from eegwf.evaluation.event_counts import clip, count_events, join, score_recording

SPANS = st.lists(st.tuples(st.integers(0, 2400), st.integers(1, 1300)).map(lambda x: (x[0] / 2, (x[0] + x[1]) / 2)))


def found(onset, length, p, threshold=0.5, smoothing=0.0, min_duration=0.0):
    onset = np.asarray(onset, float)
    spans = timeline(onset, onset + length, np.asarray(p), smoothing).detect(threshold, min_duration)
    return [(start / TICKS, stop / TICKS) for start, stop in spans.tolist()]


def test_consecutive_seizure_windows_are_one_detection():
    onset, p = [0, 5, 10, 15, 30, 35], [0.1, 0.6, 0.8, 0.1, 0.9, 0.5]
    # 5-15 s, and 30-35 s after a gap without windows; a value equal to the threshold is background.
    assert found(onset, 5, p) == [(5.0, 15.0), (30.0, 35.0)]
    assert found(onset[::-1], 5, p[::-1]) == [(5.0, 15.0), (30.0, 35.0)]
    assert found([], 5, []) == []


def test_probabilities_of_overlapping_windows_are_averaged():
    # 0-4: .1; 4-8: (.1 + .7)/2 = .4; 8-12: (.7 + .6)/2 = .65; 12-16: .6
    assert found([0, 4, 8], 8, [0.1, 0.7, 0.6]) == [(8.0, 16.0)]


def test_short_detections_are_discarded_after_touching_ones_are_joined():
    onset, p = [0, 5, 10, 20, 40], [0.9, 0.9, 0.1, 0.9, 0.1]
    assert found(onset, 5, p, min_duration=10) == [(0.0, 10.0)]
    assert found(onset, 5, p, min_duration=10.5) == []
    assert found(onset, 5, p, min_duration=5) == [(0.0, 10.0), (20.0, 25.0)]


def test_smoothing_averages_the_windows_whose_center_is_near():
    onset, p = [0, 5, 10, 15, 20], [0.0, 0.0, 0.9, 0.0, 0.0]
    assert timeline(np.array(onset), np.array(onset) + 5, np.array(p), 10).value.tolist() == pytest.approx(
        [0, 0.3, 0.3, 0.3, 0]
    )
    assert found(onset, 5, p, 0.29, 10) == [(5.0, 20.0)]
    assert found(onset, 5, p, 0.29, 9.9) == [(10.0, 15.0)]
    # The same in any order of the windows.
    order = [3, 0, 4, 2, 1]
    shuffled = timeline(np.array(onset)[order], np.array(onset)[order] + 5, np.array(p)[order], 10)
    assert shuffled.value.tolist() == pytest.approx([0, 0.3, 0.3, 0.3, 0])


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 20), st.floats(0, 1)), max_size=12),
    st.floats(0, 1),
    st.integers(0, 8),
)
def test_detections_equal_those_of_every_tick(windows, threshold, min_duration):
    """Reference: the mean over the windows that cover a tick, tick by tick."""
    start = np.array([window[0] for window in windows], int)
    stop = start + np.array([window[1] for window in windows], int)
    p = np.array([window[2] for window in windows], float)
    above = []
    for tick in range(130):
        covering = [value for a, b, value in zip(start, stop, p, strict=True) if a <= tick < b]
        above.append(bool(covering) and sum(covering) / len(covering) > threshold)
    edges = [tick for tick in range(1, 130) if above[tick] != above[tick - 1]]
    edges = [0] * int(above[0]) + edges
    expected = [span for span in zip(edges[::2], edges[1::2], strict=True) if span[1] - span[0] >= min_duration]
    spans = timeline(start / TICKS, stop / TICKS, p).detect(threshold, min_duration / TICKS)
    # A mean that equals the threshold up to rounding may be on either side.
    line = timeline(start / TICKS, stop / TICKS, p)
    if not np.any(np.isclose(line.value, threshold, atol=1e-12)):
        assert [tuple(span) for span in spans.tolist()] == expected


def test_detected_missed_and_false_events():
    # Detected: 600 s, because 660 s is within the tolerance of 60 s; false: 2000 s; missed: 3000 s.
    counts = score_recording([(600, 630), (3000, 3050)], [(660, 670), (2000, 2020)], 3600)
    assert counts[:3] == (2, 1, 1)


def test_tolerances_are_30_s_before_and_60_s_after():
    assert score_recording([(600, 630)], [(560, 569)], 3600)[:3] == (1, 0, 1)
    assert score_recording([(600, 630)], [(560, 571)], 3600)[:3] == (1, 1, 0)
    assert score_recording([(600, 630)], [(689, 699)], 3600)[:3] == (1, 1, 0)
    assert score_recording([(600, 630)], [(691, 699)], 3600)[:3] == (1, 0, 1)


def test_close_events_are_merged_and_long_events_are_split():
    assert score_recording([(600, 630), (719, 730)], [], 3600)[:3] == (1, 0, 0)
    assert score_recording([(600, 630), (720, 730)], [], 3600)[:3] == (2, 0, 0)
    assert score_recording([], [(600, 630), (650, 660)], 3600)[:3] == (0, 0, 1)
    assert score_recording([(1000, 1601)], [], 3600)[:3] == (3, 0, 0)


@given(st.integers(0, 20_000))
def test_event_of_ten_minutes_is_split_in_two_at_any_onset(tenths):
    # timescoring alone splits 211.7-811.7 s into three events: 300 s, 300 s and 1e-13 s.
    start = tenths / 10
    assert score_recording([], [(start, start + 600)], 3600)[:3] == (0, 0, 2)


def test_nested_events_and_events_beyond_the_recording():
    assert score_recording([(0, 100), (20, 30)], [(85, 95)], 1000)[:3] == (1, 1, 0)
    # timescoring alone shortens the first event to 30 s, so that the event at 95 s is a false alarm.
    assert score_recording([(0, 100), (20, 30)], [(95, 99)], 1000)[:3] == (1, 1, 0)
    assert score_recording([(-20, 10), (990, 1200)], [(1005, 1010)], 1000)[:3] == (2, 0, 0)
    assert score_recording([(500, 500)], [(500, 505)], 1000)[:3] == (1, 1, 0)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)).map(lambda x: (x[0], x[0] + x[1]))))
def test_union_covers_the_same_seconds(intervals):
    merged = union(intervals)
    seconds = {s for start, end in intervals for s in range(start, end)}
    assert [s for start, end in merged for s in range(start, end)] == sorted(seconds)
    assert all(first[1] < second[0] for first, second in pairwise(merged))


@given(SPANS, SPANS, st.integers(1, 2400).map(lambda half: half / 2))
def test_fast_counts_equal_those_of_timescoring(reference, detected, length):
    """Times are multiples of half a second, which `timescoring` does not round."""
    n_ticks = int(length * TICKS)
    spans = []
    for intervals in (reference, detected):
        clipped = union([(start / TICKS, stop / TICKS) for start, stop in clip(intervals, n_ticks)])
        spans.append(join(np.rint(np.array(clipped).reshape(-1, 2) * TICKS).astype(np.int64)))
    expected = score_recording(reference, detected, length)
    assert (len(spans[0]), *count_events(*spans, n_ticks)) == expected[:3]
