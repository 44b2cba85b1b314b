"""Small versions of every model that is trained by gradient descent."""

import pytest
import torch
from torch import nn

from eegwf.models.registry import build, entry_of, parameters_of
from eegwf.training.normalization import Normalization

BLOCK = {"width": 16, "heads": 2}
TOKENS = {**BLOCK, "feedforward": 32}
SMALL = {
    "lstm": {"width": 16, "hidden": 8},
    "transformer": TOKENS,
    "vit": {"patch_freqs": 4, "patch_times": 5, **BLOCK},
    "swin": {"patch": 4, "window": 2, **BLOCK},
    "transcnn": {"filters": 8, "stages": 2, **TOKENS},
    "inception": {"cut": "Conv2d_4a_3x3", **TOKENS},
    "sharedcnn": {"filters": 4, "width": 16},
    "eegnet": {},
    "convnext": {"timm": "convnext_atto"},
}
AXES = {"sfreq": 8.0, "freqs": None}
# A mosaic of 20 channels has thousands of tokens at the smallest strides, so larger strides are used.
LARGER_STRIDES = {"transcnn": {"stages": 3}, "inception": {"cut": "Mixed_5d"}}
SIZES = [(19, 64, 96), (20, 64, 96), (22, 64, 96), (3, 50, 37), (3, 5, 3)]
IMAGE_MODELS = ("vit", "swin", "transcnn", "inception", "convnext")


def small_parameters(name, **changes):
    """Return small hyperparameters of a model, with the changes that it has parameters for."""
    supported = parameters_of(entry_of(name, SMALL[name]))
    return SMALL[name] | {key: value for key, value in changes.items() if key in supported}


def layouts_of(name):
    """Return the layouts of a model; an empty string if it has no such parameter."""
    return ("stacked", "mosaic") if "layout" in parameters_of(entry_of(name, SMALL[name])) else ("",)


CASES = [(name, layout) for name in SMALL for layout in layouts_of(name)]
every_model = pytest.mark.parametrize(("name", "layout"), CASES, ids=["-".join(filter(None, case)) for case in CASES])
both_layouts = pytest.mark.parametrize("layout", ["stacked", "mosaic"])


def make(name, layout="stacked", shape=(3, 12, 16), n_outputs=3, **changes):
    """Create a small model in evaluation mode, from a fixed seed."""
    torch.manual_seed(0)
    sizes = dict(zip(("n_chans", "n_freqs", "n_frames"), shape, strict=True))
    parameters = small_parameters(name, layout=layout, drop_path=0.0) | changes
    return build(name, {**sizes, "n_outputs": n_outputs}, parameters, AXES).eval()


class Unnormalized(nn.Module):
    """A network as a classifier whose inputs are normalized already."""

    def __init__(self, network):
        super().__init__()
        self.normalization = Normalization("none", 0, 0)
        self.network = network

    def forward(self, x):
        return self.network(x)


def unnormalized(network):
    """Make a classifier in evaluation mode that passes its inputs to the network as they are."""
    return Unnormalized(network).eval()


def random_input(*shape, seed=1):
    """Return normally distributed values from a fixed seed."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def output_of(module, model, x):
    """Return the output of a module of a model when the model processes `x`."""
    outputs = []
    hook = module.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    model(x)
    hook.remove()
    return outputs[0]


def n_parameters(module):
    """Count the parameters of a module."""
    return sum(parameter.numel() for parameter in module.parameters())
