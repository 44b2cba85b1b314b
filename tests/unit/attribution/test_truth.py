"""True region of a seizure in a window: bins by hand, electrodes of derivations, refused files."""

import json

import numpy as np
import pytest

from eegwf.attribution.truth import TrueSeizure, read_truth, region_of, seizure_of
from eegwf.config.data import Synthetic
from eegwf.data.synthetic.dataset import write_dataset
from eegwf.errors import InputError

# Reaches F7 at 100 s, T3 at 104 s, O1 at 108.5 s; 8 Hz at the onset, 4 Hz at the end.
SEIZURE = {
    "recording": "sub-01_task-sz",
    "onset": 100.0,
    "duration": 20.0,
    "delays": {"F7": 0.0, "T3": 4.0, "O1": 8.5},
    "track": [[100.0, 8.0], [120.0, 4.0]],
}
FREQS = [2.0, 5.0, 6.9, 7.0, 8.0, 9.0, 9.3, 16.0]


def seizure(**changed) -> TrueSeizure:
    return TrueSeizure.model_validate({**SEIZURE, **changed})


def described(*ch_names: str, freqs=FREQS, n_frames=20, seconds=10.0) -> dict:
    times = (np.arange(n_frames) + 0.5) * seconds / n_frames
    return {"ch_names": list(ch_names), "freqs": freqs, "times": times.tolist()}


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        ("F7", True),
        ("EEG F7-REF", True),
        ("F7-Avg", True),
        ("T7-C3", True),  # the truth has T3
        ("C3-T3", True),
        ("A1-T7", True),
        ("P7-O1", False),  # the seizure reaches O1 half a second before the end of the window
        ("C3-Cz", False),
        ("ECG", False),
    ],
)
def test_a_channel_is_reached_if_one_of_its_electrodes_is(name, reached):
    assert region_of(seizure(), [described("F7-T7", name)], 99.0).channels.tolist() == [True, reached]


def test_margin_counts_from_the_end_of_the_seizure_if_it_ends_first():
    short = seizure(duration=5.1)
    assert region_of(short, [described("T7", "O1")], 99.0).channels.tolist() == [True, False]
    assert region_of(seizure(duration=4.9), [described("T7")], 99.0).channels.tolist() == [False]


def test_bins_equal_those_of_a_loop():
    """The window begins 3 s before the seizure and ends 3 s after it; two stacked spectrograms."""
    short, onset = seizure(duration=9.0, track=[[100.0, 8.0], [109.0, 3.5]]), 97.0
    other = [frequency * 1.1 for frequency in FREQS]
    parts = [described("F7-T7", "T7-P7", "P7-O1", seconds=15.0), described("Fz-Cz", "O1", freqs=other, seconds=15.0)]
    region = region_of(short, parts, onset)
    delays = [0.0, 4.0, np.inf, np.inf, np.inf]  # O1 at 8.5 s is within a second of the end
    for channel, delay in enumerate(delays):
        freqs = FREQS if channel < 3 else other
        for frame, time in enumerate(parts[0]["times"]):
            elapsed = onset + time - 100.0
            hertz = 8.0 - 0.5 * elapsed
            for row, frequency in enumerate(freqs):
                near = abs(frequency - hertz) <= max(1.0, 0.15 * hertz)
                assert region.mask[channel, row, frame] == (near and max(delay, 0.0) <= elapsed < 9.0)
    assert region.array.tolist() == [0, 0, 0, 1, 1]
    assert region.frames[0].tolist() == [0.0 <= 97.0 + time - 100.0 < 9.0 for time in parts[0]["times"]]
    assert region.freqs.shape == (2, len(FREQS))
    assert region.freqs[0].tolist() == region.mask[0].any(axis=1).tolist()
    assert region.mask[:2].any(axis=(1, 2)).all()


