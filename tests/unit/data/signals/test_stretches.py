"""Recordings with gaps: each stretch is read as a file of its own, and nothing is read across a gap."""

from itertools import pairwise

import numpy as np
import pytest
from edfio import Edf, EdfAnnotation, EdfSignal
from hypothesis import given
from hypothesis import strategies as st

from eegwf.config.data import Signals
from eegwf.data.signals.header import header
from eegwf.data.signals.signal import open_signal
from eegwf.data.signals.stretches import Stretch, describe_gaps, resample_stretches, sample_time, span
from eegwf.errors import InputError
from tests.helpers.headers import SFREQ, noise, set_record_onsets, write_brainvision

FILTERED = Signals(montage="as recorded", sfreq=100.0, l_freq=0.5, h_freq=40.0)
PLAIN = Signals(montage="as recorded", sfreq="as recorded", l_freq=None)
DATA = noise(2, seconds=60)


def write_edf_plus(path, data, sfreq=SFREQ):
    """Write an EDF+C file of data records of a second, with space for longer onsets."""
    signals = [
        EdfSignal(row, sfreq, label=name, physical_dimension="uV", physical_range=(-200, 200))
        for name, row in zip(["Fp1", "F7"], data, strict=True)
    ]
    n_records = data.shape[1] // sfreq
    notes = [EdfAnnotation(float(second), None, "a text of some length") for second in range(n_records)]
    Edf(signals, annotations=notes, data_record_duration=1).write(path)
    return path


def with_gaps(path, pieces):
    """An EDF+D file of `DATA` whose pieces, `(number of records, onset)`, are separated by gaps."""
    write_edf_plus(path, DATA)
    return set_record_onsets(path, [onset + record for n, onset in pieces for record in range(n)])


@pytest.mark.parametrize("settings", [PLAIN, FILTERED], ids=["plain", "filtered and resampled"])
@pytest.mark.parametrize(
    "pieces",
    [
        [(20, 0), (40, 100)],
        [(20, 5), (1, 26.5), (39, 1000.25)],
        [(30, 0.5), (30, 30.504)],
        [(59, 0), (1, 86400)],
    ],
)
def test_a_stretch_has_the_samples_of_a_file_of_its_own(tmp_path, pieces, settings):
    signal = open_signal(with_gaps(tmp_path / "a.edf", pieces), settings)
    assert len(signal.stretches) == len(pieces) and signal.duration == 60
    assert signal.span == pytest.approx(pieces[-1][1] + pieces[-1][0] - pieces[0][1])
    done = 0
    for (n_records, onset), stretch in zip(pieces, signal.stretches, strict=True):
        part = DATA[:, done * SFREQ : (done + n_records) * SFREQ]
        alone = open_signal(write_edf_plus(tmp_path / "part.edf", part), settings)
        assert stretch.last - stretch.first == alone.n_times
        assert stretch.first / signal.sfreq == pytest.approx(onset - pieces[0][1], abs=1 / signal.sfreq)
        np.testing.assert_array_equal(signal.read(stretch.first, stretch.last), alone.read(0, alone.n_times))
        middle = (stretch.first + stretch.last) // 2
        parts = [signal.read(stretch.first, middle), signal.read(middle, stretch.last)]
        assert np.abs(np.concatenate(parts, axis=1) - alone.read(0, alone.n_times)).max() < 1e-4
        done += n_records


def test_nothing_is_read_across_or_within_a_gap(tmp_path):
    signal = open_signal(with_gaps(tmp_path / "a.edf", [(20, 0), (40, 100)]), PLAIN)
    first, second = signal.stretches
    assert (first.first, first.last, second.first, second.last) == (0, 20 * SFREQ, 100 * SFREQ, 140 * SFREQ)
    for start, stop in [
        (first.last - 1, first.last + 1), (first.last, first.last + 1), (first.last - 5, second.first + 5),
        (second.first - 1, second.first + 1), (second.last - 1, second.last + 1), (-1, 1),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="stretch"):
            signal.read(start, stop)


def test_the_note_lists_the_gaps(tmp_path):
    one = header(with_gaps(tmp_path / "a.edf", [(20, 0), (40, 100)]))
    assert one.notes == ("1 gap (20 to 100 s); no window crosses a gap",)
    many = header(with_gaps(tmp_path / "a.edf", [(10, 20 * number) for number in range(6)]))
    assert many.notes == ("5 gaps, 50 s in all (10 to 20 s, 30 to 40 s, 50 to 60 s, ...); no window crosses a gap",)
    assert describe_gaps([Stretch(0, 5, 0.0)], SFREQ) == ""


