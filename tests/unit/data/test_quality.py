"""Quality of the channels of a recording, against signals of known quality."""

import math

import numpy as np
import pytest

from eegwf.data.quality import QualityMeter

SFREQ, SECONDS = 256.0, 40
TIME = np.arange(int(SFREQ * SECONDS)) / SFREQ


def noise(n_chans=4, seed=0):
    return 30 * np.random.default_rng(seed).normal(size=(n_chans, len(TIME)))


def quality_of(signal, sfreq=SFREQ, block=10 * 256):
    meter = QualityMeter(len(signal), sfreq)
    for start in range(0, signal.shape[1], block):
        meter.add(signal[:, start : start + block].astype(np.float32))
    return meter.result()


def test_white_noise_has_the_share_of_the_band_and_no_correlation():
    quality = quality_of(noise())
    assert quality.flat == 0
    # 49 to 51 Hz or 59 to 61 Hz are 3 of the 128 frequencies from 1 Hz on.
    assert quality.line_noise == pytest.approx(3 / 128, rel=0.1)
    assert quality.correlation < 0.15


@pytest.mark.parametrize("line", [50, 60])
def test_line_noise_is_that_of_the_worst_channel(line):
    signal = noise()
    signal[2] += 30 * np.sqrt(2) * np.sin(2 * np.pi * line * TIME)
    assert quality_of(signal).line_noise == pytest.approx(0.5, abs=0.02)
    assert math.isnan(quality_of(noise()[:, ::4], 64.0, 640).line_noise), "half of the rate is below 50 Hz"


def test_flat_seconds_are_counted_once_whatever_the_number_of_channels():
    signal = noise()
    signal[1, : 10 * 256] = 5.0
    signal[2, : 4 * 256] = -3.0
    signal[3, 20 * 256 : 21 * 256 + 100] = 0.0
    assert quality_of(signal).flat == pytest.approx(11 / 40)
    assert quality_of(np.zeros((2, 2560))).flat == 1


def test_correlation_is_that_of_the_channel_without_neighbors():
    shared = noise(1, 5)
    signal = np.concatenate([shared + 0.5 * noise(3, 6), -shared + 0.5 * noise(1, 7)])
    expected = 1 / 1.25  # of two channels with the common part
    assert quality_of(signal).correlation == pytest.approx(expected, abs=0.05)
    signal[0] = noise(1, 8)
    assert quality_of(signal).correlation < 0.15


def test_short_blocks_and_single_channels_are_undefined():
    assert all(math.isnan(value) for value in vars(quality_of(noise()[:, :100])).values())
    single = quality_of(noise(1))
    assert math.isnan(single.correlation) and single.flat == 0


def test_quality_does_not_depend_on_the_blocks_of_whole_seconds():
    signal = noise(seed=3)
    first, second = quality_of(signal, block=256), quality_of(signal, block=40 * 256)
    assert vars(first) == pytest.approx(vars(second), rel=1e-4)
