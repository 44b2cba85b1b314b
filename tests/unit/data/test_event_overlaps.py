"""Overlaps of events: what is shortened, and properties of every resolution."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eegwf.data.event_overlaps import Span, resolve_overlaps
from eegwf.data.events import EventRules
from eegwf.errors import InputError

RULES = EventRules(["bckg", "sz", "impd"])
TOLERANCE = 0.05


def resolve(*drawn, tolerance=TOLERANCE):
    """Resolve (onset, end, label); return the same form, and the notes."""
    spans = [Span(onset, end, label, f"line {line}") for line, (onset, end, label) in enumerate(drawn, start=2)]
    notes = []
    resolved = resolve_overlaps(spans, tolerance, RULES.priority, "events.tsv", notes)
    return [(round(span.onset, 9), round(span.end, 9), span.label) for span in resolved], notes


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        # The seizure keeps its length, whether it comes first or second.
        ([(0, 10.01, "bckg"), (10, 20, "sz")], [(0, 10, "bckg"), (10, 20, "sz")]),
        ([(0, 10.01, "sz"), (10, 20, "bckg")], [(0, 10.01, "sz"), (10.01, 20, "bckg")]),
        ([(0, 10.05, "impd"), (10, 20, "sz")], [(0, 10, "impd"), (10, 20, "sz")]),
        ([(0, 10.001, "bckg"), (10, 20, "impd")], [(0, 10, "bckg"), (10, 20, "impd")]),
        # Of two seizures, the later one is shortened.
        ([(0, 10.02, "sz_foc"), (10, 20, "sz_gen")], [(0, 10.02, "sz_foc"), (10.02, 20, "sz_gen")]),
        # Nothing is left of an event of background that two seizures cover.
        ([(0, 10.04, "sz_foc"), (10.01, 10.03, "bckg")], [(0, 10.04, "sz_foc")]),
        ([(5, 5.03, "bckg"), (5, 20, "sz")], [(5, 20, "sz")]),
        # A short seizure at the end of background, and a chain of three.
        ([(0, 10.04, "bckg"), (10, 10.03, "sz")], [(0, 10, "bckg"), (10, 10.03, "sz")]),
        (
            [(0, 10.02, "bckg"), (10, 10.03, "sz"), (10.01, 20, "bckg")],
            [(0, 10, "bckg"), (10, 10.03, "sz"), (10.03, 20, "bckg")],
        ),
        (
            [(0, 10.03, "sz_foc"), (10, 10.05, "bckg"), (10.02, 20, "sz_gen")],
            [(0, 10.03, "sz_foc"), (10.03, 20, "sz_gen")],
        ),
        # Once the background between them is dropped, seizures of one type are merged.
        ([(0, 10.03, "sz"), (10, 10.05, "bckg"), (10.02, 20, "sz")], [(0, 20, "sz")]),
    ],
)
def test_small_overlaps_are_resolved_in_favor_of_the_seizure(drawn, expected):
    resolved, notes = resolve(*drawn)
    assert resolved == expected
    assert notes and all("overlap" in note for note in notes)


@pytest.mark.parametrize(
    "drawn",
    [
        [(0, 10.0501, "bckg"), (10, 20, "sz")],
        [(0, 10.06, "sz_foc"), (10, 20, "sz_gen")],
        # Seizures would be lost: shorter than the tolerance, within another event.
        [(0, 20, "bckg"), (10, 10.03, "sz")],
        [(0, 20, "sz_foc"), (10, 10.03, "sz_gen")],
        [(5, 20, "sz_foc"), (5, 20, "sz_gen")],
    ],
)
def test_other_overlaps_are_errors(drawn):
    with pytest.raises(InputError, match=r"^events.tsv, line 3: '.*' from .* s overlaps '.*' until .* s \(line 2\); "):
        resolve(*drawn)


def test_the_message_names_the_tolerance_if_it_can_be_increased():
    with pytest.raises(InputError, match=r"or increase dataset.event_tolerance \(0.05 s\)"):
        resolve((0, 10.2, "bckg"), (10, 20, "sz"))
    with pytest.raises(InputError, match=r"dataset.ignored_events$"):
        resolve((0, 12, "bckg"), (10, 20, "sz"))
    assert resolve((0, 10.2, "bckg"), (10, 20, "sz"), tolerance=0.2)[0] == [(0, 10, "bckg"), (10, 20, "sz")]


LABELS = st.sampled_from(["bckg", "sz", "sz_foc", "impd"])


@st.composite
def rounded(draw):
    """Draw adjacent events, and each bound of each of them with an error of at most 0.02 s."""
    edges = [0.0]
    for length in draw(st.lists(st.integers(10, 400), min_size=1, max_size=10)):
        edges.append(edges[-1] + length / 100)
    error = st.integers(-20, 20).map(lambda value: value / 1000)
    wrong = [(max(onset + draw(error), 0), end + draw(error), draw(LABELS)) for onset, end in pairwise(edges)]
    return draw(st.permutations(wrong))


def milliseconds(spans):
    return {tick for onset, end, _ in spans for tick in range(round(onset * 1000), round(end * 1000))}


def seizures(spans):
    return [span for span in spans if span[2].startswith("sz")]


@given(rounded())
def test_rounded_events_are_never_refused_and_seizures_lose_no_time(drawn):
    """Errors of 0.02 s at either side of a border overlap by 0.04 s at most."""
    resolved, _ = resolve(*drawn)
    assert all(before[1] <= after[0] + 2e-9 for before, after in pairwise(resolved))
    assert milliseconds(resolved) == milliseconds(drawn)
    assert milliseconds(seizures(resolved)) == milliseconds(seizures(drawn))


spans = st.tuples(st.integers(0, 400), st.integers(1, 60), LABELS).map(
    lambda drawn: (drawn[0] / 100, (drawn[0] + drawn[1]) / 100, drawn[2])
)


@example([(0.0, 0.03, "sz"), (0.01, 0.02, "sz_foc")], 0.02)
@given(st.lists(spans, max_size=6), st.sampled_from([0.0, 0.02, 0.05, 0.3]))
def test_a_resolution_has_no_overlap_and_removes_no_more_than_the_tolerance(drawn, tolerance):
    try:
        resolved, notes = resolve(*drawn, tolerance=tolerance)
    except InputError as error:
        assert "overlaps" in str(error)
        overlap = max(
            (min(a[1], b[1]) - max(a[0], b[0]) for i, a in enumerate(drawn) for b in drawn[:i] if a[2] != b[2]),
            default=0,
        )
        assert overlap > 1e-6
        return
    assert resolved == sorted(resolved)
    assert all(before[1] <= after[0] + 2e-9 for before, after in pairwise(resolved))
    for onset, end, label in seizures(drawn):
        kept = sum(max(min(end, b[1]) - max(onset, b[0]), 0) for b in seizures(resolved))
        assert kept >= end - onset - 1e-6, (label, resolved)
    if not notes:
        assert {span[2] for span in resolved} == {span[2] for span in drawn}
    # A second resolution changes nothing.
    assert resolve(*resolved, tolerance=tolerance) == (resolved, [])
