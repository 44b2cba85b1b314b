"""Networks of timm, with published weights where they are asked for and can be fetched."""

import difflib

import timm
from torch import nn

from eegwf.errors import InputError


def unknown(name: str) -> str | None:
    """What is wrong with the name of a network, and which are near it; None if timm has it."""
    if timm.is_model(name):
        return None
    near = ", ".join(difflib.get_close_matches(name, timm.list_models(), n=3, cutoff=0.5))
    return f"timm has no network {name!r}; " + (f"near it are {near}" if near else "timm.list_models() names them all")


def create(name: str, pretrained: bool, **options) -> nn.Module:
    """Make a network of timm.

    Parameters
    ----------
    name
        Its name there.
    pretrained
        Start from its published weights, which timm fetches from the Hugging Face hub or finds in its cache. The first
        layer's are fitted to the number of channels: repeated over them, and scaled to keep the sum.
    **options
        As `timm.create_model` takes them.

    Raises
    ------
    InputError
        If the weights can't be had.
    ValueError, TypeError, AssertionError, RuntimeError
        If the options don't fit the network, or the weights don't.
    """
    if not pretrained:
        return timm.create_model(name, pretrained=False, **options)
    try:
        return timm.create_model(name, pretrained=True, **options)
    except Exception as error:  # each library on the way to the weights has its own for a network that fails
        if isinstance(error, ValueError | TypeError | AssertionError):
            raise
        if isinstance(error, RuntimeError) and "No pretrained weights" not in str(error):
            raise  # weights that are there and don't fit are no matter of networks
        reason = " ".join(str(error).split())[:300]
        fetch = f"python -c \"import timm; timm.create_model('{name}', pretrained=True)\""
        raise InputError(
            f"pretrained: the weights of timm's {name} can't be had ({reason}); where jobs have no network, fetch them "
            f"once on a machine that has ({fetch}), with HF_HOME set to a folder that the jobs see, or set pretrained "
            "to false"
        ) from None