def test_data_records_without_gaps_are_one_stretch(tmp_path):
    """Onsets that are rounded to milliseconds are no gaps."""
    path = with_gaps(tmp_path / "a.edf", [(1, round(second + 0.0004 * (second % 3), 4)) for second in range(60)])
    head = header(path)
    assert head.stretches == (Stretch(0, 60 * SFREQ, 0.0),) and head.notes == () and head.span == head.duration == 60


@pytest.mark.parametrize("onset", [18, 19.5, -100])
def test_data_records_that_overlap_are_refused(tmp_path, onset):
    with pytest.raises(InputError, match=r"data record at 19 s ends at 20 s, but the next begins at .*export it again"):
        header(with_gaps(tmp_path / "a.edf", [(20, 0), (40, onset)]))


def test_onsets_that_drift_begin_a_new_stretch(tmp_path):
    """Each second is 1.0009 s long; the differences add up to a tenth of a second after 112 records."""
    write_edf_plus(tmp_path / "a.edf", np.tile(DATA, 5))
    path = set_record_onsets(tmp_path / "a.edf", [round(1.0009 * second, 4) for second in range(300)])
    head = header(path)
    assert [stretch.start // SFREQ for stretch in head.stretches] == [0, 112, 224]
    assert head.span == pytest.approx(1.0009 * 299 + 1, abs=0.1)


def test_a_scan_gives_the_time_after_the_gap(tmp_path):
    path = with_gaps(tmp_path / "a.edf", [(20, 3), (40, 103)])
    head = header(path)
    assert [sample_time(head.stretches, sample, SFREQ) for sample in (0, 20 * SFREQ - 1, 20 * SFREQ)] == [
        0.0, 20 - 1 / SFREQ, 100.0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("markers", "starts", "note"),
    [
        (
            ("Mk2=New Segment,,2561,1,0,20190101001000000000",),
            [0, 2560],
            "segments begin at 20 s after a pause of 580 s;",
        ),
        (("Mk2=New Segment,,2561,1,0",), [0, 2560], "segments begin at 20 s;"),
        (("Mk2=New Segment,,2561,1,0,20190101000020000000",), [0, 2560], "segments begin at 20 s;"),
        (
            ("Mk2=New Segment,,1281,1,0", "Mk3=New Segment,,2561,1,0"),
            [0, 1280, 2560],
            "segments begin at 10 s, at 20 s;",
        ),
        (("Mk2=New Segment,,1,1,0", "Mk3=New Segment,,99999999,1,0"), [0], None),
        (("Mk2=New Segment,,2561,1,0,20191301001000000000",), [0, 2560], "segments begin at 20 s;"),
    ],
)
def test_segments_of_brainvision_are_stretches(tmp_path, markers, starts, note):
    first = "Mk1=New Segment,,1,1,0,20190101000000000000"
    path = write_brainvision(tmp_path / "a.vhdr", DATA, names=["Fp1", "F7"], markers=(first, *markers))
    head = header(path)
    stops = [*starts[1:], DATA.shape[1]]
    assert head.stretches == tuple(
        Stretch(start, stop, start / SFREQ) for start, stop in zip(starts, stops, strict=True)
    )
    assert [text.startswith(note) for text in head.notes] == ([True] if note else [])
    signal = open_signal(path, FILTERED)
    for start, stop, stretch in zip(starts, stops, signal.stretches, strict=True):
        alone = open_signal(
            write_brainvision(tmp_path / "b.vhdr", DATA[:, start:stop], names=["Fp1", "F7"], markers=(first,)), FILTERED
        )
        np.testing.assert_array_equal(signal.read(stretch.first, stretch.last), alone.read(0, alone.n_times))


@given(
    lengths=st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    gaps=st.lists(st.floats(0, 1000), min_size=8, max_size=8),
    rates=st.sampled_from([(128, 128), (250, 256), (256, 100), (200, 256), (512, 256), (500, 256)]),
)
def test_resampled_stretches_do_not_overlap_and_begin_at_their_onset(lengths, gaps, rates):
    recorded, target = rates
    stretches, start, onset = [], 0, 0.0
    for length, gap in zip(lengths, gaps, strict=False):
        stretches.append(Stretch(start, start + length, onset))
        start, onset = start + length, onset + length / recorded + gap
    placed = resample_stretches(stretches, recorded, target)
    assert placed[0].first == 0
    assert all(before.last <= after.first for before, after in pairwise(placed))
    for stretch, item in zip(stretches, placed, strict=True):
        assert item.last - item.first == -(-len(stretch) * target // recorded)
        assert abs(item.first - stretch.onset * target) <= len(lengths) + 0.5
    assert span(stretches, recorded) == pytest.approx(sum(lengths) / recorded + sum(gaps[: len(lengths) - 1]))
