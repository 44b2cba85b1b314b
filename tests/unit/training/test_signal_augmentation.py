"""Augmentation of signals, compared with numpy."""

import numpy as np
import pytest
import torch

from eegwf.config.training import Training
from eegwf.errors import InputError
from eegwf.training.signal_augmentation import (
    SignalAugmentation,
    add_electrode_noise,
    make_signal_augmentation,
    mix_background,
    rereference,
    stretch_time,
    tilt_spectrum,
)

SFREQ, N_TIMES = 128.0, 256
ELECTRODES = {"ch_names": ["C3", "Cz", "C4", "O1", "O2"], "sfreq": SFREQ}
SETTINGS = {
    "gain_db": 6.0,
    "tilt_db": 6.0,
    "electrode_noise": 0.5,
    "mirror": 0.5,
    "rereference": 0.5,
    "time_stretch": 0.2,
    "background_mix": 0.5,
}
X = 30 * torch.randn(400, 5, N_TIMES, generator=torch.Generator().manual_seed(0))
Y = torch.arange(400) % 3


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def augmented(**settings):
    return SignalAugmentation(Training(**settings), ELECTRODES)(X, Y)


def test_default_settings_make_no_augmentation():
    assert make_signal_augmentation(Training(), ELECTRODES) is None
    assert make_signal_augmentation(Training(), None) is None


@pytest.mark.parametrize("name", SETTINGS)
def test_stored_spectrograms_have_no_signals(name):
    with pytest.raises(InputError, match=rf"^training\.{name}: signals can't be .* spectrograms\.on_the_fly: true"):
        make_signal_augmentation(Training(**{name: SETTINGS[name]}), None)


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_changes_the_signals_and_repeats_with_the_seed(name):
    before, settings = X.clone(), {name: SETTINGS[name]}
    first = augmented(**settings)
    assert first.shape == X.shape and first.dtype == X.dtype and torch.isfinite(first).all()
    assert not torch.equal(first, X) and torch.equal(X, before)
    assert not torch.equal(augmented(**settings), first)
    torch.manual_seed(0)
    assert torch.equal(augmented(**settings), first)


def test_gain_is_uniform_in_decibels_and_common_to_the_channels():
    gain = 20 * np.log10(augmented(gain_db=6.0).numpy() / X.numpy())
    np.testing.assert_allclose(gain, np.broadcast_to(gain[:, :1, :1], gain.shape), atol=1e-3)
    drawn = gain[:, 0, 0]
    assert -6 <= drawn.min() < -5.5 and 5.5 < drawn.max() <= 6
    np.testing.assert_allclose(drawn.std(), 6 / np.sqrt(3), rtol=0.05)  # of a uniform distribution


def test_spectrum_is_tilted_linearly_over_the_logarithm_of_the_frequency():
    before, after = np.fft.rfft(X.numpy()), np.fft.rfft(tilt_spectrum(X, 8.0, SFREQ).numpy())
    freqs = np.fft.rfftfreq(N_TIMES, 1 / SFREQ)
    gain = 20 * np.log10(np.abs(after) / np.abs(before))
    gain = np.median(gain, axis=1)  # common to the channels
    # From 1 to 64 Hz are 6 octaves; 0 dB at 8 Hz.
    slope = gain[:, freqs == 64][:, 0] / 3
    expected = slope[:, None] * (np.log2(np.maximum(freqs, 1)) - 3)
    np.testing.assert_allclose(gain, expected, atol=0.01)
    assert np.abs(6 * slope).max() <= 8.01 and (6 * slope).min() < -7 and (6 * slope).max() > 7
    np.testing.assert_allclose(np.angle(after[..., 1:-1] / before[..., 1:-1]), 0, atol=1e-3)


def test_noise_is_white_relative_to_the_channel_and_on_a_fifth_of_the_channels():
    x = X * torch.tensor([1.0, 2.0, 5.0, 10.0, 20.0])[:, None]
    added = (add_electrode_noise(x, 0.5) - x).numpy()
    level = added.std(axis=2) / x.numpy().std(axis=2)
    changed = added.any(axis=2)
    assert changed.mean() == pytest.approx(0.2, abs=0.03)
    assert level.max() < 0.6 and level[changed].mean() == pytest.approx(0.25, abs=0.02)
    noisy = added[level > 0.05]
    power = (np.abs(np.fft.rfft(noisy / noisy.std(axis=1, keepdims=True)))[:, 1:-1] ** 2).mean(axis=0)
    assert power.std() / power.mean() < 0.1


