"""EEGNet's first block, spatial filters first, against the convolution, norm and depthwise convolution of the paper."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from eegwf.models.eegnet import SpatialFilters, correlate, moments

SHAPES = [(8, 40, 32, 4), (8, 20, 320, 64), (5, 3, 7, 1), (4, 3, 9, 2), (6, 4, 20, 33)]


class Plain(nn.Module):
    """Conv2D, BatchNorm and DepthwiseConv2D with the weights of the other."""

    def __init__(self, other: SpatialFilters):
        super().__init__()
        n_temporal, self.length = other.temporal.shape
        n_series, n_rows = other.spatial.shape
        self.temporal = nn.Conv2d(1, n_temporal, (1, self.length), bias=False)
        self.norm = nn.BatchNorm2d(n_temporal)
        self.spatial = nn.Conv2d(n_temporal, n_series, (n_rows, 1), groups=n_temporal, bias=False)
        self.norm.load_state_dict(other.norm.state_dict())
        with torch.no_grad():
            self.temporal.weight.copy_(other.temporal[:, None, None])
            self.spatial.weight.copy_(other.spatial[:, None, :, None])

    def forward(self, x):
        x = functional.pad(x[:, None], ((self.length - 1) // 2, self.length // 2))
        return self.spatial(self.norm(self.temporal(x)))[:, :, 0]


def both(n_rows, length):
    torch.manual_seed(0)
    ours = SpatialFilters(n_rows, 8, 2, length)
    nn.init.uniform_(ours.norm.weight, 0.5, 1.5)
    nn.init.normal_(ours.norm.bias)
    return ours.double().float(), Plain(ours)


def close(one, other, tolerance=1e-5):
    return float((one - other).detach().abs().max()) <= tolerance * max(1e-3, float(other.detach().abs().max()))


@pytest.mark.parametrize(("batch", "n_rows", "n_times", "length"), SHAPES)
def test_it_is_the_paper_s_block_in_values_gradients_and_statistics(batch, n_rows, n_times, length):
    ours, plain = both(n_rows, length)
    x = 0.3 * torch.randn(batch, n_rows, n_times).cumsum(dim=2)  # steep, as EEG is
    gradient = torch.randn(batch, 16, n_times)
    one, other = ours(x), plain(x)
    one.backward(gradient)
    other.backward(gradient)
    assert close(one, other)
    assert close(ours.spatial.grad, plain.spatial.weight.grad[:, 0, :, 0])
    if length > 1:  # a single tap's scale falls out in the norm: its gradient is rounding alone
        assert close(ours.temporal.grad, plain.temporal.weight.grad[:, 0, 0], 1e-4)
    assert close(ours.norm.weight.grad, plain.norm.weight.grad) and close(ours.norm.bias.grad, plain.norm.bias.grad)
    assert close(ours.norm.running_mean, plain.norm.running_mean)
    assert close(ours.norm.running_var, plain.norm.running_var)
    assert ours.norm.num_batches_tracked == 1
    assert close(ours.eval()(x), plain.eval()(x))


def test_saliency_in_evaluation_is_the_paper_s():
    ours, plain = both(6, 16)
    x = torch.randn(3, 6, 50)
    gradients = []
    for block in (ours.eval(), plain.eval()):
        y = x.clone().requires_grad_()
        block(y).square().sum().backward()
        gradients.append(y.grad)
    assert close(*gradients)


@pytest.mark.parametrize(("n_series", "n_times", "length"), [(5, 30, 7), (2, 6, 1), (3, 4, 9), (1, 1, 5)])
def test_moments_are_those_of_the_samples_under_the_taps(n_series, n_times, length):
    x = torch.randn(n_series, n_times + length - 1, generator=torch.Generator().manual_seed(1)) + 2
    under = x.double().unfold(1, length, 1).flatten(0, 1).numpy()
    assert len(under) == n_series * n_times
    first, second = moments(x, length, n_times)
    np.testing.assert_allclose(first, under.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(second, under.T @ under / len(under), rtol=1e-10)


def test_a_filter_that_passes_a_millionth_of_the_power_has_its_variance():
    """Where slow waves are a thousand times larger than fast ones, single precision would lose the fast ones."""
    t = torch.arange(2000) / 256
    slow, fast = 1000 * torch.sin(2 * np.pi * 2 * t), torch.sin(2 * np.pi * 60 * t)
    taps = torch.tensor([1.0, -4.0, 6.0, -4.0, 1.0])  # a fourth difference
    _, second = moments((slow + fast)[None], 5, 1996)
    found = taps.double() @ second @ taps.double()
    expected = functional.conv1d((slow + fast).double()[None, None], taps.double()[None, None]).square().mean()
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


def test_correlation_is_torch_s_convolution():
    series, kernel = torch.randn(2, 6, 50), torch.randn(6, 11)
    expected = functional.conv1d(series, kernel[:, None], groups=6)
    assert torch.allclose(correlate(series, kernel), expected, atol=1e-4)
