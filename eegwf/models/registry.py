"""Table of the models. It imports without torch, so that the workflow can plan with it.

The hyperparameters of a model are the keyword-only arguments of its constructor; they are read from its source.
"""

import ast
import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SPECTROGRAM_INPUTS = ("mel", "cwt", "stft", "concat", "acf")
ANY_INPUT = (*SPECTROGRAM_INPUTS, "raw")
POWER_INPUTS = tuple(name for name in ANY_INPUT if name != "acf")
CLASSICAL: dict[str, Any] = {"gradient_trained": False, "normalizes_input": True}
# Keyword-only arguments of a constructor that describe the axes of the input: sampling rate and frequencies in Hz.
AXES = ("sfreq", "freqs")


@dataclass(frozen=True)
class ModelEntry:
    """A model of the table.

    Attributes
    ----------
    module, name
        Module of `eegwf.models` and class.
    inputs
        Spectrograms that it accepts; `raw` is the time series, and `concat` the stack of any of them.
    gradient_trained
        Whether it is trained by gradient descent, so that training settings can be searched.
    normalizes_input
        Whether it normalizes its input itself, and receives it in its unit, dB or microvolts.
    differentiable
        Whether its logits have a gradient with respect to the input.
    """

    module: str
    name: str
    inputs: tuple[str, ...] = SPECTROGRAM_INPUTS
    gradient_trained: bool = True
    normalizes_input: bool = False
    differentiable: bool = True


MODELS = {
    "lstm": ModelEntry("eegwf.models.lstm", "LSTM"),
    "transformer": ModelEntry("eegwf.models.transformer", "Transformer"),
    "vit": ModelEntry("eegwf.models.vit", "ViT"),
    "swin": ModelEntry("eegwf.models.swin", "Swin"),
    "transcnn": ModelEntry("eegwf.models.transcnn", "TransCNN"),
    "inception": ModelEntry("eegwf.models.inception", "Inception"),
    "sharedcnn": ModelEntry("eegwf.models.sharedcnn", "SharedCNN"),
    "eegnet": ModelEntry("eegwf.models.eegnet", "EEGNet", ANY_INPUT),
    "bandpower": ModelEntry("eegwf.models.bandpower", "BandPower", POWER_INPUTS, **CLASSICAL),
    "boosting": ModelEntry("eegwf.models.boosting", "Boosting", POWER_INPUTS, differentiable=False, **CLASSICAL),
    "riemann": ModelEntry("eegwf.models.riemann", "Riemann", ("raw",), **CLASSICAL),
}

SPLIT_BY_WINDOW_MODEL = "bandpower"
"""Model that is scored with folds by patient and by window: one that is fitted in a moment."""

BACKBONE = ModelEntry("eegwf.models.backbone", "Backbone")
"""Any network of timm: a model with the parameter `timm`, under a name given in the configuration."""


def entry_of(model: str, parameters: dict[str, Any]) -> ModelEntry:
    """Entry of a model.

    Parameters
    ----------
    model
        Name in the table, or any other name.
    parameters
        Its parameters; with `timm` among them, another name means that network of timm.

    Returns
    -------
    ModelEntry
        Entry in the table, or that of timm's networks.

    Raises
    ------
    KeyError
        If there is no such model.
    """
    return BACKBONE if model not in MODELS and "timm" in parameters else MODELS[model]


def draws_random_numbers(model: str, parameters: dict[str, Any], class_balance: str) -> bool:
    """Whether the classifier that a training gives depends on the random seed.

    Parameters
    ----------
    model, parameters
        Name of the model, and its parameters.
    class_balance
        Setting of training.

    Returns
    -------
    bool
        False for a model that is not trained by gradient descent, unless `undersampling` draws the windows that are
        left out.
    """
    return entry_of(model, parameters).gradient_trained or class_balance == "undersampling"


@cache
def keyword_arguments(entry: ModelEntry) -> tuple[str, ...]:
    """Names of the keyword-only arguments of a model's constructor, read from its source without importing it."""
    path = Path(__file__).with_name(f"{entry.module.rpartition('.')[2]}.py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == entry.name:
            constructor = next(
                part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"
            )
            return tuple(argument.arg for argument in constructor.args.kwonlyargs)
    raise LookupError(f"{path}: no class {entry.name}")


def parameters_of(entry: ModelEntry) -> tuple[str, ...]:
    """Names of a model's hyperparameters."""
    return tuple(name for name in keyword_arguments(entry) if name not in AXES)


def axes_arguments(entry: ModelEntry) -> tuple[str, ...]:
    """Properties of its input's axes that a model needs: `sfreq`, `freqs` or neither."""
    return tuple(name for name in keyword_arguments(entry) if name in AXES)


def class_of(model: str, parameters: dict[str, Any]) -> type:
    """Class of a model; its module is imported.

    Parameters
    ----------
    model
        Name in the table, or any name with the parameter `timm`.
    parameters
        Hyperparameters of the model.

    Returns
    -------
    type
        Subclass of `torch.nn.Module`.
    """
    entry = entry_of(model, parameters)
    return getattr(importlib.import_module(entry.module), entry.name)


def build(model: str, shape: dict[str, int], parameters: dict[str, Any], axes: dict[str, Any] | None = None):
    """Make a model with new weights.

    Parameters
    ----------
    model
        Name in the table, or any name with the parameter `timm`.
    shape
        `n_chans`, `n_freqs`, `n_frames` and `n_outputs`. A time series has `n_freqs` 1, and its samples are its frames.
    parameters
        Hyperparameters of the model.
    axes
        `sfreq` and `freqs` of the input in Hz, for the models that need them.

    Returns
    -------
    torch.nn.Module
        Maps `(batch, n_chans, n_freqs, n_frames)` to logits `(batch, n_outputs)`. Its `gradcam_layer` is the layer
        whose output `(batch, channels, height, width)` Grad-CAM uses, and its `upsample_to_input` resizes such maps to
        the input. A method `constrain` is called after every optimizer step. A model with `fit` is not trained by
        gradient descent.

    Raises
    ------
    ValueError
        If the parameters are inconsistent.
    """
    known = {name: (axes or {})[name] for name in axes_arguments(entry_of(model, parameters))}
    make = class_of(model, parameters)
    from eegwf.models.dropout import faster_dropout  # imports torch

    try:
        return faster_dropout(make(**shape, **known, **parameters))
    except (ArithmeticError, AssertionError, AttributeError, IndexError, RuntimeError, TypeError) as error:
        # A width of 32.5, or no blocks: whatever fails inside, the parameters are wrong.
        raise ValueError(f"{model} can't be made of {parameters}: {type(error).__name__}: {error}") from error
