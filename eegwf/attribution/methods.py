"""Table of the attribution methods.

It imports without torch, so that the workflow can check a configuration with it.
"""

from dataclasses import dataclass

from eegwf.models.registry import MODELS

ALL = (*MODELS, "timm")
"""The models of the table, and `timm` for any network of timm."""
DIFFERENTIABLE = tuple(name for name in ALL if name == "timm" or MODELS[name].differentiable)
NETWORKS = tuple(name for name in ALL if name == "timm" or MODELS[name].gradient_trained)
NO_GRADIENT = "its score is a piecewise constant function of the input, so that its gradient is zero or undefined"
TOKENS = ("vit", "transformer")


@dataclass(frozen=True)
class Method:
    """An attribution method.

    Attributes
    ----------
    title
        Name in tables and figures.
    module, function
        Module of `eegwf.attribution` and function.
    models
        Models for which it is valid; `timm` for any network of timm.
    reason
        Why it is not valid for the others.
    signed
        Whether its values have a sign: positive values increase the score of the class.
    class_specific
        Whether its maps depend on the class that is explained.
    """

    title: str
    module: str
    function: str
    models: tuple[str, ...] = ALL
    reason: str = ""
    signed: bool = True
    class_specific: bool = True


def _gradient_method(title: str, function: str, signed: bool = True) -> Method:
    return Method(title, "gradients", function, models=DIFFERENTIABLE, reason=NO_GRADIENT, signed=signed)


METHODS = {
    "saliency": _gradient_method("saliency", "saliency", signed=False),
    "input_x_gradient": _gradient_method("input x gradient", "input_x_gradient"),
    "smoothgrad": _gradient_method("SmoothGrad", "smoothgrad", signed=False),
    "integrated_gradients": _gradient_method("integrated gradients", "integrated_gradients"),
    "shapley_gradients": _gradient_method("Shapley gradients", "shapley_gradients"),
    "deeplift": Method(
        "DeepLift",
        "gradients",
        "deeplift",
        models=("eegnet",),
        reason="its rules are defined for layers that are applied to one input; the network multiplies activations by "
        "each other, or has nonlinearities for which there is no rule",
    ),
    "gradcam": Method(
        "Grad-CAM",
        "cam",
        "gradcam",
        models=tuple(name for name in NETWORKS if name != "lstm"),
        reason="it has no feature maps with positions, or pools them by attention, so that the mean of the gradients "
        "over the positions is not the weight of a feature",
        signed=False,
    ),
    "hirescam": Method(
        "HiResCAM",
        "cam",
        "hirescam",
        models=NETWORKS,
        reason="it has no feature maps with positions in frequency and time",
    ),
    "attention_rollout": Method(
        "attention rollout",
        "attention",
        "rollout",
        models=TOKENS,
        reason="its layers are not self-attention over tokens of the whole window",
        signed=False,
        class_specific=False,
    ),
    "gradient_attention": Method(
        "gradient-weighted attention",
        "attention",
        "gradient_attention",
        models=TOKENS,
        reason="its layers are not self-attention over tokens of the whole window",
        signed=False,
    ),
    "attention_weights": Method(
        "attention weights",
        "attention",
        "attention_weights",
        models=("lstm",),
        reason="it has no attention that pools the time frames",
        signed=False,
        class_specific=False,
    ),
    "occlusion": Method("occlusion", "occlusion", "occlusion"),
}

CONTROLS = {
    "random": Method("random map", "controls", "random_map", signed=False, class_specific=False),
    "energy": Method("energy of the input", "controls", "energy", signed=False, class_specific=False),
}
"""Maps that know nothing of the model, computed by the same code: a method must explain more than they do."""


def entry(method: str) -> Method:
    """Entry of a method or control; raises KeyError if there is none."""
    return METHODS[method] if method in METHODS else CONTROLS[method]


def refusal(method: str, model: str) -> str:
    """Reason why a method is not valid for a model.

    Parameters
    ----------
    method
        Name of a method.
    model
        Name of a model; one that is not in the table of models is a network of timm.

    Returns
    -------
    str
        The reason; empty if the method is valid.
    """
    found = METHODS[method]
    valid = (model if model in MODELS else "timm") in found.models
    return "" if valid else f"{found.title}: not defined for {model}; {found.reason}"


def methods_of(model: str) -> tuple[str, ...]:
    """Names of the methods that are valid for a model."""
    return tuple(method for method in METHODS if not refusal(method, model))
