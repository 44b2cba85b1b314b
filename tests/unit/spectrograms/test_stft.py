"""The STFT agrees with SciPy in double precision; properties that all spectrograms share."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.signal import ShortTimeFFT, chirp, get_window

from eegwf.config import spectrograms as config
from eegwf.errors import InputError
from eegwf.spectrograms.axes import frame_starts, mirror
from eegwf.spectrograms.frames import hann_window
from eegwf.spectrograms.names import POWER_SPECTROGRAMS, SPECTROGRAMS
from eegwf.spectrograms.stft import STFT
from eegwf.spectrograms.transforms import CLASSES, make_transform

SFREQ = 256.0


def stft(n_times=1280, **changes):
    grid = dict(sfreq=SFREQ, n_freqs=33, n_frames=40, f_min=0, f_max=128, window=1.0) | changes
    return STFT(n_times=n_times, **grid)


def any_transform(name, n_times=1280, **changes):
    extra = {"mel": {"window": 2.0}, "stft": {"window": 1.0}, "cwt": {"cycles": 6.0}, "acf": {"window": 2.0}}[name]
    grid = dict(sfreq=SFREQ, n_freqs=40, n_frames=40, f_min=1.0, f_max=64.0) | extra | changes
    return CLASSES[name](n_times=n_times, **grid)


def scipy_density(x, length, starts, sfreq, **padding):
    """One-sided densities of SciPy, shape (length // 2 + 1, n_frames), of frames that begin at `starts`."""
    reference = ShortTimeFFT(get_window("hann", length), hop=1, fs=sfreq, scale_to="psd", fft_mode="onesided2X")
    densities = reference.spectrogram(x, **padding)
    return densities[:, starts + length // 2 - reference.p_min]


@pytest.mark.parametrize(("n_times", "n_frames", "length"), [(1280, 40, 256), (1281, 37, 256), (1000, 16, 128)])
def test_stft_agrees_with_scipy_at_the_bins_of_the_fft(n_times, n_frames, length):
    x = np.random.default_rng(1).normal(0, 30, n_times)
    # Every fourth bin, including 0 Hz and half of the sampling rate, whose power is not doubled.
    module = stft(n_times, n_freqs=length // 8 + 1, n_frames=n_frames, window=length / SFREQ, output="power")
    measured = module(torch.from_numpy(x)[None, None])[0, 0].numpy()
    starts = frame_starts(n_times, n_frames, length)
    expected = scipy_density(x, length, starts, SFREQ, padding="even")[::4]
    within = (starts >= 0) & (starts + length <= n_times)
    assert within.sum() > n_frames / 2
    np.testing.assert_allclose(measured[:, within], expected[:, within], rtol=1e-9, atol=1e-12)
    padded = np.pad(x, length, mode="reflect")
    at_edges = scipy_density(padded, length, starts + length, SFREQ)[::4]
    np.testing.assert_allclose(measured, at_edges, rtol=1e-9, atol=1e-12)


def test_stft_agrees_with_the_zero_padded_fft_between_bins():
    x = np.random.default_rng(2).normal(0, 30, 1280)
    module = stft(n_freqs=12, f_min=3.3, f_max=3.3 + 11 * 4.1, output="power")
    start = frame_starts(1280, 40, 256)[20]
    hann = get_window("hann", 256)
    padded = np.abs(np.fft.rfft(x[start : start + 256] * hann, 2560)) ** 2 * 2 / (SFREQ * np.sum(hann**2))
    measured = module(torch.from_numpy(x)[None, None])[0, 0, :, 20].numpy()
    np.testing.assert_allclose(measured, padded[33 : 33 + 12 * 41 : 41], rtol=1e-9)


def test_sum_of_the_density_is_the_mean_square_of_the_frame():
    x = np.random.default_rng(3).normal(0, 30, 1280)
    measured = stft(n_freqs=129, output="power")(torch.from_numpy(x)[None, None])[0, 0].numpy()
    starts = frame_starts(1280, 40, 256)
    frames = x[mirror(starts[:, None] + np.arange(256), 1280)]
    hann = get_window("hann", 256)
    mean_square = np.sum((frames * hann) ** 2, axis=1) / np.sum(hann**2)
    np.testing.assert_allclose(measured.sum(0), mean_square, rtol=1e-10)  # rows are 1 Hz apart


def test_frames_are_centered_on_equal_cells():
    for n_times, n_frames, length in [(1280, 40, 256), (1281, 37, 255), (999, 100, 64), (50, 50, 4)]:
        centers = frame_starts(n_times, n_frames, length) + length / 2
        cells = (np.arange(n_frames) + 0.5) * n_times / n_frames - 0.5
        assert np.all(np.abs(centers - cells) <= 0.5)
    np.testing.assert_array_equal(mirror(np.arange(-9, 14), 5), np.pad(np.arange(5), 9, mode="reflect"))


@pytest.mark.parametrize("name", SPECTROGRAMS)
@pytest.mark.parametrize(("n_chans", "n_times"), [(19, 1280), (20, 1279), (22, 1024)])
def test_shapes_and_axes(name, n_chans, n_times):
    module = any_transform(name, n_times, n_freqs=31, n_frames=37)
    x = torch.from_numpy(np.random.default_rng(4).normal(0, 30, (2, n_chans, n_times))).float()
    levels = module(x)
    assert levels.shape == (2, n_chans, 31, 37) and levels.dtype == torch.float32
    assert torch.isfinite(levels).all()
    assert module.freqs.shape == (31,) and np.all(np.diff(module.freqs) > 0)
    assert module.freqs[0] >= 1.0 - 1e-9 and module.freqs[-1] <= 64.0 + 1e-9
    step = n_times / SFREQ / 37
    np.testing.assert_allclose(np.diff(module.times), step)
    # The first frame is as far from the first sample as the last frame from the last sample.
    assert module.times[0] == pytest.approx((n_times - 1) / SFREQ - module.times[-1])


@pytest.mark.parametrize("name", POWER_SPECTROGRAMS)
def test_sinusoid_has_its_maximum_in_its_row(name):
    module = any_transform(name)
    t = np.arange(1280) / SFREQ
    for row in (5, 14, 22, 35):
        x = 20 * np.sin(2 * np.pi * module.freqs[row] * t + 1.0)
        levels = module(torch.from_numpy(x)[None, None])[0, 0].numpy()
        assert np.all(levels.argmax(0)[5:-5] == row)


@pytest.mark.parametrize("name", POWER_SPECTROGRAMS)
def test_maximum_follows_a_chirp(name):
    t = np.arange(2560) / SFREQ
    x = 20 * chirp(t, f0=10, t1=10, f1=50)
    module = any_transform(name, 2560)
    levels = module(torch.from_numpy(x)[None, None])[0, 0].numpy()
    ridge = module.freqs[levels.argmax(0)]
    expected = 10 + 4 * module.times
    assert np.all(np.abs(ridge - expected)[4:-4] < 0.08 * expected[4:-4])


@pytest.mark.parametrize("name", POWER_SPECTROGRAMS)
def test_impulse_has_its_maximum_in_the_nearest_frame(name):
    module = any_transform(name, n_frames=20, f_min=2.0, output="power")
    for sample in (300, 517, 655, 1001):
        x = torch.zeros(1, 1, 1280, dtype=torch.float64)
        x[0, 0, sample] = 100.0
        energy = module(x)[0, 0, 10:].sum(0)
        nearest = np.abs(module.times - sample / SFREQ).argmin()
        assert int(energy.argmax()) == nearest


@pytest.mark.parametrize("name", POWER_SPECTROGRAMS)
def test_single_precision_is_accurate_to_a_hundredth_of_a_decibel(name):
    x = torch.from_numpy(np.random.default_rng(5).normal(0, 30, (2, 3, 1280)))
    module = any_transform(name)
    single, double = module(x.float()).double(), module(x.float().double())
    assert double.dtype == torch.float64
    assert (single - double).abs().max() < 0.01
    assert torch.equal(module(x.half()), module(x.half().float()))


@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_windows_and_channels_are_independent(name, monkeypatch):
    monkeypatch.setattr("eegwf.spectrograms.base.CPU_BLOCK", 2**16)
    x = torch.from_numpy(np.random.default_rng(6).normal(0, 30, (5, 4, 1280))).float()
    module = any_transform(name, check_finite=False)
    levels = module(x)
    changed = x.clone()
    changed[[0, 1, 3, 4]] = torch.nan
    changed[2, 1] = 1e4
    assert torch.equal(module(changed)[2, [0, 2, 3]], levels[2, [0, 2, 3]])
    torch.testing.assert_close(module(x[2:3])[0], levels[2], atol=1e-3, rtol=0)
    monkeypatch.undo()
    torch.testing.assert_close(module(x), levels, atol=1e-3, rtol=0)
    assert module(x[:0]).shape == (0, 4, 40, 40)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_levels_on_a_gpu_equal_those_on_the_cpu(name):
    x = torch.from_numpy(np.random.default_rng(8).normal(0, 30, (3, 20, 1280))).float()
    module = any_transform(name)
    expected = module(x)
    torch.testing.assert_close(module.cuda()(x.cuda()).cpu(), expected, atol=0.01, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", POWER_SPECTROGRAMS)
@pytest.mark.parametrize("output", ["db", "power"])
def test_gradients_are_correct(name, output):
    extra = {"window": 0.25} if name != "cwt" else {}
    module = any_transform(name, 72, n_freqs=3, n_frames=4, f_min=20, f_max=60, output=output, **extra)
    x = torch.from_numpy(np.random.default_rng(7).normal(0, 3, (1, 1, 72))).requires_grad_()
    assert torch.autograd.gradcheck(module, x)


@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_cast_of_the_module_does_not_change_the_levels(name):
    x = torch.from_numpy(np.random.default_rng(10).normal(0, 30, (1, 2, 1280))).float()
    expected = any_transform(name)(x)
    for cast in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
        model = torch.nn.Sequential(any_transform(name), torch.nn.Linear(40, 2)).to(cast)
        assert torch.equal(model[0](x), expected) and model[1].weight.dtype == cast
    assert torch.equal(any_transform(name).half().double().to("cpu")(x), expected)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(any_transform(name)(x), expected)


@pytest.mark.parametrize("name", POWER_SPECTROGRAMS)
def test_level_of_zeros_is_the_floor(name):
    module = any_transform(name)
    levels = module(torch.zeros(1, 1, 1280))
    torch.testing.assert_close(levels, torch.full_like(levels, 10 * np.log10(module.floor)))
    assert not module.state_dict()


@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_invalid_input_and_parameters_are_refused(name):
    module = any_transform(name)
    with pytest.raises(ValueError, match=r"shape \(3, 1280\); expected \(batch, n_chans, 1280\)"):
        module(torch.zeros(3, 1280))
    with pytest.raises(ValueError, match="expected"):
        module(torch.zeros(3, 2, 1281))
    with pytest.raises(ValueError, match="int16"):
        module(torch.zeros(3, 2, 1280, dtype=torch.int16))
    for changes, message in [
        ({"f_max": 128.5}, "f_max: 128 or lower"),
        ({"f_min": 64.0}, "expected 0 <= f_min < f_max"),
        ({"f_min": -1.0}, "expected 0 <= f_min < f_max"),
        ({"n_frames": 1281}, "more than the 1280 samples"),
        ({"n_freqs": 0}, "n_freqs"),
        ({"n_freqs": 4.5}, "n_freqs"),
        ({"sfreq": float("nan")}, "sfreq"),
        ({"floor": 0.0}, "floor"),
        *([({"output": "dB"}, "output")] if name in POWER_SPECTROGRAMS else []),
    ]:
        with pytest.raises(ValueError, match=message):
            any_transform(name, **changes)


@pytest.mark.parametrize("name", SPECTROGRAMS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_nan_and_infinity_are_refused_unless_the_check_is_disabled(name, value):
    x = torch.zeros(3, 2, 1280)
    x[1, 0, 700] = value
    with pytest.raises(ValueError, match=rf"{name}: window 1, channel 0 contains NaN or infinity, first at sample 700"):
        any_transform(name)(x)
    levels = any_transform(name, check_finite=False)(x)
    assert torch.isfinite(levels[0]).all() and not torch.isfinite(levels[1, 0]).all()
    # The sum of all samples overflows, although every sample is finite.
    huge = torch.full((1, 1, 1280), 3e38)
    assert any_transform(name)(huge).shape == (1, 1, 40, 40)


@pytest.mark.parametrize("name", POWER_SPECTROGRAMS)
def test_defaults_and_magnitude(name):
    transform = CLASSES[name]
    x = torch.from_numpy(np.random.default_rng(9).normal(0, 30, (1, 2, 5120))).float()
    power = transform(sfreq=SFREQ, n_times=5120, output="power")(x)
    assert power.shape == (1, 2, 100, 100)
    magnitude = transform(sfreq=SFREQ, n_times=5120, output="magnitude")(x)
    torch.testing.assert_close(magnitude**2, power)
    level = transform(sfreq=SFREQ, n_times=5120)
    torch.testing.assert_close(level(x), 10 * torch.log10(power + level.floor), atol=1e-3, rtol=0)
    with pytest.raises(TypeError, match=r"ndarray; expected a torch.Tensor \(batch, n_chans, 5120\)"):
        level(x.numpy())


@pytest.mark.parametrize("name", SPECTROGRAMS)
def test_hop_determines_the_frames(name):
    module = any_transform(name, n_frames=None, hop=0.125)
    assert (module.n_frames, module.hop) == (40, 0.125)
    np.testing.assert_allclose(np.diff(module.times), 0.125)
    with pytest.raises(
        ValueError, match=r"5 s is not a multiple of hop: 0.3 s; choose n_frames: 17 .* or n_frames: 16"
    ):
        any_transform(name, n_frames=None, hop=0.3)
    with pytest.raises(ValueError, match="both set"):
        any_transform(name, hop=0.125)
    for hop in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="hop"):
            any_transform(name, n_frames=None, hop=hop)


@pytest.mark.parametrize("name", ["mel", "stft"])
def test_hann_window_shorter_than_a_period_of_f_min_is_refused(name):
    with pytest.raises(ValueError, match=r"0.5 s is shorter than one period of f_min: 1 Hz; choose ") as refusal:
        any_transform(name, window=0.5, n_freqs=20)
    words = str(refusal.value).replace(",", "").split()
    values = [float(words[i + 1]) for i, word in enumerate(words) if word in ("window:", "f_min:")][1:]
    assert any_transform(name, window=values[0], n_freqs=20).freqs[0] >= 1
    assert any_transform(name, window=0.5, n_freqs=20, f_min=values[1]).freqs[0] >= 2
    # A Hann window that is longer than the window is not suggested.
    with pytest.raises(ValueError, match=r"choose f_min: \d"):
        any_transform(name, f_min=0.1)
    # 0 Hz, the mean of the frame, has no period.
    assert any_transform(name, window=0.5, n_freqs=20, f_min=0.0).freqs[0] >= 0


@pytest.mark.parametrize("name", POWER_SPECTROGRAMS)
def test_maxima_of_a_long_chirp_and_of_sinusoids_on_a_fine_grid(name):
    t = np.arange(5120) / SFREQ
    sweep = torch.from_numpy(30 * chirp(t, 4, 20, 60))[None, None]
    module = any_transform(name, 5120, n_frames=40, n_freqs=60)
    ridge = module.freqs[module(sweep)[0, 0].argmax(0).numpy()]
    expected = 4 + 56 / 20 * module.times
    spacing = np.interp(expected, module.freqs, np.gradient(module.freqs))
    inner = slice(4, -4)
    # The rows of a CWT overlap at high frequencies, so neighbors of the row of a sinusoid have similar power.
    assert np.all(np.abs(ridge - expected)[inner] <= np.maximum(1.5 * spacing, 1.0)[inner])
    for row in (5, 23, 50):
        tone = torch.from_numpy(30 * np.cos(2 * np.pi * module.freqs[row] * t))[None, None]
        assert np.all(module(tone)[0, 0].argmax(0).numpy()[inner] == row)


def test_hann_window_that_is_too_long_or_too_short_is_refused():
    with pytest.raises(ValueError, match=r"longer than the 5 s .* window: 5 or shorter"):
        stft(window=5.1)
    assert stft(window=5.0)(torch.zeros(1, 1, 1280)).shape == (1, 1, 33, 40)
    with pytest.raises(ValueError, match=r"2 samples .* window: 0.0156 or longer"):
        stft(window=0.008)


def test_transforms_are_made_by_name():
    grids = config.Spectrograms()
    for name in SPECTROGRAMS:
        module = make_transform(name, getattr(grids, name), SFREQ, 1280)
        assert module(torch.zeros(1, 2, 1280)).shape == (1, 2, 40, 40)
    with pytest.raises(InputError, match=r"^config spectrograms.stft: f_max 64 Hz .* f_max: 50 or lower"):
        make_transform("stft", grids.stft, 100.0, 1280)
    with pytest.raises(InputError, match="unknown"):
        make_transform("raw", grids.stft, 100.0, 1280)
    assert grids.members("concat") == ("mel", "cwt", "stft") and grids.members("mel") == ("mel",)


def test_names_are_imported_without_torch():
    code = "import sys, eegwf.spectrograms.names, eegwf.checks.inputs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_hann_window_equals_that_of_scipy():
    for length in range(1, 600):
        np.testing.assert_array_equal(hann_window(length), get_window("hann", length))
