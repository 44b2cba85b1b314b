"""Labels of windows, compared with a count of samples."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eegwf.config.data import Windows
from eegwf.data.events import Event
from eegwf.data.windows import label_windows, window_starts

SFREQ = 16
N_TIMES = 40 * SFREQ
LABELS = ("bckg", "bckg_artifact", "sz", "sz_foc", "sz_gen_m", "impd")


@st.composite
def annotated(draw):
    """Draw sorted events on whole samples without overlap, and settings of the windows."""
    edges = sorted(draw(st.lists(st.integers(0, N_TIMES), max_size=10, unique=True)))
    events = [
        Event(begin / SFREQ, (end - begin) / SFREQ, draw(st.sampled_from(LABELS)))
        for begin, end in zip(edges[::2], edges[1::2], strict=False)
    ]
    length = draw(st.integers(1, 5 * SFREQ))
    windows = Windows(
        length=length / SFREQ,
        step=draw(st.integers(1, 5 * SFREQ)) / SFREQ,
        min_overlap=draw(st.integers(1, length)) / length,
        guard=draw(st.sampled_from([0.0, 0.5, 1.0, 3.0])),
    )
    return events, windows, draw(st.sampled_from(["bckg", None]))


def counted(events, windows, unannotated, start):
    """Label of a window and the fraction that it covers, counted sample by sample."""
    length = round(windows.length * SFREQ)
    guard = round(windows.guard * SFREQ)
    types = [unannotated or ""] * N_TIMES
    seizure = np.zeros(N_TIMES, bool)
    for event in events:
        begin, end = round(event.onset * SFREQ), round(event.end * SFREQ)
        types[begin:end] = [event.label] * (end - begin)
        if event.label.split("_")[0] != "bckg":
            seizure[max(begin - guard, 0) : end + guard] = True
    inside = types[start : start + length]
    candidates = []
    for name in set(inside) - {""}:
        pure = not seizure[start : start + length].any()
        if inside.count(name) >= windows.min_overlap * length - 1e-6 and (name.split("_")[0] != "bckg" or pure):
            candidates.append((-inside.count(name), name))
    if not candidates:
        return "", 0.0
    count, name = min(candidates)
    return name, -count / length


@given(annotated())
def test_labels_agree_with_a_count_of_samples(case):
    events, windows, unannotated = case
    length = round(windows.length * SFREQ)
    starts = window_starts(N_TIMES, length, round(windows.step * SFREQ))
    labels = label_windows(starts, SFREQ, events, windows, unannotated)
    expected = [counted(events, windows, unannotated, start) for start in starts]
    assert labels.label == [label for label, _ in expected]
    np.testing.assert_allclose(labels.overlap, [fraction for _, fraction in expected], atol=1e-9)
    assert np.array_equal(labels.start, starts)


@given(annotated())
def test_background_is_never_within_the_guard_interval_of_a_seizure(case):
    events, windows, unannotated = case
    starts = window_starts(N_TIMES, round(windows.length * SFREQ), round(windows.step * SFREQ))
    labels = label_windows(starts, SFREQ, events, windows, unannotated)
    seizures = [event for event in events if event.label.startswith("sz")]
    for start, label in zip(starts / SFREQ, labels.label, strict=True):
        if label.startswith("bckg"):
            end = start + windows.length
            assert all(start >= sz.end + windows.guard or end <= sz.onset - windows.guard for sz in seizures)


@given(st.integers(0, 300), st.integers(1, 50), st.integers(1, 50))
def test_every_window_within_the_signal_is_returned(n_times, length, step):
    expected = [start for start in range(0, n_times, step) if start + length <= n_times]
    assert window_starts(n_times, length, step).tolist() == expected


def label(events, unannotated="bckg", **windows):
    """Labels of the windows of 4 s with onsets at 0, 4, 8, 12 and 16 s."""
    settings = Windows(**{"length": 4.0, "step": 4.0, **windows})
    starts = window_starts(20 * SFREQ, 4 * SFREQ, 4 * SFREQ)
    return label_windows(starts, SFREQ, events, settings, unannotated).label


def test_labels_of_a_seizure_with_guard_and_minimum_overlap():
    seizure = [Event(6.0, 4.0, "sz_foc")]  # second half of the window at 4 s, first half of that at 8 s
    assert label(seizure) == ["bckg", "sz_foc", "sz_foc", "bckg", "bckg"]
    assert label(seizure, min_overlap=0.6) == ["bckg", "", "", "bckg", "bckg"]
    # A guard of 2 s covers 4 s to 12 s; a guard of 3 s overlaps the windows before and after.
    assert label(seizure, guard=2.0) == ["bckg", "sz_foc", "sz_foc", "bckg", "bckg"]
    assert label(seizure, guard=3.0) == ["", "sz_foc", "sz_foc", "", "bckg"]


def test_unannotated_time_has_the_given_event_type_or_none():
    events = [Event(0.0, 8.0, "bckg"), Event(12.0, 4.0, "sz")]
    assert label(events, unannotated=None) == ["bckg", "bckg", "", "sz", ""]
    assert label(events, unannotated="bckg") == ["bckg", "bckg", "bckg", "sz", "bckg"]
    assert label([], unannotated=None) == [""] * 5


def test_time_of_another_event_type_is_not_background():
    assert label([Event(1.0, 1.0, "impd")]) == ["", "bckg", "bckg", "bckg", "bckg"]
    assert label([Event(1.0, 1.0, "impd")], guard=2.5) == ["", "", "bckg", "bckg", "bckg"]


def test_the_larger_overlap_decides_and_the_first_name_on_a_tie():
    assert label([Event(0.0, 1.5, "sz_foc"), Event(1.5, 2.5, "sz_gen")], min_overlap=0.3)[0] == "sz_gen"
    assert label([Event(0.0, 2.0, "sz_gen"), Event(2.0, 2.0, "sz_foc")], min_overlap=0.3)[0] == "sz_foc"


def test_an_overlap_equal_to_the_minimum_is_sufficient():
    """Rounding errors of the overlap in floating point are tolerated."""
    windows = Windows(length=1.0, step=1.0, min_overlap=0.1)
    for second in range(200):
        event = Event(second + 0.3, 0.1, "sz")
        assert label_windows(np.array([second * 250]), 250, [event], windows, "bckg").label == ["sz"]
