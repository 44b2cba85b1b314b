"""Statistics of recordings: definitions by numpy and scipy, independence of the blocks, robustness, alignment."""

import numpy as np
import pytest
import torch
from scipy.linalg import fractional_matrix_power
from scipy.stats import iqr

from eegwf.errors import InputError
from eegwf.training.recording_statistics import (
    FLOAT16_MAX,
    MeanCovariance,
    RecordingScale,
    RunningScale,
    Whitening,
    finite_in_half,
)
from eegwf.training.running_quantiles import RunningQuantiles, quantile_of_sorted


def windows(n=75, shape=(2, 3, 10), seed=0):
    rng = np.random.default_rng(seed)
    levels = rng.normal(0, 4, (n, *shape[:2], 1))
    return (levels + rng.normal(0, 2, (n, *shape))).astype(np.float16).astype(np.float32)


def expected_scale(x):
    """Center and scale as documented, in double precision."""
    x = x.astype(np.float64)
    mean, deviation = x.mean(axis=3), x.std(axis=3)
    between = iqr(mean, axis=0, scale="normal") if len(x) > 1 else 0
    return np.median(mean, axis=0), np.hypot(between, np.median(deviation, axis=0))


def causal(x, sizes):
    running, parts, start = RunningScale(), [], 0
    for size in sizes:
        parts.append(running.add(x[start : start + size]))
        start += size
    assert start == len(x)
    return [torch.cat(values)[..., 0].numpy() for values in zip(*parts, strict=True)]


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.5, 0.9, 1.0])
def test_running_quantiles_are_those_of_all_values_so_far(probability):
    rng = np.random.default_rng(0)
    values = rng.integers(-20, 20, (90, 7)).astype(np.float32) / 4  # many are equal
    expected = [np.quantile(values[: number + 1], probability, axis=0) for number in range(len(values))]
    for sizes in ([90], [1] * 90, [40, 1, 33, 16]):
        running, parts, start = RunningQuantiles([probability]), [], 0
        for size in sizes:
            parts.append(running.add(values[start : start + size])[0])
            start += size
        found = np.concatenate(parts)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert np.array_equal(quantile_of_sorted(np.sort(values.T, axis=1), probability), found[-1])


def test_scale_is_that_of_its_definition():
    x = windows()
    scale = RecordingScale()
    scale.add(x)
    center, deviation = expected_scale(x)
    found = scale.result()
    np.testing.assert_allclose(found.center[0, ..., 0], center, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.scale[0, ..., 0], deviation, rtol=1e-5)


def test_causal_scale_is_that_of_the_windows_so_far():
    x = windows()
    center, scale = causal(x, [75])
    for number in (0, 1, 5, 31, 32, 33, 74):
        expected = expected_scale(x[: number + 1])
        np.testing.assert_allclose(center[number], expected[0], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(scale[number], expected[1], rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 3, 10), (3, 1, 1000)])
def test_blocks_change_no_bit(shape):
    x = windows(shape=shape)
    whole, parts = RecordingScale(), RecordingScale()
    whole.add(x)
    for start in range(0, 75, 7):
        parts.add(x[start : start + 7])
    for one, other in zip(whole.result(), parts.result(), strict=True):
        assert torch.equal(one, other)
    one, other = causal(x, [75]), causal(x, [1] * 40 + [35])
    assert np.array_equal(one, other)
    # The last window has the statistics of the recording.
    last = [values[0, ..., 0].numpy() for values in whole.result()]
    assert np.array_equal([values[-1] for values in one], last)


def test_later_windows_change_no_earlier_normalization():
    x = windows()
    changed = x.copy()
    changed[50:] = 1000
    before, after = causal(x, [75]), causal(changed, [75])
    assert np.array_equal([values[:50] for values in before], [values[:50] for values in after])
    assert not np.array_equal(before[0][74], after[0][74])


