"""Classical features compared with numpy and scipy: fine bands, measures of the time series, statistics of channels."""

import itertools

import numpy as np
import pytest
import torch
from scipy import signal

from eegwf.models.classical_features import STATISTICS, TIME_FEATURES, ClassicalFeatures, pool, rhythm, time_features

RNG = np.random.default_rng(0)
SFREQ = 128.0


def features_of(x, **parameters):
    """Features of the windows `(n_windows, n_chans, n_freqs, n_frames)`."""
    module = ClassicalFeatures(*x.shape[1:], **{"sfreq": SFREQ, **parameters})
    found = module(torch.tensor(x, dtype=torch.float32))
    assert found.shape == (len(x), *module.shape)
    return found.numpy()


def series(n_chans=3, n_times=512):
    return RNG.normal(0, 20, (4, n_chans, 1, n_times)).cumsum(axis=3) / 4


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def test_fine_bands_are_half_octaves_up_to_the_highest_frequency():
    x = series()
    freqs, density = signal.periodogram(x[:, :, 0], SFREQ, window="hann", detrend="constant")
    power = density * SFREQ / 2
    power[..., -1] *= 2  # the density at the Nyquist frequency is not doubled
    edges = [0.5 * 2 ** (number / 2) for number in range(16)]
    assert edges[-2] == SFREQ / 2
    expected = [power[..., (freqs >= low) & (freqs < high)].mean(axis=2) for low, high in itertools.pairwise(edges)]
    np.testing.assert_allclose(features_of(x, bands="fine"), np.log(np.stack(expected, axis=2)), atol=1e-4)


def test_fine_bands_of_a_spectrogram_without_a_frequency_are_left_out():
    freqs = [1.0, 1.1, 3.0, 30.0, 50.0]  # of 14 half octaves up to 64 Hz, these are in 4
    x = RNG.normal(0, 5, (2, 2, 5, 6))
    found = features_of(x, bands="fine", freqs=freqs)
    power = np.log((10 ** (x / 10)).mean(axis=3))
    assert found.shape == (2, 2, 4)
    np.testing.assert_allclose(found[..., 1:], power[..., 2:], atol=1e-5)
    relative = features_of(x, bands="fine", freqs=freqs, relative=True)
    np.testing.assert_allclose(np.exp(relative).sum(axis=2), 1, atol=1e-5)
    with pytest.raises(ValueError, match=r"no band contains a frequency of the input, 0\.1 to 0\.4 Hz"):
        features_of(x, bands="fine", freqs=[0.1, 0.2, 0.3, 0.35, 0.4])


def test_time_features_equal_their_definitions():
    x = series() + 30.0
    found = features_of(x, time_features=True)
    assert found.shape == (4, 3, 5 + len(TIME_FEATURES))
    np.testing.assert_array_equal(found[..., :5], features_of(x))
    y = x[:, :, 0] - x[:, :, 0].mean(axis=2, keepdims=True)
    slope = np.diff(y, axis=2)
    mobility = slope.std(axis=2) / y.std(axis=2)
    expected = [
        np.abs(slope).mean(axis=2),
        np.sqrt((y**2).mean(axis=2)),
        mobility,
        np.diff(slope, axis=2).std(axis=2) / slope.std(axis=2) / mobility,
        np.abs(y[..., 1:-1] ** 2 - y[..., :-2] * y[..., 2:]).mean(axis=2),
    ]
    np.testing.assert_allclose(found[..., 5:-1], np.log(np.stack(expected, axis=2)), atol=1e-4)
    np.testing.assert_allclose(found[..., -1], np.apply_along_axis(autocorrelation_peak, 2, y), atol=1e-4)


