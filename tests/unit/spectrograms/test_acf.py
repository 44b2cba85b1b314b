"""The autocorrelation agrees with direct sums; it shows repetition, and is independent of the gain."""

import numpy as np
import pytest
import torch
from scipy.signal import resample, sawtooth

from eegwf.config.spectrograms import Acf
from eegwf.errors import InputError
from eegwf.spectrograms.acf import ACF
from eegwf.spectrograms.axes import frame_starts, mirror
from eegwf.spectrograms.transforms import make_transform

SFREQ = 64.0


def noise(n_times):
    return np.random.default_rng(n_times).normal(0, 30, n_times)


def acf(n_times=640, **changes):
    grid = dict(sfreq=SFREQ, n_freqs=16, n_frames=20, f_min=0.5, f_max=8.0, window=3.0) | changes
    return ACF(n_times=n_times, **grid)


def frames_of(x, n_frames, length):
    """Frames of a signal, without their means, shape (n_frames, length)."""
    starts = frame_starts(len(x), n_frames, length)
    frames = x[mirror(starts[:, None] + np.arange(length), len(x))]
    return frames - frames.mean(axis=1, keepdims=True)


def direct(frame, lag):
    """Unbiased autocorrelation at a whole number of samples, by its definition."""
    products = [frame[k] * frame[k + lag] for k in range(len(frame) - lag)]
    return np.mean(products) / np.mean(frame**2)


