"""Samples of the example windows, and the relevance of the samples of all explained windows."""

import numpy as np
import torch

from eegwf.attribution.fold import FoldTask
from eegwf.attribution.signal_gradient import signal_relevance
from eegwf.data.context import n_context, without_context

N_AT_ONCE = 16
"""Windows whose samples are in memory at the same time."""
COLUMNS_PER_SECOND, MAX_COLUMNS = 4, 240


def explained_signals(task: FoldTask, examples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Samples of the examples with their relevance, and the relevance of all windows over time, without context.

    Parameters
    ----------
    task
        Windows, classifiers and settings.
    examples
        Numbers of the examples among the explained windows.

    Returns
    -------
    example_signals
        Microvolts and relevance, `(n_examples, 2, n_signal_chans, n_times)`; empty without samples.
    window_relevance
        Of `over_time`, `(n_windows, n_signal_chans, n_columns)`; empty without samples.

    Notes
    -----
    The relevance is 0 for a model without a gradient.
    """
    if task.transform is None or task.signal_axes is None or not len(task.windows.window):
        return np.zeros((0, 2, 0, 0), dtype=np.float32), np.zeros((0, 0, 0), dtype=np.float16)
    kept: dict[int, np.ndarray] = {}
    columns, context = [], n_context(task.signal_axes)
    for start in range(0, len(task.windows.window), N_AT_ONCE):
        index = np.arange(start, min(start + N_AT_ONCE, len(task.windows.window)))
        rows = task.windows.window[index]
        signals = task.read_signals(rows)
        relevance = torch.zeros_like(signals)
        if task.differentiable:
            target = torch.from_numpy(task.target[index]).to(task.device)
            relevance = signal_relevance(task.classifier, task.transform, signals, target, rows, task.normalize)
        both = torch.stack([signals, relevance], dim=1).cpu().numpy().astype(np.float32)
        columns.append(over_time(without_context(both[:, 1], context), task.signal_axes["sfreq"]))
        kept |= {int(number): both[place] for place, number in enumerate(index) if number in examples}
    shape = (0, 2, *columns[0].shape[1:2], task.signal_axes["n_times"])
    chosen = np.stack([kept[int(number)] for number in examples]) if len(examples) else np.zeros(shape, np.float32)
    return chosen, np.concatenate(columns)


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
