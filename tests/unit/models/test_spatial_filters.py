"""First block of EEGNet, with the spatial filters first, compared with the layers in the order of the paper."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from eegwf.models.eegnet import SpatialFilters, correlate, moments

SHAPES = [(8, 40, 32, 4), (8, 20, 320, 64), (5, 3, 7, 1), (4, 3, 9, 2), (6, 4, 20, 33)]


class ReferenceBlock(nn.Module):
    """Conv2D, BatchNorm and DepthwiseConv2D of the paper, with the weights of a `SpatialFilters`."""

    def __init__(self, block: SpatialFilters):
        super().__init__()
        n_temporal, self.length = block.temporal.shape
        n_series, n_rows = block.spatial.shape
        self.temporal = nn.Conv2d(1, n_temporal, (1, self.length), bias=False)
        self.norm = nn.BatchNorm2d(n_temporal)
        self.spatial = nn.Conv2d(n_temporal, n_series, (n_rows, 1), groups=n_temporal, bias=False)
        self.norm.load_state_dict(block.norm.state_dict())
        with torch.no_grad():
            self.temporal.weight.copy_(block.temporal[:, None, None])
            self.spatial.weight.copy_(block.spatial[:, None, :, None])

    def forward(self, x):
        x = functional.pad(x[:, None], ((self.length - 1) // 2, self.length // 2))
        return self.spatial(self.norm(self.temporal(x)))[:, :, 0]


def make_blocks(n_rows, length):
    """Create a `SpatialFilters` and the reference block with the same weights."""
    torch.manual_seed(0)
    block = SpatialFilters(n_rows, 8, 2, length)
    nn.init.uniform_(block.norm.weight, 0.5, 1.5)
    nn.init.normal_(block.norm.bias)
    return block.double().float(), ReferenceBlock(block)


def close(values, expected, tolerance=1e-5):
    """Return whether values agree within a tolerance relative to the largest expected value."""
    largest = float(expected.detach().abs().max())
    return float((values - expected).detach().abs().max()) <= tolerance * max(1e-3, largest)


@pytest.mark.parametrize(("batch", "n_rows", "n_frames", "length"), SHAPES)
def test_values_gradients_and_statistics_equal_the_reference(batch, n_rows, n_frames, length):
    block, reference = make_blocks(n_rows, length)
    x = 0.3 * torch.randn(batch, n_rows, n_frames).cumsum(dim=2)  # power decreases with frequency, as in EEG
    gradient = torch.randn(batch, 16, n_frames)
    filtered, expected = block(x), reference(x)
    filtered.backward(gradient)
    expected.backward(gradient)
    assert close(filtered, expected)
    assert close(block.spatial.grad, reference.spatial.weight.grad[:, 0, :, 0])
    if length > 1:  # the norm removes the scale of a single tap, whose gradient is therefore only rounding errors
        assert close(block.temporal.grad, reference.temporal.weight.grad[:, 0, 0], 1e-4)
    assert close(block.norm.weight.grad, reference.norm.weight.grad)
    assert close(block.norm.bias.grad, reference.norm.bias.grad)
    assert close(block.norm.running_mean, reference.norm.running_mean)
    assert close(block.norm.running_var, reference.norm.running_var)
    assert block.norm.num_batches_tracked == 1
    assert close(block.eval()(x), reference.eval()(x))


def test_input_gradients_in_evaluation_equal_the_reference():
    block, reference = make_blocks(6, 16)
    x = torch.randn(3, 6, 50)
    gradients = []
    for module in (block.eval(), reference.eval()):
        y = x.clone().requires_grad_()
        module(y).square().sum().backward()
        gradients.append(y.grad)
    assert close(*gradients)


@pytest.mark.parametrize(("n_series", "n_frames", "length"), [(5, 30, 7), (2, 6, 1), (3, 4, 9), (1, 1, 5)])
def test_moments_equal_those_of_the_samples_under_the_taps(n_series, n_frames, length):
    x = torch.randn(n_series, n_frames + length - 1, generator=torch.Generator().manual_seed(1)) + 2
    samples = x.double().unfold(1, length, 1).flatten(0, 1).numpy()
    assert len(samples) == n_series * n_frames
    first, second = moments(x, length, n_frames)
    np.testing.assert_allclose(first, samples.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(second, samples.T @ samples / len(samples), rtol=1e-10)


def test_variance_is_accurate_for_a_millionth_of_the_input_power():
    """Single precision is not sufficient for fast waves if slow waves are a thousand times larger."""
    t = torch.arange(2000) / 256
    slow, fast = 1000 * torch.sin(2 * np.pi * 2 * t), torch.sin(2 * np.pi * 60 * t)
    taps = torch.tensor([1.0, -4.0, 6.0, -4.0, 1.0])  # a fourth difference
    _, second = moments((slow + fast)[None], 5, 1996)
    variance = taps.double() @ second @ taps.double()
    expected = functional.conv1d((slow + fast).double()[None, None], taps.double()[None, None]).square().mean()
    assert float(variance) == pytest.approx(float(expected), rel=1e-6)


def test_correlation_equals_torch_convolution():
    series, kernel = torch.randn(2, 6, 50), torch.randn(6, 11)
    expected = functional.conv1d(series, kernel[:, None], groups=6)
    assert torch.allclose(correlate(series, kernel), expected, atol=1e-4)
