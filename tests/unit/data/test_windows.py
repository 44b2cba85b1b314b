"""Labels of windows, compared with a count of samples."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eegwf.config.windows import Windows
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


def labeled(events, unannotated="bckg", event_types=("bckg", "sz", "impd"), **windows):
    """Labels, overlaps and windows per event of the windows of 4 s with onsets at 0, 4, 8, 12 and 16 s."""
    settings = Windows(**{"length": 4.0, "step": 4.0, **windows})
    starts = window_starts(20 * SFREQ, 4 * SFREQ, 4 * SFREQ)
    result = label_windows(starts, SFREQ, events, settings, unannotated, event_types)
    return result.label, result.overlap.tolist(), result.carried.tolist()


def test_subtypes_are_added_up():
    first, second = Event(8.0, 1.5, "sz_foc_ia"), Event(9.5, 1.5, "sz_foc_a")
    names, overlap, carried = labeled([first, second])
    assert names == ["bckg", "bckg", "sz_foc", "bckg", "bckg"]
    assert overlap[2] == 0.75 and carried == [1, 1]
    # Without a common subtype, their sum is a seizure; a type that is enough alone is not changed.
    assert labeled([first, Event(9.5, 1.5, "sz_gen")])[0][2] == "sz"
    assert labeled([Event(8.0, 2.0, "sz_foc_ia"), Event(10.0, 1.5, "sz_foc_a")])[0][2] == "sz_foc_ia"
    # Two focal subtypes are enough, so that the generalized one does not widen the label.
    three = [Event(8.0, 1.0, "sz_foc_ia"), Event(9.0, 1.0, "sz_foc_a"), Event(10.0, 1.0, "sz_gen")]
    names, overlap, carried = labeled(three)
    assert names[2] == "sz_foc" and overlap[2] == 0.5 and carried == [1, 1, 0]
    # Different types are not added up, and no event type above those of the data set is made.
    assert labeled([first, Event(9.5, 1.5, "impd")])[0][2] == ""
    assert labeled([first, Event(9.5, 1.5, "sz_gen")], event_types=["bckg", "sz_foc", "sz_gen"])[0][2] == ""
    assert labeled([first, second], event_types=["bckg", "sz_foc"])[0][2] == "sz_foc"
    # Subtypes of the background, but not near a seizure.
    parts = [Event(8.0, 1.5, "bckg_sleep"), Event(9.5, 1.5, "bckg_wake")]
    assert labeled(parts, unannotated=None)[0] == ["", "", "bckg", "", ""]
    assert labeled([*parts, Event(11.5, 0.5, "sz")], unannotated=None)[0] == [""] * 5


def test_a_short_seizure_labels_by_its_own_share_if_configured():
    events = [Event(5.0, 1.5, "sz_foc"), Event(11.0, 1.5, "sz_gen")]  # the second: 1 s before 12 s, 0.5 s after
    assert labeled(events) == (["bckg", "", "", "", "bckg"], [1, 0, 0, 0, 1], [0, 0])
    names, overlap, carried = labeled(events, min_event_overlap=0.6)
    assert names == ["bckg", "sz_foc", "sz_gen", "", "bckg"]
    assert overlap == [1, 0.375, 0.25, 0, 1] and carried == [1, 1]
    assert labeled(events, min_event_overlap=0.3)[0] == ["bckg", "sz_foc", "sz_gen", "sz_gen", "bckg"]
    assert labeled(events, min_event_overlap=0.7)[0] == ["bckg", "sz_foc", "", "", "bckg"]
    # An event that covers enough of the window has priority; of short events, the one with the larger share.
    assert labeled([Event(4.0, 1.0, "sz_gen"), Event(5.0, 2.0, "sz_foc")], min_event_overlap=0.5)[0][1] == "sz_foc"
    assert labeled([Event(4.0, 1.0, "sz_gen"), Event(7.5, 1.9, "sz_foc")], min_event_overlap=0.2)[0][1] == "sz_gen"
    # Background is never labeled in this way.
    assert labeled([Event(5.0, 1.0, "bckg")], unannotated=None, min_event_overlap=0.5)[0] == [""] * 5


@given(annotated(), st.sampled_from([0.25, 0.5, 1.0]))
def test_the_share_of_events_labels_only_windows_without_a_label(case, fraction):
    events, windows, unannotated = case
    starts = window_starts(N_TIMES, round(windows.length * SFREQ), round(windows.step * SFREQ))
    plain = label_windows(starts, SFREQ, events, windows, unannotated)
    other = windows.model_copy(update={"min_event_overlap": fraction})
    result = label_windows(starts, SFREQ, events, other, unannotated)
    for start, before, after in zip(starts / SFREQ, plain.label, result.label, strict=True):
        assert before in ("", after)
        contained = {
            event.label
            for event in events
            if min(event.end, start + windows.length) - max(event.onset, start) >= fraction * event.duration - 1e-9
            and not event.label.startswith("bckg")
        }
        assert after in contained if before == "" and contained else after == before
    assert (result.carried >= plain.carried).all()


@given(annotated())
def test_windows_of_each_event_have_its_type_or_one_above_and_a_part_of_it(case):
    events, windows, unannotated = case
    length = round(windows.length * SFREQ)
    starts = window_starts(N_TIMES, length, round(windows.step * SFREQ))
    result = label_windows(starts, SFREQ, events, windows, unannotated)
    for event, carried in zip(events, result.carried, strict=True):
        begin, end = round(event.onset * SFREQ), round(event.end * SFREQ)
        touching = [name for s, name in zip(starts, result.label, strict=True) if s < end and s + length > begin]
        assert carried == sum(name == event.label or event.label.startswith(f"{name}_") for name in touching)


def test_the_time_after_a_seizure_of_unknown_end_is_not_background():
    # Until the next event.
    assert labeled([Event(5.0, 0.0, "sz")]) == (["bckg", "", "", "", ""], [1, 0, 0, 0, 0], [0])
    events = [Event(5.0, 0.0, "sz"), Event(12.0, 8.0, "bckg")]
    assert labeled(events)[0] == ["bckg", "", "", "bckg", "bckg"]
    assert labeled(events, guard=1.0)[0] == ["bckg", "", "", "", "bckg"]
    assert labeled([Event(5.0, 0.0, "sz"), Event(8.0, 4.0, "sz")])[0] == ["bckg", "", "sz", "bckg", "bckg"]
    # Within annotated background, and for five minutes at most.
    assert labeled([Event(0.0, 20.0, "bckg"), Event(5.0, 0.0, "sz")])[0] == ["bckg", "", "", "", ""]
    starts = window_starts(400 * SFREQ, 4 * SFREQ, 4 * SFREQ)
    names = label_windows(starts, SFREQ, [Event(5.0, 0.0, "sz")], Windows(length=4.0, step=4.0), "bckg").label
    assert names == ["bckg", *[""] * 76, *["bckg"] * 23]  # 305 s lies in the window from 304 s to 308 s
