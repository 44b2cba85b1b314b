"""The network with shared weights: no order of channels, stacked spectrograms, statistics over the channels."""

import numpy as np
import pytest
import torch

from eegwf.models.registry import build
from tests.helpers.small_models import output_of, random_input

SHAPE = {"n_chans": 6, "n_freqs": 12, "n_frames": 16, "n_outputs": 3}


def network(n_parts=1, **parameters):
    torch.manual_seed(0)
    freqs = [list(range(12))] * n_parts
    return build("sharedcnn", SHAPE, parameters, {"sfreq": 8.0, "freqs": freqs}).eval()


@pytest.mark.parametrize("pool", ["statistics", "mean", "max"])
@torch.no_grad()
def test_the_order_of_channels_has_no_influence(pool):
    model, x = network(pool=pool), random_input(4, 6, 12, 16)
    assert torch.allclose(model(x), model(x[:, torch.randperm(6)]), atol=1e-6)
    assert (model(x) - model(x.flip(2))).abs().amax(dim=1).min() > 1e-4  # unlike that of frequencies


@torch.no_grad()
def test_the_spectrograms_of_a_channel_are_read_together():
    model, x = network(n_parts=2), random_input(4, 6, 12, 16)
    order = torch.tensor([2, 0, 1])
    together = x.unflatten(1, (2, 3))[:, :, order].flatten(1, 2)
    one_spectrogram_only = torch.cat([x[:, order], x[:, 3:]], dim=1)
    exchanged = torch.cat([x[:, 3:], x[:, :3]], dim=1)
    assert torch.allclose(model(x), model(together), atol=1e-6)
    assert (model(x) - model(one_spectrogram_only)).abs().amax(dim=1).min() > 1e-4
    assert (model(x) - model(exchanged)).abs().amax(dim=1).min() > 1e-4


@torch.no_grad()
def test_statistics_are_those_of_the_features_of_the_channels():
    model, x = network(), random_input(2, 6, 12, 16)
    features = output_of(model.relu, model, x).numpy()
    assert features.shape == (2, 6, 32)
    expected = np.concatenate([features.mean(1), features.max(1), np.sqrt(features.var(1) + 1e-4)], axis=1)
    weight, bias = model.head.weight.numpy(), model.head.bias.numpy()
    np.testing.assert_allclose(model(x).numpy(), expected @ weight.T + bias, atol=1e-5)


def test_maps_belong_to_the_channels():
    model = network(n_parts=2)
    grid = output_of(model.gradcam_layer, model, random_input(1, 6, 12, 16)).shape
    assert grid == (1, 16, 3 * 3, 4)
    channel = torch.arange(9).div(3, rounding_mode="floor").float()[:, None].expand(1, 1, 9, 4)
    maps = model.upsample_to_input(channel)[0]
    assert [sorted(set(part.flatten().tolist())) for part in maps] == [[0.0], [1.0], [2.0]] * 2


def test_channels_must_be_a_multiple_of_the_spectrograms():
    with pytest.raises(ValueError, match="n_chans is 6; expected a multiple of 4 spectrograms"):
        network(n_parts=4)
