"""Mel filters agree with their definition and with librosa, mel spectrograms with SciPy and librosa."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.signal import ShortTimeFFT, get_window

from eegwf.spectrograms.axes import frame_starts
from eegwf.spectrograms.filters import hz_to_mel, mel_filters, mel_to_hz
from eegwf.spectrograms.mel import Mel
from eegwf.spectrograms.stft import STFT

# Written by fixtures/make_mel.py with librosa 0.11.0.
FIXTURE = Path(__file__).with_name("fixtures") / "mel.npz"
CASES = ["256-512-40-0.5-64", "256-255-20-1-128", "200-400-30-0.5-70", "8000-512-30-20-4000"]


def mel(n_times=1280, **changes):
    grid = dict(sfreq=256.0, n_freqs=40, n_frames=40, f_min=0.5, f_max=64.0, window=2.0) | changes
    return Mel(n_times=n_times, **grid)


def defined_filters(sfreq, n_fft, n_freqs, f_min, f_max):
    """Slaney's triangular filters by their definition, one bin at a time."""

    def to_mel(f):
        return 3 * f / 200 if f < 1000 else 15 + 27 * math.log(f / 1000) / math.log(6.4)

    def to_hz(m):
        return 200 * m / 3 if m < 15 else 1000 * 6.4 ** ((m - 15) / 27)

    step = (to_mel(f_max) - to_mel(f_min)) / (n_freqs + 1)
    filters = np.zeros((n_freqs, n_fft // 2 + 1))
    for row in range(n_freqs):
        low, peak, high = (to_hz(to_mel(f_min) + (row + i) * step) for i in range(3))
        for k in range(n_fft // 2 + 1):
            f = k * sfreq / n_fft
            if low < f <= peak:
                filters[row, k] = (f - low) / (peak - low) * 2 / (high - low)
            elif peak < f < high:
                filters[row, k] = (high - f) / (high - peak) * 2 / (high - low)
    return filters


@pytest.mark.parametrize("case", CASES)
def test_filters_agree_with_their_definition_and_librosa(case):
    sfreq, n_fft, n_freqs, f_min, f_max = (float(part) for part in case.split("-"))
    arguments = sfreq, int(n_fft), int(n_freqs), f_min, f_max
    filters = mel_filters(*arguments)
    np.testing.assert_allclose(filters, defined_filters(*arguments), rtol=0, atol=1e-12)
    with np.load(FIXTURE) as fixture:
        np.testing.assert_allclose(filters, fixture[case], rtol=0, atol=1e-6 * filters.max())


def test_mel_scale_is_linear_below_1_khz_and_invertible():
    freqs = np.array([0.0, 0.5, 64, 999.9, 1000, 1000.1, 4000])
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(freqs)), freqs, rtol=1e-12)
    np.testing.assert_allclose(hz_to_mel([0, 500, 1000, 6400]), [0, 7.5, 15, 42])
    np.testing.assert_allclose(np.diff(mel().freqs), 63.5 / 41)


@pytest.mark.parametrize(("sfreq", "window", "n_times"), [(256.0, 2.0, 1280), (250.0, 1.5, 1251)])
def test_mel_agrees_with_the_filtered_density_of_scipy(sfreq, window, n_times):
    x = np.random.default_rng(1).normal(0, 30, n_times)
    length = round(window * sfreq)
    measured = mel(n_times, sfreq=sfreq, window=window, f_min=1.0, output="power")(torch.from_numpy(x)[None, None])[
        0, 0
    ]
    reference = ShortTimeFFT(get_window("hann", length), hop=1, fs=sfreq, scale_to="psd", fft_mode="onesided2X")
    densities = reference.spectrogram(np.pad(x, length, mode="reflect"))
    starts = frame_starts(n_times, 40, length)
    density = densities[:, starts + length + length // 2 - reference.p_min]
    expected = defined_filters(sfreq, length, 40, 1.0, 64.0) @ density * sfreq / length
    np.testing.assert_allclose(measured.numpy(), expected, rtol=1e-9)


def test_mel_agrees_with_librosa_up_to_the_unit():
    with np.load(FIXTURE) as fixture:
        signal, expected = fixture["signal"], fixture["spectrogram"]
    measured = mel(2560, f_min=1.0, f_max=100.0, output="power")(torch.from_numpy(signal)[None, None])[0, 0].numpy()
    # Frames begin every 64 samples from -224 on, so frames from the fifth on are those of librosa.
    assert frame_starts(2560, 40, 512)[4] == 32
    unit = 2 / (256 * np.sum(get_window("hann", 512) ** 2)) * 256 / 512
    # The filters of librosa are in single precision.
    np.testing.assert_allclose(measured[:, 4 : 4 + expected.shape[1]], expected * unit, rtol=1e-6)


def test_white_noise_has_the_same_level_in_mel_and_stft():
    x = torch.from_numpy(np.random.default_rng(2).normal(0, 30, (50, 1, 1280)))
    density = 30**2 / 128  # uV^2/Hz
    grid = dict(sfreq=256.0, n_times=1280, n_freqs=40, n_frames=40, f_min=2, f_max=120, output="power")
    for module in (Mel(window=4.0, **grid), STFT(window=1.0, **grid)):
        assert float(module(x).mean()) == pytest.approx(density, rel=0.03)


def test_empty_filters_are_refused_and_the_suggested_values_work():
    with pytest.raises(ValueError, match=r"filters .* empty; choose n_freqs: ") as refusal:
        mel(n_freqs=100, window=0.5, f_min=2.0)
    words = str(refusal.value).split()
    fewer, window = int(words[words.index("n_freqs:") + 1]), float(words[words.index("window:") + 1])
    assert mel(n_freqs=fewer, window=0.5, f_min=2.0).filters.amax(1).min() > 0
    assert mel(n_freqs=100, window=window, f_min=2.0).filters.amax(1).min() > 0
    with pytest.raises(ValueError, match="empty"):
        mel(n_freqs=fewer + 1, window=0.5, f_min=2.0)
    # No possible Hann window is long enough, so only the number of filters is suggested.
    with pytest.raises(ValueError, match=r"choose n_freqs: \d+$"):
        mel(n_freqs=1024)
    # Even a single filter would lie between two bins.
    with pytest.raises(ValueError, match="choose a wider range"):
        mel(n_freqs=2, f_min=10.01, f_max=10.02)