def test_width_around_the_track_and_no_harmonic():
    constant = seizure(track=[[100.0, 8.0]])
    assert region_of(constant, [described("F7")], 100.0).freqs.tolist() == [
        [*[False] * 2, True, *[True] * 3, *[False] * 2]
    ]
    slow = region_of(seizure(track=[[100.0, 3.0]]), [described("F7")], 100.0)
    assert slow.freqs.tolist() == [[True, *[False] * 7]]  # 2 Hz is within 1 Hz of 3 Hz


def test_time_series_has_seconds_and_channels_but_no_frequencies():
    region = region_of(seizure(), [described("F7-T7", "Fz-Cz", freqs=None, n_frames=1000)], 95.0)
    assert region.freqs is None
    assert region.mask.shape == (2, 1, 1000)
    assert region.mask[0, 0].tolist() == region.frames[0].tolist() == [False] * 500 + [True] * 500
    assert not region.mask[1].any()
    assert np.unique(region.second, return_counts=True)[1].tolist() == [100] * 10


def test_seizure_of_a_window_is_that_with_the_longest_overlap():
    first, second = seizure(), seizure(onset=125.0)
    other = seizure(recording="sub-02_task-sz")
    every = [other, first, second]
    assert seizure_of(every, "sub-01_task-sz", 117.0, 10.0) is first
    assert seizure_of(every, "sub-01_task-sz", 119.0, 10.0) is second
    assert seizure_of(every, "sub-02_task-sz", 119.0, 10.0) is other
    assert seizure_of(every, "sub-01_task-sz", 90.0, 10.0) is None
    assert seizure_of(every, "sub-03_task-sz", 105.0, 10.0) is None


def test_truth_of_a_generated_data_set(tmp_path):
    write_dataset(
        tmp_path / "bids", Synthetic(kind="synthetic", n_focal=1, n_generalized=1, n_both=0, n_none=0, minutes=1)
    )
    written = json.loads((tmp_path / "bids" / "truth.json").read_text())["seizures"]
    seizures = read_truth(tmp_path / "bids" / "truth.json")
    assert [one.onset for one in seizures] == [entry["onset"] for entry in written]
    for one, entry in zip(seizures, written, strict=True):
        middle = one.onset + one.duration / 2
        region = region_of(one, [described("F7-T7", "T8", "Cz", seconds=2.0)], middle - 1.0)
        reached = [name for name, delay in entry["delays"].items() if entry["onset"] + delay < middle]
        expected = [bool({"F7", "T3"} & set(reached)), "T4" in reached, "Cz" in reached]
        assert region.channels.tolist() == expected
        assert region.frames.all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "no list 'seizures'"),
        ('{"seizures": {}}', "no list 'seizures'"),
        ('{"seizures": [7]}', r"seizures\.0"),
        ({"delays": None}, r"seizures\.0\.delays"),
        ({"delays": {"F7": -1.0}}, r"seizures\.0\.delays\.F7"),
        ({"delays": {"F7": "0"}}, r"seizures\.0\.delays\.F7"),
        ({"onset": float("nan")}, r"seizures\.0\.onset"),
        ({"onset": True}, r"seizures\.0\.onset"),
        ({"duration": 0}, r"seizures\.0\.duration"),
        ({"track": []}, r"seizures\.0\.track"),
        ({"track": [[100.0]]}, r"seizures\.0\.track\.0"),
        ({"track": [[101.0, 8.0], [100.0, 8.0]]}, r"seizures\.0\.track: .*order of time"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    path = tmp_path / "truth.json"
    path.write_text(content if isinstance(content, str) else json.dumps({"seizures": [{**SEIZURE, **content}]}))
    with pytest.raises(InputError, match=f"truth.json: .*{message}"):
        read_truth(path)


def test_files_without_delays_or_no_file_are_refused(tmp_path):
    path = tmp_path / "truth.json"
    with pytest.raises(InputError, match="no such file"):
        read_truth(path)
    path.write_text(json.dumps({"seizures": [{key: value for key, value in SEIZURE.items() if key != "delays"}]}))
    with pytest.raises(InputError, match=r"seizures\.0\.delays: .*generate it again"):
        read_truth(path)
