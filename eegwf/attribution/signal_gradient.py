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
COLUMNS_PER_SECOND, MAX_COLUMNS = 4, 240


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


def over_time(relevance: np.ndarray, sfreq: float) -> np.ndarray:
    """Sum the relevance of samples over short columns of time.

    Parameters
    ----------
    relevance
        Relevance of each sample, `(n, n_signal_chans, n_times)`.
    sfreq
        Sampling rate in Hz.

    Returns
    -------
    array (n, n_signal_chans, n_columns)
        float16, divided by the largest magnitude of each window; `COLUMNS_PER_SECOND`, at most `MAX_COLUMNS` in all.
        0 for a window without relevance.
    """
    n_times = relevance.shape[-1]
    n_columns = min(max(round(n_times / sfreq * COLUMNS_PER_SECOND), 1), MAX_COLUMNS, n_times)
    first = np.linspace(0, n_times, n_columns, endpoint=False).astype(int)
    sums = np.add.reduceat(relevance.astype(np.float64), first, axis=-1)
    largest = np.abs(sums).max(axis=(1, 2), keepdims=True, initial=0)
    return (sums / np.where(largest > 0, largest, 1)).astype(np.float16)


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
