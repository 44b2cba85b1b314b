"""Weight tensors of a network: their shapes, those of the output layer, and the order in which they are used."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from eegwf.models.registry import build, class_of

Shapes = dict[str, tuple[int, ...]]


def tensor_shapes(
    model: str, shape: dict[str, int], parameters: dict[str, Any], axes: dict[str, Any] | None = None
) -> Shapes:
    """Shapes of the tensors in a network's state, without allocating them.

    Parameters
    ----------
    model, shape, parameters, axes
        As in `eegwf.models.registry.build`; pretrained weights are not loaded.

    Returns
    -------
    dict
        Shape of each tensor by its name.

    Raises
    ------
    ValueError
        If the parameters are inconsistent.
    """
    with torch.random.fork_rng(devices=[]), torch.device("meta"):
        network = build(model, shape, without_pretrained(parameters), axes)
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def without_pretrained(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, with which no pretrained weights are loaded."""
    return {name: False if name == "pretrained" else value for name, value in parameters.items()}


def head_tensors(
    model: str, shape: dict[str, int], parameters: dict[str, Any], axes: dict[str, Any] | None = None
) -> set[str]:
    """Names of the tensors whose shape depends on the number of classes: those of the output layer.

    Parameters
    ----------
    model, shape, parameters, axes
        As in `eegwf.models.registry.build`.

    Returns
    -------
    set of str
        Names in the network's state.
    """
    two, three = (tensor_shapes(model, {**shape, "n_outputs": n}, parameters, axes) for n in (2, 3))
    return {name for name in two if two[name] != three[name]}


def output_layer(network: nn.Module, head: Iterable[str]) -> nn.Module:
    """Module that owns the tensors of the output layer.

    Parameters
    ----------
    network
        Network.
    head
        Names of the tensors, as `head_tensors` returns them.

    Returns
    -------
    torch.nn.Module
        The module.

    Raises
    ------
    ValueError
        If several modules own them.
    """
    owners = sorted({name.rpartition(".")[0] for name in head})
    if len(owners) != 1:
        raise ValueError(f"the network has {len(owners)} output layers ({', '.join(owners)}); expected one")
    return network.get_submodule(owners[0])


def head_input(network: nn.Module, layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Compute the features that enter the output layer.

    Parameters
    ----------
    network
        Network.
    layer
        Its output layer.
    x
        Input `(batch, n_chans, n_freqs, n_frames)`.

    Returns
    -------
    torch.Tensor
        Features `(batch, ...)`.
    """
    features: list[torch.Tensor] = []
    hook = layer.register_forward_pre_hook(lambda module, inputs: features.append(inputs[0]))
    try:
        network(x)
    finally:
        hook.remove()
    return features[0]


def shape_problems(model: str, values: Mapping[str, Sequence[Any]], source: Mapping[str, Any]) -> list[str]:
    """Find hyperparameters with which the weights of another study would not fit a network.

    Parameters
    ----------
    model
        Name of the model.
    values
        Values of each hyperparameter by its place, such as `search.depth`.
    source
        `model.json` of the other study.

    Returns
    -------
    list of str
        A line for each hyperparameter that has a value other than that of the source, and changes a shape.
    """
    arguments = source["shape"], source["parameters"], source.get("axes")
    shapes = tensor_shapes(model, *arguments)
    defaults = inspect.signature(class_of(model, source["parameters"])).parameters
    lines = []
    for place, choices in values.items():
        name = place.partition(".")[2]
        if any(_shapes_with(model, *arguments, {name: value}) != shapes for value in choices):
            theirs = source["parameters"].get(name, defaults[name].default)
            lines.append(
                f"models.{model}.{place}: {' or '.join(map(str, choices))} changes the shapes of the weights, and the "
                f"source of training.init has {theirs}; remove it, or write "
                + (f"{place}: {{choices: [{theirs}]}}" if place.startswith("search.") else f"{place}: {theirs}")
            )
    return lines


def _shapes_with(
    model: str, shape: dict[str, int], parameters: dict[str, Any], axes: dict[str, Any] | None, changes: dict[str, Any]
) -> Shapes | None:
    """Shapes with other values of hyperparameters; None if the network can't be made with them."""
    try:
        return tensor_shapes(model, shape, {**parameters, **changes}, axes)
    except ValueError:
        return None


class _UseRecorder(TorchFunctionMode):
    """Records the parameters that torch's functions receive, in the order of their first use."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.names = {id(parameter): name for name, parameter in network.named_parameters()}
        self.used: dict[str, None] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for value in tree_leaves((args, kwargs or {})):
            if id(value) in self.names:
                self.used.setdefault(self.names[id(value)])
        return func(*args, **(kwargs or {}))


def forward_order(network: nn.Module, x: torch.Tensor) -> list[str]:
    """Names of a network's parameters in the order in which its forward pass uses them.

    Parameters
    ----------
    network
        Network; its mode is restored afterward.
    x
        Input `(batch, n_chans, n_freqs, n_frames)`.

    Returns
    -------
    list of str
        All parameters, those that are not used at the end.

    Notes
    -----
    The order in which modules are registered is another one: parameters of a module come before those of its parts.
    """
    training = network.training
    recorder = _UseRecorder(network.eval())
    with torch.no_grad(), recorder:
        network(x)
    network.train(training)
    return list(dict.fromkeys([*recorder.used, *recorder.names.values()]))
