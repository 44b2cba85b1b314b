"""Every deep model, small enough to be made in many forms."""

import pytest
import torch

from eegwf.models.registry import build, entry_of

BLOCK = {"width": 16, "heads": 2}
TOKENS = {**BLOCK, "feedforward": 32}
SMALL = {
    "lstm": {"width": 16, "hidden": 8},
    "transformer": TOKENS,
    "vit": {"patch_freqs": 4, "patch_times": 5, **BLOCK},
    "swin": {"patch": 4, "window": 2, **BLOCK},
    "transcnn": {"filters": 8, "stages": 2, **TOKENS},
    "inception": {"cut": "Conv2d_4a_3x3", **TOKENS},
    "eegnet": {},
    "convnext": {"timm": "convnext_atto"},
}
AXES = {"sfreq": 8.0, "freqs": None}
# With 20 channels below each other the smallest strides give thousands of tokens.
COARSE = {"transcnn": {"stages": 3}, "inception": {"cut": "Mixed_5d"}}
SIZES = [(19, 64, 96), (20, 64, 96), (22, 64, 96), (3, 50, 37), (3, 5, 3)]
PICTURES = ("vit", "swin", "transcnn", "inception", "convnext")


def settings_of(name, **own):
    """Small hyperparameters of a model, with those of `own` that it knows."""
    known = entry_of(name, SMALL[name]).parameters
    return SMALL[name] | {key: value for key, value in own.items() if key in known}


def layouts_of(name):
    return ("stacked", "mosaic") if "layout" in entry_of(name, SMALL[name]).parameters else ("",)


CASES = [(name, layout) for name in SMALL for layout in layouts_of(name)]
every_model = pytest.mark.parametrize(("name", "layout"), CASES, ids=["-".join(filter(None, case)) for case in CASES])
both_layouts = pytest.mark.parametrize("layout", ["stacked", "mosaic"])


def make(name, layout="stacked", shape=(3, 12, 16), n_outputs=3, **own):
    torch.manual_seed(0)
    sizes = dict(zip(("n_chans", "n_freqs", "n_times"), shape, strict=True))
    parameters = settings_of(name, layout=layout, drop_path=0.0) | own
    return build(name, {**sizes, "n_outputs": n_outputs}, parameters, AXES).eval()


def random(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def output_of(module, model, x):
    """What a module of a model gives while the model looks at `x`."""
    seen = []
    hook = module.register_forward_hook(lambda module, given, out: seen.append(out))
    model(x)
    hook.remove()
    return seen[0]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())
