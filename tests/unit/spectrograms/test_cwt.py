"""The CWT agrees with PyWavelets and with direct numerical integration."""

import mne
import numpy as np
import pytest
import pywt
import torch

from bench.exact import exact_power, noise, relative_error
from eegwf.spectrograms.cwt import CWT

SFREQ = 256.0


def cwt(n_times=1280, **changes):
    grid = dict(sfreq=SFREQ, n_freqs=24, n_frames=40, f_min=1.0, f_max=64.0, cycles=6.0, tolerance=1e-4) | changes
    return CWT(n_times=n_times, **grid)


def power(module, x):
    return module(torch.from_numpy(x)[None, None])[0, 0].numpy()


def cell_means(values, n_frames, fine=1):
    """Means over equal cells of values with `fine` points per sample, shape (..., n_times * fine)."""
    return values.reshape(*values.shape[:-1], n_frames, -1).mean(-1)


@pytest.mark.parametrize("cycles", [4.0, 6.0, 12.0])
@pytest.mark.parametrize("freq", [3.0, 10.0, 31.7])
def test_power_of_a_sinusoid_agrees_with_pywavelets(cycles, freq):
    x = 20 * np.cos(2 * np.pi * freq * np.arange(2560) / SFREQ + 0.3)
    module = cwt(2560, cycles=cycles, f_min=2.0, output="power")
    center = cycles / (2 * np.pi)
    scales = center * SFREQ / module.freqs
    coefficients, _ = pywt.cwt(x, scales, f"cmor2.0-{center:.15f}", precision=16)
    # PyWavelets differentiates an integrated wavelet over one sample, which is a factor sinc(f / sfreq).
    amplitude = 2 * np.abs(coefficients) / np.sqrt(scales)[:, None] / np.sinc(freq / SFREQ)
    expected = cell_means(amplitude**2, 40)
    measured = power(module, x)
    inner = slice(16, 24)
    np.testing.assert_allclose(measured[:, inner], expected[:, inner], rtol=2e-3, atol=1e-4 * 400)


def test_power_of_noise_agrees_with_pywavelets():
    x = np.random.default_rng(1).normal(0, 30, 5120)
    module = cwt(5120, n_frames=20, f_min=2.0, f_max=32.0, output="power")
    center = 6 / (2 * np.pi)
    scales = center * SFREQ / module.freqs
    coefficients, _ = pywt.cwt(x, scales, f"cmor2.0-{center:.15f}", precision=16)
    amplitude = 2 * np.abs(coefficients) / np.sqrt(scales)[:, None] / np.sinc(module.freqs / SFREQ)[:, None]
    expected = cell_means(amplitude**2, 20)[:, 4:-4]
    decibels = 10 * np.log10(power(module, x)[:, 4:-4] / expected)
    assert np.abs(decibels).max() < 0.2


def test_power_agrees_with_the_convolution_integral():
    n_times, n_frames = 640, 16
    x = np.random.default_rng(2).normal(0, 30, n_times)
    module = cwt(n_times, n_frames=n_frames, n_freqs=6, f_min=4.0, f_max=30.0, output="power")
    mirrored = np.pad(x, n_times, mode="symmetric")
    t = (np.arange(-n_times, n_times + 1)) / SFREQ
    for freq, row in zip(module.freqs, power(module, x), strict=True):
        s = 6 / (2 * np.pi * freq)
        psi = np.exp(1j * 6 * t / s - (t / s) ** 2 / 2) / np.sqrt(2 * np.pi)
        w = 2 / s * np.convolve(mirrored, psi, mode="same")[n_times : 2 * n_times] / SFREQ
        # The module computes the mean over continuous time, which differs slightly from the mean of the samples.
        np.testing.assert_allclose(row, cell_means(np.abs(w) ** 2, n_frames), rtol=0.02, atol=0.01 * row.mean())


@pytest.mark.parametrize(("n_times", "n_frames"), [(1280, 40), (1279, 37), (1000, 100)])
def test_cells_are_means_over_continuous_time(n_times, n_frames):
    """The reference is the mean of 64 points per cell; cells need not contain a whole number of samples."""
    x = np.random.default_rng(3).normal(0, 30, n_times)
    module = cwt(n_times, n_frames=n_frames, output="power", f_max=100.0, tolerance=2e-5)
    spectrum = np.fft.fft(np.concatenate([x, x[::-1]]))
    freqs = np.arange(n_times) * SFREQ / (2 * n_times)
    fine = 64 * n_frames
    u = (np.arange(fine) + 0.5) * n_times / fine - 0.5  # samples
    waves = np.exp(2j * np.pi * np.outer(u, np.arange(n_times)) / (2 * n_times))
    decibels = []
    for freq, row in zip(module.freqs[::4], power(module, x)[::4], strict=True):
        gain = 2 * np.exp(-((6 * freqs / freq - 6) ** 2) / 2) * (freqs > 0)
        w = waves @ (spectrum[:n_times] * gain) / (2 * n_times)
        decibels.append(10 * np.log10((row + 1e-4) / (cell_means(np.abs(w) ** 2, n_frames) + 1e-4)))
    assert np.abs(decibels).max() < 0.05
    assert np.quantile(np.abs(decibels), 0.95) < 0.005


