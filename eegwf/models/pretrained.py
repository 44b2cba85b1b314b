"""Networks of timm, with or without their published weights."""

import difflib
from typing import Any

import timm
from torch import nn

from eegwf.errors import InputError


def unknown(name: str) -> str | None:
    """Return a message with similar names if timm has no network of this name, otherwise None."""
    if timm.is_model(name):
        return None
    similar = ", ".join(difflib.get_close_matches(name, timm.list_models(), n=3, cutoff=0.5))
    advice = f"similar names: {similar}" if similar else "timm.list_models() returns all names"
    return f"timm has no network {name!r}; {advice}"


def create(name: str, pretrained: bool, **options: Any) -> nn.Module:
    """Create a network of timm.

    Parameters
    ----------
    name
        Name of the network in timm.
    pretrained
        Whether to load the network's published weights, which timm downloads from the Hugging Face Hub or reads from
        its cache. The weights of the first layer are adapted to the number of input channels: they are repeated over
        the channels, and scaled so that their sum is preserved.
    **options
        Options of `timm.create_model`.

    Returns
    -------
    nn.Module
        The network.

    Raises
    ------
    InputError
        If the weights can't be loaded.
    ValueError, TypeError, AssertionError, RuntimeError
        If the options or the weights don't fit the network.
    """
    if not pretrained:
        return timm.create_model(name, pretrained=False, **options)
    try:
        return timm.create_model(name, pretrained=True, **options)
    except Exception as error:  # timm, huggingface_hub and torch.hub raise different errors without network access
        if isinstance(error, ValueError | TypeError | AssertionError):
            raise
        if isinstance(error, RuntimeError) and "No pretrained weights" not in str(error):
            raise  # the weights were loaded, but their shapes don't fit
        reason = " ".join(str(error).split())[:300]
        command = f"python -c \"import timm; timm.create_model('{name}', pretrained=True)\""
        raise InputError(
            f"pretrained: the weights of timm's {name} can't be loaded ({reason}); if jobs have no network access, "
            f"download them once on a machine that has it ({command}), with HF_HOME set to a folder that the jobs can "
            "read, or set pretrained to false"
        ) from None
