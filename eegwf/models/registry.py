"""The table of models. It imports without torch, so that the workflow can plan with it."""

import importlib
from dataclasses import dataclass
from typing import Any

IMAGES = ("mel", "cwt", "stft", "concat")
ANY = (*IMAGES, "raw")
TOKENS = ("width", "feedforward", "depth", "heads", "dropout", "layout", "pool")
PRETRAINED = ("architecture", "pretrained")


@dataclass(frozen=True)
class Entry:
    """A model of the matrix.

    Attributes
    ----------
    module, name
        Where its class stands.
    inputs
        The inputs it takes.
    parameters
        Its own parameters.
    axes
        What it needs to know of its input's axes: `sfreq` (Hz), `freqs` (Hz).
    by_steps
        Whether it is trained by gradient steps, so that the settings of training may be searched.
    own_normalisation
        Whether it takes its input as it stands, in dB or microvolts.
    """

    module: str
    name: str
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    axes: tuple[str, ...] = ()
    by_steps: bool = True
    own_normalisation: bool = False


MODELS = {
    "lstm": Entry(
        "eegwf.models.lstm",
        "LSTM",
        IMAGES,
        ("width", "hidden", "layers", "bidirectional", "attention", "heads", "dropout", "layout"),
    ),
    "transformer": Entry("eegwf.models.transformer", "Transformer", IMAGES, TOKENS),
    "vit": Entry(
        "eegwf.models.vit",
        "ViT",
        IMAGES,
        (
            *("patch_freqs", "patch_times", "width", "depth", "heads", "mlp_ratio", "dropout", "layout", "pool"),
            *PRETRAINED,
        ),
    ),
    "swin": Entry(
        "eegwf.models.swin",
        "Swin",
        IMAGES,
        (
            *("patch", "window", "width", "depths", "heads", "mlp_ratio", "dropout", "attention_dropout", "drop_path"),
            *("layout", *PRETRAINED),
        ),
    ),
    "transcnn": Entry("eegwf.models.transcnn", "TransCNN", IMAGES, ("filters", "stages", *TOKENS)),
    "inception": Entry("eegwf.models.inception", "Inception", IMAGES, ("cut", "frozen", "pretrained", *TOKENS)),
    "eegnet": Entry(
        "eegwf.models.eegnet",
        "EEGNet",
        ANY,
        ("temporal_filters", "spatial_filters", "pointwise_filters", "kernel", "separable_kernel", "dropout"),
        axes=("sfreq",),
    ),
    "bandpower": Entry(
        "eegwf.models.bandpower",
        "BandPower",
        ANY,
        ("C", "relative"),
        axes=("sfreq", "freqs"),
        by_steps=False,
        own_normalisation=True,
    ),
}

BACKBONE = Entry("eegwf.models.backbone", "Backbone", IMAGES, ("timm", "dropout", "drop_path", "layout", "pretrained"))
"""Any network of timm: a model with the parameter `timm`, under a name of the config's own."""


def entry_of(model: str, parameters: dict[str, Any]) -> Entry | None:
    """The entry of a model: one of the table, or a backbone if its parameters name one; None if there is none."""
    return MODELS.get(model) or (BACKBONE if "timm" in parameters else None)


def class_of(model: str, parameters: dict[str, Any]) -> type:
    """The class of a model; its module is loaded."""
    entry = entry_of(model, parameters)
    return getattr(importlib.import_module(entry.module), entry.name)


def build(model: str, shape: dict[str, int], parameters: dict[str, Any], axes: dict[str, Any] | None = None):
    """Make a model with fresh weights.

    Parameters
    ----------
    model
        Name in the table, or any with the parameter `timm`.
    shape
        `n_chans`, `n_freqs`, `n_times` and `n_outputs`.
    parameters
        The model's own parameters.
    axes
        `sfreq` and `freqs` of the input, for the models that need them.

    Returns
    -------
    torch.nn.Module
        `(batch, n_chans, n_freqs, n_times)` in, logits `(batch, n_outputs)` out; its `features` is the layer whose
        output `(batch, channels, height, width)` Grad-CAM reads, and `to_input` lays such maps over the input. One
        with `constrain` wants it called after every step; one with `fit` is not trained by steps.

    Raises
    ------
    ValueError
        If the parameters don't agree.
    """
    entry = entry_of(model, parameters)
    known = {name: axes[name] for name in entry.axes}
    make = class_of(model, parameters)
    from eegwf.models.dropout import faster_dropout  # brings torch

    try:
        return faster_dropout(make(**shape, **known, **parameters))
    except (ArithmeticError, AssertionError, AttributeError, IndexError, RuntimeError, TypeError) as error:
        # A width of 32.5 or no blocks: whatever it breaks inside, the parameters are at fault.
        raise ValueError(f"{model} can't be made of {parameters}: {type(error).__name__}: {error}") from error
