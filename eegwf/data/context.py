"""Context: the signal before and after a window that is stored with it (`windows.context`)."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def n_context(axes: Mapping[str, Any]) -> int:
    """Samples of context before each window, and after it.

    Parameters
    ----------
    axes
        Description of the array of windows, `windows.json`.

    Returns
    -------
    int
        0 for windows without context, whose description has no such entry.
    """
    return int(axes.get("context", 0))


def without_context(samples: np.ndarray, context: int) -> np.ndarray:
    """Samples of the windows alone, which do not depend on the context with which they are stored.

    Parameters
    ----------
    samples
        Windows with their context, `(..., n_times)`.
    context
        Samples of context before each window, and after it.

    Returns
    -------
    array (..., n_times - 2 * context)
        A view, which reads nothing of an array in a file.
    """
    return samples[..., context : samples.shape[-1] - context]


def reflected(signal: np.ndarray, before: int, after: int) -> np.ndarray:
    """Continue a signal beyond its ends by its mirror image.

    Parameters
    ----------
    signal
        Signal, `(n_chans, n_times)`.
    before, after
        Samples to add at the beginning and at the end.

    Returns
    -------
    array (n_chans, before + n_times + after)
        The sample at an end is not repeated; of a signal shorter than what is added, the mirror image is itself
        reflected, as often as needed (`numpy.pad` with mode `reflect`). Zeros instead would have a log power that no
        signal has.
    """
    return np.pad(signal, ((0, 0), (before, after)), mode="reflect") if before or after else signal
