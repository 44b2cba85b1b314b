"""The table of models. It imports without torch, so that the workflow can plan with it."""

import importlib
from dataclasses import dataclass
from typing import Any

IMAGES = ("mel", "cwt", "stft", "concat")


@dataclass(frozen=True)
class Entry:
    """A model of the matrix: where its class stands, the inputs it takes, and its own parameters."""

    module: str
    name: str
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]


MODELS = {
    "vit": Entry(
        "eegwf.models.vit",
        "ViT",
        IMAGES,
        ("patch_freqs", "patch_times", "width", "depth", "heads", "mlp_ratio", "dropout", "layout", "pool"),
    ),
}


def build(model: str, shape: dict[str, int], parameters: dict[str, Any]):
    """Make a model with fresh weights.

    Parameters
    ----------
    model
        Name in the table.
    shape
        `n_chans`, `n_freqs`, `n_times` and `n_outputs`.
    parameters
        The model's own parameters.

    Returns
    -------
    torch.nn.Module
        `(batch, n_chans, n_freqs, n_times)` in, logits `(batch, n_outputs)` out; its `features` is the layer whose
        output `(batch, channels, height, width)` Grad-CAM reads, and `to_input` lays such maps over the input.
    """
    entry = MODELS[model]
    return getattr(importlib.import_module(entry.module), entry.name)(**shape, **parameters)
