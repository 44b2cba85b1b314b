"""CWT against PyWavelets and against the integral written out."""

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
    """Means over equal cells of values at `fine` points a sample, shape (..., n_times * fine)."""
    return values.reshape(*values.shape[:-1], n_frames, -1).mean(-1)


@pytest.mark.parametrize("cycles", [4.0, 6.0, 12.0])
@pytest.mark.parametrize("freq", [3.0, 10.0, 31.7])
def test_a_sinusoid_is_what_pywavelets_says(cycles, freq):
    x = 20 * np.cos(2 * np.pi * freq * np.arange(2560) / SFREQ + 0.3)
    module = cwt(2560, cycles=cycles, f_min=2.0, output="power")
    centre = cycles / (2 * np.pi)
    scales = centre * SFREQ / module.freqs
    coefficients, _ = pywt.cwt(x, scales, f"cmor2.0-{centre:.15f}", precision=16)
    # PyWavelets differentiates an integrated wavelet over one sample, a factor sinc(f / sfreq)
    amplitude = 2 * np.abs(coefficients) / np.sqrt(scales)[:, None] / np.sinc(freq / SFREQ)
    expected = cell_means(amplitude**2, 40)
    found = power(module, x)
    inner = slice(16, 24)
    np.testing.assert_allclose(found[:, inner], expected[:, inner], rtol=2e-3, atol=1e-4 * 400)


def test_noise_is_what_pywavelets_says():
    x = np.random.default_rng(1).normal(0, 30, 5120)
    module = cwt(5120, n_frames=20, f_min=2.0, f_max=32.0, output="power")
    centre = 6 / (2 * np.pi)
    scales = centre * SFREQ / module.freqs
    coefficients, _ = pywt.cwt(x, scales, f"cmor2.0-{centre:.15f}", precision=16)
    amplitude = 2 * np.abs(coefficients) / np.sqrt(scales)[:, None] / np.sinc(module.freqs / SFREQ)[:, None]
    expected = cell_means(amplitude**2, 20)[:, 4:-4]
    decibels = 10 * np.log10(power(module, x)[:, 4:-4] / expected)
    assert np.abs(decibels).max() < 0.2


def test_it_is_the_integral_written_out():
    n_times, n_frames = 640, 16
    x = np.random.default_rng(2).normal(0, 30, n_times)
    module = cwt(n_times, n_frames=n_frames, n_freqs=6, f_min=4.0, f_max=30.0, output="power")
    mirrored = np.pad(x, n_times, mode="symmetric")
    t = (np.arange(-n_times, n_times + 1)) / SFREQ
    for freq, row in zip(module.freqs, power(module, x), strict=True):
        s = 6 / (2 * np.pi * freq)
        psi = np.exp(1j * 6 * t / s - (t / s) ** 2 / 2) / np.sqrt(2 * np.pi)
        w = 2 / s * np.convolve(mirrored, psi, mode="same")[n_times : 2 * n_times] / SFREQ
        # the mean of the samples is not quite the mean of the curve, which is what the module gives
        np.testing.assert_allclose(row, cell_means(np.abs(w) ** 2, n_frames), rtol=0.02, atol=0.01 * row.mean())


@pytest.mark.parametrize(("n_times", "n_frames"), [(1280, 40), (1279, 37), (1000, 100)])
def test_cells_are_means_of_the_curve(n_times, n_frames):
    """Against the mean over a grid 64 times finer than the cells, which need not hold whole samples."""
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
def test_every_row_passes_a_sinusoid_with_its_amplitude(cycles):
    module = cwt(2560, cycles=cycles, f_min=2.0, n_freqs=12, output="power")
    np.testing.assert_allclose(module.freqs[1:] / module.freqs[:-1], 32 ** (1 / 11))
    t = np.arange(2560) / SFREQ
    for row, freq in enumerate(module.freqs):
        found = power(module, 7 * np.sin(2 * np.pi * freq * t))
        np.testing.assert_allclose(found[row, 14:26], 49, rtol=0.01)


def test_the_mean_of_a_window_counts_nowhere():
    x = np.random.default_rng(4).normal(0, 30, 1280)
    module = cwt(output="power")
    np.testing.assert_allclose(power(module, x + 1000), power(module, x), rtol=1e-6, atol=1e-9)


def test_a_window_too_short_is_refused_and_the_way_out_works():
    with pytest.raises(ValueError, match=r"needs 2.7 s, a window has 1 s; choose f_min: ") as refusal:
        cwt(256)
    words = str(refusal.value).replace(",", "").split()
    f_min = float(words[words.index("choose") + 2])
    assert cwt(256, f_min=f_min)(torch.zeros(1, 1, 256)).shape == (1, 1, 24, 40)
    with pytest.raises(ValueError, match="choose f_min"):
        cwt(256, f_min=f_min - 0.01)
    with pytest.raises(ValueError, match="no f_min below f_max works, or longer windows"):
        cwt(256, f_max=2.0)
    with pytest.raises(ValueError, match="f_min above 0"):
        cwt(f_min=0.0)
    with pytest.raises(ValueError, match="cycles"):
        cwt(cycles=0.0)


def study_size(**changes):
    return CWT(sfreq=SFREQ, n_times=5120, output="magnitude", **changes)