@pytest.mark.parametrize("cycles", [3.0, 6.0, 10.0])
def test_power_of_a_sinusoid_is_its_squared_amplitude_in_every_row(cycles):
    module = cwt(2560, cycles=cycles, f_min=2.0, n_freqs=12, output="power")
    np.testing.assert_allclose(module.freqs[1:] / module.freqs[:-1], 32 ** (1 / 11))
    t = np.arange(2560) / SFREQ
    for row, freq in enumerate(module.freqs):
        measured = power(module, 7 * np.sin(2 * np.pi * freq * t))
        np.testing.assert_allclose(measured[row, 14:26], 49, rtol=0.01)


def test_mean_of_a_window_has_no_effect():
    x = np.random.default_rng(4).normal(0, 30, 1280)
    module = cwt(output="power")
    np.testing.assert_allclose(power(module, x + 1000), power(module, x), rtol=1e-6, atol=1e-9)


def test_window_that_is_too_short_is_refused_and_the_suggested_f_min_works():
    with pytest.raises(ValueError, match=r"needs 2.7 s, a window has 1 s; choose f_min: ") as refusal:
        cwt(256)
    words = str(refusal.value).replace(",", "").split()
    f_min = float(words[words.index("choose") + 2])
    assert cwt(256, f_min=f_min)(torch.zeros(1, 1, 256)).shape == (1, 1, 24, 40)
    with pytest.raises(ValueError, match="choose f_min"):
        cwt(256, f_min=f_min - 0.01)
    with pytest.raises(ValueError, match="no f_min below f_max is possible, or use longer windows"):
        cwt(256, f_max=2.0)
    with pytest.raises(ValueError, match="f_min above 0"):
        cwt(f_min=0.0)
    with pytest.raises(ValueError, match="cycles"):
        cwt(cycles=0.0)


def full_size(**changes):
    return CWT(sfreq=SFREQ, n_times=5120, output="magnitude", **changes)


def rhythms(count):
    """Sinusoids of 30 uV from 3 to 100 Hz, as models of rhythms and mains interference."""
    t = np.arange(5120) / SFREQ
    return np.array([30 * np.sin(2 * np.pi * freq * t + freq) for freq in np.geomspace(3, 100, count)])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("x", "changes", "error", "worst_row", "decibels"),
    [
        (noise(0.0, (8, 5120), 1), {}, 0.003, 0.008, 0.1),
        (noise(1.0, (8, 5120), 2), {}, 0.003, 0.008, 0.1),
        (noise(2.0, (8, 5120), 3), {}, 0.003, 0.008, 0.1),
        (noise(1.0, (8, 5120), 4), {"wavelet": "morse", "cycles": 60**0.5}, 0.003, 0.008, 0.1),
        (noise(1.0, (8, 5120), 5), {"cycles": 10.0}, 0.003, 0.008, 0.1),
        (rhythms(8) + noise(1.0, (8, 5120), 6) / 10, {}, 0.005, 0.02, 1.0),
        (noise(1.0, (8, 5120), 7), {"tolerance": 1e-3}, 0.0003, 0.001, 0.02),
    ],
    ids=["white", "1/f", "1/f^2", "morse", "10 cycles", "rhythms in noise", "fine"],
)
def test_magnitude_agrees_with_the_exact_transform(x, changes, error, worst_row, decibels):
    """The reference multiplies the whole spectrum with that of the wavelet, in double precision.

    Windows and grid have the default sizes. Limits are for the error over all rows (Frobenius norm), the error of the
    worst row, and the error in dB of 99 of 100 cells.
    """
    module = full_size(**changes)
    assert module.freqs[-1] == SFREQ / 2
    expected = np.sqrt(exact_power(x, module, fine=64))
    measured = module(torch.from_numpy(x).float()[None])[0].numpy()
    assert relative_error(measured, expected) < error
    rows = np.linalg.norm(measured - expected, axis=(0, 2)) / np.linalg.norm(expected, axis=(0, 2))
    assert rows.max() < worst_row
    assert np.quantile(np.abs(20 * np.log10(measured / expected)), 0.99) < decibels


