"""Samples of the EEG in a report: those of the windows on disk, to the quantization step."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eegwf.report.eeg_samples import MISSING, WindowSamples, cut_snippet, packed, quantize, unpacked


@st.composite
def recordings(draw):
    """A signal, the starts of windows of it (in any order, overlapping or with gaps), and a stretch."""
    n_times, length = draw(st.integers(20, 120)), draw(st.integers(1, 15))
    starts = draw(st.lists(st.integers(0, n_times - length), min_size=1, max_size=20))
    seed, scale = draw(st.integers(0, 1000)), draw(st.sampled_from([1e-3, 1.0, 300.0]))
    first, size = draw(st.integers(-10, n_times)), draw(st.integers(1, 80))
    signal = np.random.default_rng(seed).normal(0, scale, (3, n_times)).astype(np.float16)
    return signal, starts, length, first, size


def source_of(signal, starts, length, sfreq=10.0):
    """The windows of a signal as a study has them, after one of another recording."""
    windows = pd.DataFrame({"recording": ["other", *["a"] * len(starts)], "onset": np.array([0, *starts]) / sfreq})
    samples = [np.full((len(signal), length), 999, np.float16), *(signal[:, at : at + length] for at in starts)]
    return WindowSamples(np.stack(samples), sfreq, ["x", "y", "z"], windows.assign(window=range(len(windows))))


@settings(max_examples=150, deadline=None)
@given(recordings())
def test_a_stretch_is_the_signal_wherever_a_window_is_and_missing_elsewhere(case):
    signal, starts, length, first, size = case
    snippet = cut_snippet(source_of(signal, starts, length), "a", first / 10, size / 10)
    covered = {time for at in starts for time in range(at, at + length)}
    voltage = snippet.voltage()
    assert voltage.shape == (3, size) and snippet.start == first / 10
    for column in range(size):
        if first + column in covered:
            difference = np.abs(voltage[:, column] - signal[:, first + column].astype(float))
            assert difference.max() <= snippet.step * 0.5001
        else:
            assert np.isnan(voltage[:, column]).all()
    assert (unpacked(packed(snippet.values), 3) == snippet.values).all()


@pytest.mark.parametrize("scale", [1e-3, 20.0, 6e4])
def test_the_step_is_small_beside_the_signal_and_its_largest_value_is_kept(scale):
    signal = np.random.default_rng(0).normal(0, 1, (4, 3000))
    signal[0, 7] = 400  # an artifact
    signal[2, :5] = np.nan
    signal = (scale * signal / 400).astype(np.float32)
    values, step = quantize(signal)
    assert values.dtype == np.int16 and (values[2, :5] == MISSING).all() and (values != MISSING).sum() == 12000 - 5
    np.testing.assert_allclose(values[0, 7] * step, signal[0, 7], atol=0.5001 * step)
    assert step < np.nanstd(signal[1]) / 49


def test_constant_infinite_and_missing_samples():
    values, step = quantize(np.array([[0.0, np.nan], [0.0, 0.0]], np.float32))
    assert values.tolist() == [[0, MISSING], [0, 0]] and step > 0
    values, step = quantize(np.array([[np.inf, 1.0]], np.float32))  # float16 has no numbers above 65504
    assert values[0, 0] == MISSING and abs(values[0, 1] * step - 1) <= step / 2
    values, _ = quantize(np.full((2, 3), np.nan, np.float32))
    assert (values == MISSING).all()


def test_int16_differences_wrap():
    values = np.array([[32767, -32768, 32767, 0, -32767]], np.int16)
    assert (unpacked(packed(values), 1) == values).all()