def rhythms(count):
    """Pure tones of 30 uV, such as rhythms and mains are, from 3 to 100 Hz."""
    t = np.arange(5120) / SFREQ
    return np.array([30 * np.sin(2 * np.pi * freq * t + freq) for freq in np.geomspace(3, 100, count)])


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
def test_magnitude_is_that_of_the_exact_transform(x, changes, error, worst_row, decibels):
    """The sizes of the study, against the whole spectrum times the analytic wavelet's, in double precision.

    Errors are over all rows (Frobenius), in the worst row, and in dB for 99 of 100 cells.
    """
    module = study_size(**changes)
    assert module.freqs[-1] == SFREQ / 2
    expected = np.sqrt(exact_power(x, module, fine=64))
    found = module(torch.from_numpy(x).float()[None])[0].numpy()
    assert relative_error(found, expected) < error
    rows = np.linalg.norm(found - expected, axis=(0, 2)) / np.linalg.norm(expected, axis=(0, 2))
    assert rows.max() < worst_row
    assert np.quantile(np.abs(20 * np.log10(found / expected)), 0.99) < decibels


def test_magnitude_of_real_eeg(data_root):
    """Neonatal EEG against the average of its electrodes; it falls steeply, and has next to nothing above 100 Hz."""
    mne.set_log_level("ERROR")
    module = study_size()
    files = sorted((data_root / "helsinki").glob("sub-*/eeg/*.edf"))[3::9]
    assert len(files) > 5
    for path in files:
        x = 1e6 * mne.io.read_raw_edf(path).get_data(picks="eeg")[:, :5120]
        x -= x.mean(axis=0)
        expected = np.sqrt(exact_power(x, module, fine=64))
        found = module(torch.from_numpy(x).float()[None])[0].numpy()
        assert relative_error(found, expected) < 0.002, path.name
        # 40 dB below 1 uV there is no EEG
        levels = [20 * np.log10(magnitude + 0.01) for magnitude in (found, expected)]
        assert np.quantile(np.abs(levels[0] - levels[1]), 0.99) < 0.75, path.name


def test_rows_are_interpolated_only_where_it_makes_no_difference():
    module = study_size()
    computed = sum(len(band.rows) for band in module.bands)
    assert computed < 80  # of 100: the comparison with the exact transform has something to find
    assert sum(len(band.rows) for band in study_size(n_freqs=40).bands) == 40
    assert sum(len(band.rows) for band in study_size(tolerance=1e-4).bands) == 100


def test_gradients_go_through_interpolated_rows():
    module = CWT(sfreq=SFREQ, n_times=192, n_freqs=60, n_frames=1, f_min=20.0, f_max=60.0)
    assert sum(len(band.rows) for band in module.bands) == 30
    x = torch.from_numpy(np.random.default_rng(8).normal(0, 30, (1, 1, 192))).requires_grad_()
    assert torch.autograd.gradcheck(module, x)


def test_a_window_no_longer_than_its_wavelets_is_mirrored_again_and_again():
    x = noise(0.0, (3, 200), 9)
    module = cwt(200, n_freqs=5, n_frames=3, f_min=3.5, f_max=20.0, output="power", tolerance=1e-5)
    assert max(band.beyond / (3 * band.points) for band in module.bands) > 1
    found = module(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(found, exact_power(x, module), rtol=2e-3)


def test_a_column_for_every_sample():
    """Slow rows at a fast rate: their vectors are hundreds of samples long."""
    x = noise(1.0, (2, 1024), 10)
    module = CWT(sfreq=SFREQ, n_times=1024, n_freqs=6, hop=1 / SFREQ, f_min=1.0, f_max=60.0, output="magnitude")
    assert module.bands[0].beyond > 300
    expected = np.sqrt(exact_power(x, module, fine=8))
    assert relative_error(module(torch.from_numpy(x)[None])[0].numpy(), expected) < 0.005


@pytest.mark.parametrize(("n_freqs", "n_frames", "n_times"), [(1, 1, 999), (2, 7, 1000), (100, 3, 1001)])
def test_few_rows_or_columns_and_odd_windows(n_freqs, n_frames, n_times):
    x = noise(0.0, (2, n_times), 11)
    module = cwt(n_times, n_freqs=n_freqs, n_frames=n_frames, f_min=3.0, output="magnitude", tolerance=0.01)
    expected = np.sqrt(exact_power(x, module))
    assert relative_error(module(torch.from_numpy(x)[None])[0].numpy(), expected) < 0.005


def test_long_cells_are_means_of_parts():
    x = noise(1.0, (2, 5120), 12)
    module = study_size(n_frames=4, n_freqs=20)
    assert module.parts > 1
    expected = np.sqrt(exact_power(x, module))
    assert relative_error(module(torch.from_numpy(x)[None])[0].numpy(), expected) < 0.003


def test_a_wavelet_that_fades_too_slowly_is_refused():
    with pytest.raises(ValueError, match=r"cycles: 2.1 fades too slowly at .* for tolerance: 1e-05"):
        study_size(cycles=2.1, n_freqs=12, tolerance=1e-5)
    assert study_size(cycles=2.1, n_freqs=12)(torch.zeros(1, 1, 5120)).shape == (1, 1, 12, 100)


def test_a_tolerance_that_can_not_be_is_refused():
    for tolerance in (0.0, 1.0, -1.0):
        with pytest.raises(ValueError, match="tolerance"):
            cwt(tolerance=tolerance)