@pytest.mark.slow
def test_magnitude_of_real_eeg_agrees_with_the_exact_transform(data_root):
    """Neonatal EEG, average reference: its spectrum decreases steeply, with almost no power above 100 Hz."""
    mne.set_log_level("ERROR")
    module = full_size()
    files = sorted((data_root / "helsinki").glob("sub-*/eeg/*.edf"))[3::9]
    assert len(files) > 5
    for path in files:
        x = 1e6 * mne.io.read_raw_edf(path).get_data(picks="eeg")[:, :5120]
        x -= x.mean(axis=0)
        expected = np.sqrt(exact_power(x, module, fine=64))
        measured = module(torch.from_numpy(x).float()[None])[0].numpy()
        assert relative_error(measured, expected) < 0.002, path.name
        # Levels are compared above 40 dB below 1 uV, since EEG has no power below.
        levels = [20 * np.log10(magnitude + 0.01) for magnitude in (measured, expected)]
        assert np.quantile(np.abs(levels[0] - levels[1]), 0.99) < 0.75, path.name


@pytest.mark.slow
def test_only_dense_rows_are_interpolated():
    module = full_size()
    computed = sum(len(band.rows) for band in module.bands)
    assert computed < 80  # of 100, so the comparison with the exact transform includes interpolated rows
    assert sum(len(band.rows) for band in full_size(n_freqs=40).bands) == 40
    assert sum(len(band.rows) for band in full_size(tolerance=1e-4).bands) == 100


@pytest.mark.slow
def test_gradients_of_interpolated_rows_are_correct():
    module = CWT(sfreq=SFREQ, n_times=192, n_freqs=60, n_frames=1, f_min=20.0, f_max=60.0)
    assert sum(len(band.rows) for band in module.bands) == 30
    x = torch.from_numpy(np.random.default_rng(8).normal(0, 30, (1, 1, 192))).requires_grad_()
    assert torch.autograd.gradcheck(module, x)


def test_window_shorter_than_its_wavelets_is_mirrored_repeatedly():
    x = noise(0.0, (3, 200), 9)
    module = cwt(200, n_freqs=5, n_frames=3, f_min=3.5, f_max=20.0, output="power", tolerance=1e-5)
    assert max(band.beyond / (3 * band.points) for band in module.bands) > 1
    measured = module(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(measured, exact_power(x, module), rtol=2e-3)


def test_one_column_per_sample():
    """At this rate, the vectors of low-frequency rows are hundreds of samples long."""
    x = noise(1.0, (2, 1024), 10)
    module = CWT(sfreq=SFREQ, n_times=1024, n_freqs=6, hop=1 / SFREQ, f_min=1.0, f_max=60.0, output="magnitude")
    assert module.bands[0].beyond > 300
    expected = np.sqrt(exact_power(x, module, fine=8))
    assert relative_error(module(torch.from_numpy(x)[None])[0].numpy(), expected) < 0.005


@pytest.mark.parametrize(("n_freqs", "n_frames", "n_times"), [(1, 1, 999), (2, 7, 1000), (100, 3, 1001)])
def test_few_rows_or_columns_and_odd_window_lengths(n_freqs, n_frames, n_times):
    x = noise(0.0, (2, n_times), 11)
    module = cwt(n_times, n_freqs=n_freqs, n_frames=n_frames, f_min=3.0, output="magnitude", tolerance=0.01)
    expected = np.sqrt(exact_power(x, module))
    assert relative_error(module(torch.from_numpy(x)[None])[0].numpy(), expected) < 0.005


def test_long_cells_are_computed_in_parts():
    x = noise(1.0, (2, 5120), 12)
    module = full_size(n_frames=4, n_freqs=20)
    assert module.parts > 1
    expected = np.sqrt(exact_power(x, module))
    assert relative_error(module(torch.from_numpy(x)[None])[0].numpy(), expected) < 0.003


def test_wavelet_that_decays_too_slowly_is_refused():
    with pytest.raises(ValueError, match=r"cycles: 2.1 decays too slowly at .* for tolerance: 1e-05"):
        full_size(cycles=2.1, n_freqs=12, tolerance=1e-5)
    assert full_size(cycles=2.1, n_freqs=12)(torch.zeros(1, 1, 5120)).shape == (1, 1, 12, 100)


def test_tolerance_out_of_range_is_refused():
    for tolerance in (0.0, 1.0, -1.0):
        with pytest.raises(ValueError, match="tolerance"):
            cwt(tolerance=tolerance)
