"""Dropout with 16 random bits for each value: equal to torch's except for the drawn masks."""

import pytest
import torch
from torch import nn

from eegwf.models.dropout import Dropout, faster_dropout
from eegwf.models.registry import build


@pytest.mark.parametrize("p", [0.1, 0.5, 0.93])
def test_values_are_dropped_with_the_given_probability_and_others_scaled(p):
    torch.manual_seed(0)
    x = torch.full((1000, 401), 2.0, requires_grad=True)
    out = Dropout(p)(x)
    kept = out != 0
    assert kept.float().mean() == pytest.approx(1 - p, abs=0.003)
    assert torch.allclose(out[kept], torch.tensor(2 / (1 - p)), rtol=1e-3)
    out.sum().backward()
    assert torch.equal(x.grad, out.detach() / 2)


def test_draws_are_independent_along_rows_and_columns():
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(2000, 400)) != 0).float() - 0.5
    for shift in (1, 2, 3, 4, 8):
        assert abs(float((kept[:, shift:] * kept[:, :-shift]).mean()) * 4) < 0.006
    assert abs(float((kept[1:] * kept[:-1]).mean()) * 4) < 0.006


def test_masks_depend_on_the_seed():
    def draw(seed):
        torch.manual_seed(seed)
        return Dropout(0.3)(torch.ones(50, 7))

    assert torch.equal(draw(1), draw(1)) and not torch.equal(draw(1), draw(2))


@pytest.mark.parametrize("p", [0.0, 1e-9, 1.0])
def test_probabilities_0_and_1_and_evaluation_equal_torch(p):
    x = torch.randn(20, 3)
    assert torch.equal(Dropout(p)(x), torch.nn.functional.dropout(x, p)) or p == 1e-9
    assert torch.equal(Dropout(0.5).eval()(x), x)


def test_any_array_size_and_memory_layout_is_supported():
    out = Dropout(0.5)(torch.ones(3, 5).T)
    assert out.shape == (5, 3) and set(out.unique().tolist()) <= {0.0, 2.0}
    assert Dropout(0.5)(torch.ones(0, 4)).shape == (0, 4)


@pytest.mark.parametrize("model", ["vit", "lstm", "transcnn"])
def test_every_dropout_layer_of_a_model_is_converted(model):
    network = build(model, {"n_chans": 2, "n_freqs": 8, "n_frames": 8, "n_outputs": 2}, {"dropout": 0.2})
    types = [type(module) for module in network.modules() if isinstance(module, nn.Dropout)]
    assert types and set(types) == {Dropout}
    assert faster_dropout(network) is network