@pytest.mark.parametrize(("n_times", "n_frames", "window"), [(640, 20, 3.0), (641, 17, 2.5), (500, 7, 3.11)])
def test_agrees_with_direct_sums_at_whole_lags(n_times, n_frames, window):
    x = noise(n_times)
    # Lags of 64, 32, 16 and 8 samples.
    module = acf(n_times, n_freqs=4, n_frames=n_frames, f_min=1.0, f_max=8.0, window=window, floor=1e-12)
    frames = frames_of(x, n_frames, round(window * SFREQ))
    expected = [[direct(frame, lag) for frame in frames] for lag in (64, 32, 16, 8)]
    measured = module(torch.from_numpy(x)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(module.freqs, [1, 2, 4, 8])
    np.testing.assert_allclose(measured, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("lag", [10.05, 25.35, 63.5, 100.9])
def test_agrees_with_direct_sums_of_the_interpolated_frame_between_samples(lag):
    x, fine = noise(640), 20
    # Padded to 405 samples, so that no component at half of the sampling rate, whose phase is unknown, is interpolated.
    module = acf(n_freqs=1, f_min=SFREQ / lag, window=201 / SFREQ, floor=1e-12)
    measured = module(torch.from_numpy(x)[None, None])[0, 0, 0].numpy()
    for frame, value in zip(frames_of(x, 20, 201), measured, strict=True):
        # SciPy interpolates the frame and the zeros after it at every twentieth of a sample.
        signal = resample(np.pad(frame, (0, 204)), 405 * fine)
        products = np.sum(signal * np.roll(signal, -round(lag * fine))) / fine
        assert value == pytest.approx(products / (201 - lag) / np.mean(frame**2), abs=1e-10)


@pytest.mark.parametrize("wave", [np.sin, lambda phase: sawtooth(phase, 0.2)], ids=["sinusoid", "sawtooth"])
def test_a_rhythm_has_a_maximum_at_its_rate_and_at_its_subharmonics(wave):
    rate, t = 4.0, np.arange(640) / SFREQ
    module = acf(n_freqs=257)
    values = module(torch.from_numpy(20 * wave(2 * np.pi * rate * t))[None, None])[0, 0].numpy()
    inner = values[:, 6:-6].mean(axis=1)
    peaks = [row for row in range(1, 256) if inner[row] > max(inner[row - 1], inner[row + 1], 0.9)]
    found = module.freqs[peaks]
    expected = [rate / n for n in range(7, 0, -1)]
    np.testing.assert_allclose(found, expected, rtol=0.01)
    assert inner[peaks[-1]] == pytest.approx(1, abs=0.02)


def test_white_noise_has_the_autocorrelation_of_its_band():
    module = acf(64000, n_frames=1000)
    means = module(torch.from_numpy(noise(64000))[None, None])[0, 0].mean(dim=1).numpy()
    # The sinc function is the Fourier transform of a band up to half of the sampling rate.
    np.testing.assert_allclose(means, np.sinc(SFREQ / module.freqs), rtol=0, atol=0.03)


def test_the_gain_and_the_offset_have_no_effect():
    x = torch.from_numpy(noise(640))[None, None]
    expected = acf()(x)
    for gain in (0.1, -3.0, 1000.0):
        torch.testing.assert_close(acf()(gain * x + 50), expected, atol=1e-3, rtol=0)
    # In single precision too, as in the files.
    torch.testing.assert_close(acf()((7 * x).float()).double(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("level", [0.0, 0.1, -3000.0])
def test_a_flat_signal_is_0(level):
    values = acf()(torch.full((1, 2, 640), level))
    assert values.abs().max() < 1e-3 and not torch.isnan(values).any()


def test_the_values_are_at_most_about_1():
    values = acf(n_freqs=50)(torch.from_numpy(noise(640).cumsum())[None, None])
    assert values.abs().max() < 2


def test_the_rates_are_evenly_spaced_in_the_logarithm():
    module = acf(n_freqs=9)
    np.testing.assert_allclose(np.diff(np.log2(module.freqs)), 0.5)
    assert (module.freqs[0], module.freqs[-1]) == (0.5, 8.0)


def test_gradients_are_correct():
    module = acf(60, sfreq=20.0, n_freqs=3, n_frames=4, f_min=2.0, f_max=9.0, window=0.8)
    x = torch.from_numpy(noise(60))[None, None].requires_grad_()
    assert torch.autograd.gradcheck(module, x)
    flat = torch.zeros(1, 1, 60, dtype=torch.float64, requires_grad=True)
    module(flat).sum().backward()
    assert torch.isfinite(flat.grad).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"f_min": 0.4}, "acf: a frame of 3 s is shorter than 1.5 periods of f_min: 0.4 Hz; choose window: 3.75 or "),
        ({"f_min": 0.1}, "1.5 periods of f_min: 0.1 Hz; choose f_min: 0.5 or higher"),
        ({"f_min": 0.0}, "f_min is 0 Hz, .*; choose f_min above 0"),
        ({"window": 11.0}, "the frame of 11 s is longer than the 10 s to transform; choose window: 10 or shorter"),
        ({"window": 0.01}, "a frame of 0.01 s has 1 samples at 64 Hz"),
        ({"f_max": 33.0}, "f_max 33 Hz is above half of the sampling rate"),
        ({"floor": 0.0}, "floor"),
    ],
)
def test_invalid_parameters_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        acf(**changes)


def test_the_proposed_values_are_accepted():
    assert acf(f_min=0.4, window=3.75).freqs[0] == 0.4
    with pytest.raises(InputError, match=r"^config spectrograms.acf: the frame of 3 s is longer than the 2 s"):
        make_transform("acf", Acf(), SFREQ, 128)


def test_bits_of_a_window_do_not_depend_on_its_place_in_a_batch():
    """The frames of 3 or 13 signals, which are transformed together, are no multiple of the rows of a vector unit."""
    torch.set_num_threads(1)
    windows = torch.from_numpy(np.random.default_rng(0).normal(0, 30, (16, 20, 1024)).cumsum(2).astype(np.float32))
    transform = ACF(sfreq=128.0, n_times=1024, n_freqs=8, n_frames=10, check_finite=False)
    signals = windows.flatten(0, 1)
    for count in (3, 13):
        block = count * 2 * transform.n_frames * transform.n_fft
        found, turned = transform._transform(signals, block), transform._transform(signals.flip(0), block)
        assert torch.equal(found, turned.flip(0))
