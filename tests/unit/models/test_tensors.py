"""Tensors of every network: those of the output layer, their shapes, and the order in which they are used."""

import pytest
import torch

from eegwf.models.registry import build
from eegwf.models.tensors import (
    forward_order,
    head_input,
    head_tensors,
    output_layer,
    shape_problems,
    tensor_shapes,
)
from tests.helpers.small_models import AXES, every_model, make, random_input, small_parameters

SHAPE = {"n_chans": 3, "n_freqs": 12, "n_frames": 16, "n_outputs": 3}


@every_model
def test_head_is_the_last_linear_layer(name, layout):
    parameters = small_parameters(name, layout=layout)
    names = head_tensors(name, SHAPE, parameters, AXES)
    state = build(name, SHAPE, parameters, AXES).state_dict()
    assert {len(state[one]) for one in names} == {3} and {state[one].ndim for one in names} == {1, 2}
    assert len({one.rpartition(".")[0] for one in names}) == 1
    order = forward_order(make(name, layout), random_input(1, 3, 12, 16))
    assert set(order[-2:]) == names, "the output layer is used last"


@every_model
def test_output_layer_maps_its_input_to_the_logits(name, layout):
    network, x = make(name, layout), random_input(4, 3, 12, 16)
    head = head_tensors(name, SHAPE, small_parameters(name, layout=layout), AXES)
    layer = output_layer(network, head)
    with torch.no_grad():
        features = head_input(network, layer, x)
        torch.testing.assert_close(layer(features), network(x))
    assert len(features) == 4 and not layer._forward_pre_hooks


def test_a_network_with_two_output_layers_is_refused():
    with pytest.raises(ValueError, match=r"the network has 2 output layers \(head, other\.fc\); expected one"):
        output_layer(make("vit"), {"head.weight", "head.bias", "other.fc.weight"})


@every_model
def test_shapes_are_those_of_the_network_and_draw_no_random_number(name, layout):
    parameters = small_parameters(name, layout=layout)
    state = torch.get_rng_state()
    shapes = tensor_shapes(name, SHAPE, parameters, AXES)
    assert torch.equal(torch.get_rng_state(), state)
    network = build(name, SHAPE, parameters, AXES)
    assert shapes == {key: tuple(value.shape) for key, value in network.state_dict().items()}


@every_model
def test_order_contains_every_parameter_once_and_the_first_depend_on_no_other(name, layout):
    network, x = make(name, layout), random_input(1, 3, 12, 16)
    order = forward_order(network, x)
    assert sorted(order) == sorted(key for key, _ in network.named_parameters())
    assert not network.training
    # A module that is used later does not change what one of the first modules computes.
    first, last = order[0].rpartition(".")[0], order[-1].rpartition(".")[0]
    assert first != last


def test_parameters_of_a_module_itself_are_at_their_place_in_the_forward_pass():
    order = forward_order(make("lstm"), random_input(1, 3, 12, 16))
    registered = [name for name, _ in make("lstm").named_parameters()]
    assert registered[0] == "query" and order.index("query") > order.index("key.weight")
    order = forward_order(make("vit"), random_input(1, 3, 12, 16))
    assert order.index("transformer.pos_embed") > order.index("transformer.patch_embed.proj.weight")


SOURCE = {
    "model": "vit",
    "shape": SHAPE,
    "parameters": {"patch_freqs": 4, "patch_times": 5, "width": 16, "heads": 2},
    "axes": {},
}


@pytest.mark.parametrize(
    "values",
    [
        {"search.dropout": [0.0, 0.5], "search.pool": ["avg", "max"]},
        {"search.width": [16], "fixed.depth": [2], "search.mlp_ratio": [2.0, 2.0]},
    ],
    ids=["no shape", "values of the source"],
)
def test_hyperparameters_that_keep_the_shapes_are_no_problem(values):
    assert shape_problems("vit", values, SOURCE) == []


@pytest.mark.parametrize(
    ("place", "values", "theirs"),
    [("search.width", [16, 32], "16"), ("search.depth", [1, 3], "2"), ("fixed.heads", [5], "2")],
    ids=["width", "default depth", "impossible heads"],
)
def test_a_hyperparameter_that_changes_shapes_is_named_with_the_value_of_the_source(place, values, theirs):
    (line,) = shape_problems("vit", {place: values, "search.dropout": [0.0, 0.5]}, SOURCE)
    assert line.startswith(f"models.vit.{place}: {' or '.join(map(str, values))} changes the shapes")
    assert f"source of training.init has {theirs}; " in line
    assert line.endswith(f"{place}: {{choices: [{theirs}]}}" if "search" in place else f"{place}: {theirs}")