def test_gain_of_the_amplifier_and_of_a_channel_has_no_influence():
    x = windows(shape=(3, 1, 200))
    gain = np.array([0.25, 1, 8], dtype=np.float32)[:, None, None]
    outputs = []
    for values in (x, x * gain):
        scale = RecordingScale()
        scale.add(values)
        outputs.append(scale.result()(torch.from_numpy(values)))
    assert torch.allclose(outputs[0], outputs[1], atol=1e-5)
    assert outputs[0].std() == pytest.approx(1, abs=0.3)


def test_artifacts_in_a_tenth_of_the_windows_hardly_change_the_scale():
    x = windows(n=200, shape=(1, 1, 500))
    dirty = x.copy()
    dirty[::10] *= 1000
    scales = []
    for values in (x, dirty):
        scale = RecordingScale()
        scale.add(values)
        scales.append(float(scale.result().scale))
    assert scales[1] == pytest.approx(scales[0], rel=0.3)
    assert dirty.std() > 50 * x.std()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_constant_channels_and_few_windows_stay_finite(n):
    x = windows(n=n, shape=(2, 2, 30))
    x[:, 0] = -37.5
    scale = RecordingScale()
    scale.add(x)
    out = scale.result()(torch.from_numpy(x))
    assert (out[:, 0] == 0).all()
    assert 0 < out[:, 1].abs().max() < 20


def test_values_stay_finite_in_half_precision_and_nan_stays_nan():
    x = torch.tensor([1e30, -1e30, float("nan"), 2.0])
    found = finite_in_half(x).half()
    assert found[:2].tolist() == [FLOAT16_MAX, -FLOAT16_MAX] and found[2].isnan() and found[3] == 2


def covariance(x):
    return np.mean([np.cov(window[:, 0], bias=True) for window in x.astype(np.float64)], axis=0)


def correlated(n=40, seed=3):
    rng = np.random.default_rng(seed)
    mixed = 20 * (np.eye(4) + rng.normal(0, 0.3, (4, 4))) @ rng.normal(size=(n, 4, 300))
    return mixed[:, :, None].astype(np.float32)


def aligned(x):
    mean = MeanCovariance()
    for start in range(0, len(x), 7):
        mean.add(x[start : start + 7])
    return mean.result()


def test_alignment_is_the_inverse_root_of_the_mean_covariance():
    x = correlated()
    found = aligned(x)
    reference = covariance(x)
    reference += 1e-3 * np.trace(reference) / 4 * np.eye(4)
    np.testing.assert_allclose(found.matrix[0], fractional_matrix_power(reference, -0.5), rtol=1e-6, atol=1e-9)
    assert np.abs(covariance(found(torch.from_numpy(x)).numpy()) - np.eye(4)).max() < 0.05


def test_alignment_removes_another_gain_of_all_channels():
    x = correlated()
    assert torch.allclose(aligned(x)(torch.from_numpy(x)), aligned(5 * x)(torch.from_numpy(5 * x)), atol=1e-4)


def test_alignment_of_an_average_reference_and_of_flat_channels_is_finite():
    x = correlated()
    x -= x.mean(axis=1, keepdims=True)
    out = aligned(x)(torch.from_numpy(x))
    assert out.abs().max() < 10
    assert torch.linalg.matrix_rank(torch.from_numpy(covariance(out.numpy())), rtol=1e-6) == 3
    flat = np.zeros_like(x)
    assert (aligned(flat)(torch.from_numpy(flat)) == 0).all()


def test_a_window_is_aligned_with_the_same_bits_alone_and_among_others():
    x = torch.from_numpy(correlated())
    normalizer = aligned(x.numpy())
    assert torch.equal(normalizer(x)[5:6], normalizer(x[5:6]))
    assert torch.equal(Whitening(normalizer.matrix.expand(40, -1, -1))(x), normalizer(x))


def test_spectrograms_are_not_aligned():
    with pytest.raises(InputError, match="aligned is for raw, the time series, but the input has 3 frequencies"):
        MeanCovariance().add(windows())