def test_mirror_exchanges_left_and_right_in_the_chosen_windows():
    out = augmented(mirror=0.3).numpy()
    exchanged = X.numpy()[:, [2, 1, 0, 4, 3]]
    is_changed = (out == exchanged).all(axis=(1, 2))
    assert is_changed.mean() == pytest.approx(0.3, abs=0.07)
    np.testing.assert_array_equal(out[~is_changed], X.numpy()[~is_changed])
    np.testing.assert_array_equal(augmented(mirror=1.0).numpy(), exchanged)


def test_reference_becomes_the_average_or_one_of_the_channels():
    x = X.numpy()
    out = rereference(X, 0.8).numpy()
    references = [np.zeros((400, N_TIMES), np.float32), x.mean(axis=1), *x.transpose(1, 0, 2)]
    errors = [np.abs(out - (x - reference[:, None])).max(axis=(1, 2)) for reference in references]
    assert np.min(errors, axis=0).max() < 1e-3
    counts = np.bincount(np.argmin(errors, axis=0), minlength=7) / 400
    np.testing.assert_allclose(counts, [0.2, 0.4, *5 * [0.08]], atol=0.07)


def test_time_is_stretched_about_the_center():
    time = np.arange(N_TIMES) - (N_TIMES - 1) / 2
    # The first channel is a ramp, which linear interpolation represents exactly, and which shows the duration.
    x = X.clone()
    x[:, 0] = torch.from_numpy(time)
    out = stretch_time(x, 0.2).numpy()
    middle = slice(N_TIMES // 2 - 20, N_TIMES // 2 + 20)
    durations = np.array([1 / np.polyfit(time[middle], row[middle], 1)[0] for row in out[:, 0]])
    assert 0.8 <= durations.min() < 0.82 and 1.18 < durations.max() <= 1.2001
    for window, duration, given in zip(out[:20], durations, x.numpy(), strict=False):
        padded = np.pad(given, ((0, 0), (100, 100)), mode="reflect")
        position = np.arange(-100, N_TIMES + 100) - (N_TIMES - 1) / 2
        expected = [np.interp(time / duration, position, channel) for channel in padded]
        np.testing.assert_allclose(window, expected, atol=0.05)


def test_background_of_another_window_is_added():
    mixed = mix_background(X, Y, 0.5).numpy() - X.numpy()
    backgrounds = X.numpy()[Y.numpy() == 0]
    flat = backgrounds.reshape(len(backgrounds), -1)
    weights = (mixed.reshape(400, -1) @ flat.T) / (flat**2).sum(axis=1)
    partner = weights.argmax(axis=1)
    weight = weights[np.arange(400), partner]
    assert weight.max() <= 0.5 and weight.mean() == pytest.approx(0.25, abs=0.03)
    np.testing.assert_allclose(mixed, weight[:, None, None] * backgrounds[partner], atol=0.02)
    own = np.flatnonzero(Y.numpy() == 0)[partner] == np.arange(400)
    assert not own.any() and len(set(partner)) > 80


def test_without_another_background_window_nothing_is_added():
    for label in (torch.ones(4, dtype=torch.long), torch.tensor([0, 1, 1, 2])):
        out = mix_background(X[:4], label, 0.5)
        alone = label == 0 if (label == 0).any() else label == label
        assert torch.equal(out[alone], X[:4][alone])
    assert not torch.equal(mix_background(X[:4], torch.tensor([0, 1, 1, 2]), 0.5)[1:], X[1:4])


def test_derivations_have_no_common_reference():
    axes = {"ch_names": ["Fp1-F7", "Fp2-F8"], "sfreq": SFREQ}
    with pytest.raises(InputError, match=r"training\.rereference: Fp1-F7, Fp2-F8 do not depend on the reference"):
        SignalAugmentation(Training(rereference=0.1), axes)
    average = {"ch_names": ["Fp1-Avg", "Fp2-Avg"], "sfreq": SFREQ}
    assert SignalAugmentation(Training(rereference=0.1), average)
