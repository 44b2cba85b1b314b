"""Context of windows: padding, tables that do not depend on it, and copies that are found in spite of it."""

import json

import numpy as np
import pytest
from edfio import read_edf

from eegwf.config.stages.data import FoldsSettings
from eegwf.data.context import without_context
from eegwf.data.overlap import WindowedSignals, window_fingerprints
from eegwf.data.signals.signal import open_signal
from eegwf.errors import InputError
from eegwf.jobs import folds
from eegwf.storage.files import read_array, read_table
from tests.helpers.headers import set_record_onsets
from tests.helpers.short_recordings import CONFIG, FILES, contents, reading_settings, record

SFREQ, LENGTH = 64, 128


def reflected_sample(signal, index):
    """Sample of a signal that is reflected at its ends, without repeating them, as often as needed."""
    n_times = signal.shape[1]
    while not 0 <= index < n_times:
        index = -index if index < 0 else 2 * (n_times - 1) - index
    return signal[:, index]


def expected_windows(path, bids, context):
    """Windows of 2 s of a recording with their context, sample by sample from its stretches."""
    signal = open_signal(path, reading_settings(CONFIG, bids).signals)
    windows = []
    for stretch in signal.stretches:
        values = signal.read(stretch.first, stretch.last)
        for start in range(0, values.shape[1] - LENGTH + 1, LENGTH):
            samples = range(start - context, start + LENGTH + context)
            windows.append(np.stack([reflected_sample(values, index) for index in samples], axis=1))
    return np.array(windows)


@pytest.mark.parametrize("seconds", [0.5, 3.0, 5.25, 30.0])
def test_context_is_reflected_at_the_ends_and_at_gaps(run, bids, seconds):
    """EDF+D: stretches of 7, 2 and 11 s; with 5.25 and 30 s of context, some or all are shorter than it."""
    path = record(bids, "sub-05", ["2\t4\tsz_foc"], annotated=True)
    set_record_onsets(path, [*range(7), 50, 51, *(100.5 + second for second in range(11))])
    out, context = run(windows={"context": seconds}), round(seconds * SFREQ)
    array, windows = read_array(out / "windows.npy"), read_table(out / "windows.tsv")
    expected = expected_windows(path, bids, context)
    assert expected.shape == (3 + 1 + 5, 3, LENGTH + 2 * context)
    rows = windows.loc[windows["patient"] == "sub-05", "window"]
    np.testing.assert_array_equal(array[rows], expected.astype(np.float16))
    axes = json.loads((out / "windows.json").read_text())
    assert axes["context"] == context and axes["n_times"] == array.shape[2]


def test_context_across_blocks_is_that_of_the_recording(run, bids):
    path = record(bids, "sub-05", seconds=610)
    array = read_array(run(windows={"context": 2.5}) / "windows.npy")
    np.testing.assert_array_equal(array[40:], expected_windows(path, bids, 160).astype(np.float16))


def test_only_the_array_and_its_description_depend_on_context(run):  # quality is in recordings.tsv
    without, zero, within = run("without"), run("zero", windows={"context": 0.0}), run("in", windows={"context": 3.0})
    assert contents(without) == contents(zero)
    assert "context" not in json.loads((without / "windows.json").read_text())
    for name in FILES:
        equal = (without / name).read_bytes() == (within / name).read_bytes()
        assert equal == (not name.startswith("windows.") or name == "windows.tsv"), name
    arrays = [read_array(folder / "windows.npy") for folder in (without, within)]
    np.testing.assert_array_equal(without_context(arrays[1], 3 * SFREQ), arrays[0])


def test_copies_are_found_although_their_context_differs(run, bids, tmp_path):
    """sub-06 is sub-01 from 4 to 16 s: its first and last window have other samples around them."""
    source = read_edf(bids / "sub-01" / "eeg" / "sub-01_task-sz_eeg.edf")
    source.slice_between_seconds(4, 16)
    record(bids, "sub-06")
    source.write(bids / "sub-06" / "eeg" / "sub-06_task-sz_eeg.edf")
    # The filter would change the samples near the ends of the excerpt.
    out = run(windows={"context": 20.0}, signals={"l_freq": None})
    table = read_table(out / "windows.tsv", text=("recording", "patient", "label"))
    signals = WindowedSignals.read(table, out / "windows.npy")
    found = window_fingerprints(signals.arrays, np.arange(len(table)))
    of = {patient: found[table["patient"] == patient] for patient in ("sub-01", "sub-06")}
    assert of["sub-06"].tolist() == of["sub-01"][2:8].tolist()
    whole = window_fingerprints(read_array(out / "windows.npy"), np.arange(len(table)))
    assert not set(whole[table["patient"] == "sub-06"]) & set(whole[table["patient"] == "sub-01"])
    settings = FoldsSettings(folds=3, n_folds=3, seed=1)
    with pytest.raises(InputError, match="leak: the same samples are in fold"):
        for seed in range(20):  # until the two are in different folds
            folds.run(
                settings.model_copy(update={"seed": seed}),
                out / "windows.tsv",
                out / "windows.npy",
                tmp_path / "folds.tsv",
                tmp_path / "leakage.json",
            )
