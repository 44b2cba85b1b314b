"""Relevance of each sample of the signal, through the differentiable spectrogram."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from eegwf.attribution.signal_transform import Normalize, SignalTransform, unnormalized
from eegwf.attribution.target import contrast
from eegwf.training.classifier import Classifier

BATCH_BYTES = 1 << 20
"""Bytes of the signals per backward pass. Autograd keeps several times the number of values of the wavelet transform,
which is that of the samples times that of the frequencies."""


def signal_relevance(
    classifier: Classifier,
    transform: SignalTransform,
    signals: torch.Tensor,
    target: torch.Tensor,
    rows: np.ndarray | None = None,
    normalize: Normalize = unnormalized,
) -> torch.Tensor:
    """Multiply each sample by the derivative of the contrast of a class with respect to it.

    Parameters
    ----------
    classifier
        Classifier in evaluation mode.
    transform
        Transform of the signals to its inputs.
    signals
        Windows in microvolts, `(n, n_signal_chans, n_times)`.
    target
        Index of the class that is explained, for each window, `(n,)`.
    rows
        Rows of the windows in the arrays; None for 0 to n - 1.
    normalize
        Normalization of their inputs by recording.

    Returns
    -------
    torch.Tensor
        Relevance in the unit of the contrast, of the shape of the signals. The gradient is that of the spectrogram
        before it is rounded to float16.
    """
    rows = np.arange(len(signals)) if rows is None else rows
    size = max(1, BATCH_BYTES // (4 * signals[0].numel())) if len(signals) else 1
    parts = [slice(start, start + size) for start in range(0, len(signals), size)] or [slice(0)]

    def inputs_of(part: slice, x: torch.Tensor) -> torch.Tensor:
        return normalize(transform(x), rows[part])

    return torch.cat([_relevance(classifier, partial(inputs_of, part), signals[part], target[part]) for part in parts])


def _relevance(
    classifier: Classifier,
    inputs_of: Callable[[torch.Tensor], torch.Tensor],
    signals: torch.Tensor,
    target: torch.Tensor,
) -> torch.Tensor:
    x = signals.detach().requires_grad_()
    with torch.enable_grad():
        score = contrast(classifier(inputs_of(x)), target).sum()
        (gradient,) = torch.autograd.grad(score, x)
    return gradient * signals.detach()