def autocorrelation_peak(y):
    correlation = signal.correlate(y, y, method="direct")[len(y) - 1 :] / np.arange(len(y), 0, -1) / y.var()
    from_crossing = correlation[: len(y) // 2 + 1][np.argmax(correlation < 0) :]
    return np.clip(from_crossing.max(), 0, 1)


def test_rhythm_separates_repeated_waves_from_noise_at_every_gain():
    times = np.arange(1024) / SFREQ
    spikes = signal.sawtooth(2 * np.pi * 1.5 * times, width=0.1)
    noise = RNG.normal(0, 1, (20, len(times)))
    for gain in (1e-1, 1.0, 1e3):
        series = gain * np.stack([spikes, *noise])
        found = rhythm(torch.tensor(series - series.mean(axis=1, keepdims=True)))
        assert found[0] > 0.95
        assert found[1:].max() < 0.5
    assert rhythm(torch.zeros(2, 100)).tolist() == [0, 0]


def test_time_features_of_a_sine_have_known_values():
    hertz, amplitude = 5.0, 40.0
    omega = 2 * np.pi * hertz / 1024
    sine = torch.from_numpy(amplitude * np.sin(omega * np.arange(4096)))
    length, rms, mobility, complexity, energy = time_features(sine)[:-1].exp().tolist()
    assert length == pytest.approx(amplitude * omega * 2 / np.pi, rel=1e-3)
    assert rms == pytest.approx(amplitude / 2**0.5, rel=1e-3)
    assert mobility == pytest.approx(omega, rel=1e-3) and complexity == pytest.approx(1, rel=1e-3)
    assert energy == pytest.approx(amplitude**2 * np.sin(omega) ** 2, rel=1e-3)


def test_time_features_do_not_apply_to_spectrograms():
    x, freqs = RNG.normal(0, 5, (2, 2, 4, 6)), [1.0, 5.0, 10.0, 20.0]
    np.testing.assert_array_equal(features_of(x, freqs=freqs, time_features=True), features_of(x, freqs=freqs))


@pytest.mark.parametrize("n_chans", [1, 2, 5, 6])
def test_pooled_features_are_statistics_over_channels(n_chans):
    x = series(n_chans)
    each = features_of(x, bands="fine", time_features=True)
    found = features_of(x, bands="fine", time_features=True, channels="pooled")
    functions = (np.mean, np.std, np.min, np.median, np.max)
    expected = np.stack([function(each, axis=1) for function in functions], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.shape[1] == len(STATISTICS)
    order = np.random.default_rng(1).permutation(n_chans)
    shuffled = features_of(x[:, order], bands="fine", time_features=True, channels="pooled")
    np.testing.assert_allclose(shuffled, found, atol=1e-5)


def test_stacked_spectrograms_are_pooled_separately():
    freqs = [[1.0, 5.0, 10.0, 20.0], [1.5, 6.0, 11.0, 25.0]]
    x = RNG.normal(0, 5, (2, 6, 4, 6))
    found = features_of(x, freqs=freqs, channels="pooled")
    parts = [
        features_of(part, freqs=[own], channels="pooled") for part, own in zip(np.split(x, 2, 1), freqs, strict=True)
    ]
    np.testing.assert_allclose(found, np.concatenate(parts, axis=1), atol=1e-6)


def test_features_of_flat_and_equal_channels_have_finite_values_and_gradients():
    x = torch.full((2, 3, 1, 64), 7.0)
    x[1] = torch.randn(64, generator=torch.Generator().manual_seed(0))  # the same in all channels
    x.requires_grad_()
    module = ClassicalFeatures(3, 1, 64, sfreq=64.0, time_features=True, channels="pooled")
    found = module(x)
    (gradient,) = torch.autograd.grad(found.sum(), x)
    assert found.isfinite().all() and gradient.isfinite().all() and gradient[1].abs().max() > 0


def test_pooling_keeps_the_other_axes():
    x = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(pool(x, 1), pool(x.mT, 2).mT)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"bands": "wide"}, "unknown bands 'wide'; expected classical or fine"),
        ({"channels": "all"}, "unknown channels 'all'; expected each or pooled"),
        ({"time_features": True}, "windows have 2 samples; expected 3 or more"),
    ],
)
def test_invalid_parameters_are_rejected(parameters, message):
    with pytest.raises(ValueError, match=message):
        ClassicalFeatures(2, 1, 2, sfreq=10.0, **parameters)
