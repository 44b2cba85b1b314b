"""Predictions whose bits do not depend on the other windows that are predicted with a window."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from eegwf.training.batch_loader import BatchLoader
from eegwf.training.classifier import Classifier
from eegwf.training.recording_normalization import input_for
from eegwf.training.spectrogram_dataset import SpectrogramDataset

BATCH = 32
"""Windows of a forward pass. Sums in matrix products can differ in the last bit with the number of windows. All batches
therefore have this number, the last one padded with zeros, so that a window of a single recording has the prediction
that it has among those of a whole study."""


@torch.no_grad()
def batch_logits(classifier: Classifier, x: torch.Tensor) -> torch.Tensor:
    """Compute the logits of at most `BATCH` windows in evaluation mode and single precision.

    Parameters
    ----------
    classifier
        Classifier in evaluation mode.
    x
        Float32 windows `(n_windows, n_chans, n_freqs, n_frames)` on the device of the classifier.

    Returns
    -------
    torch.Tensor
        Logits `(n_windows, n_outputs)` on that device.
    """
    n_windows = len(x)
    if n_windows < BATCH:
        x = torch.cat([x, x.new_zeros(BATCH - n_windows, *x.shape[1:])])
    return classifier(x).float()[:n_windows]


def predict_rows(classifier: Classifier, dataset: SpectrogramDataset, rows: np.ndarray) -> torch.Tensor:
    """Compute the logits of windows of a study.

    Parameters
    ----------
    classifier
        Classifier, which is set to evaluation mode.
    dataset
        Spectrograms of the study.
    rows
        Rows of the windows.

    Returns
    -------
    torch.Tensor
        Logits `(len(rows), n_outputs)` on the device of the classifier.
    """
    if not len(rows):
        return torch.zeros(0, 0)
    classifier.eval()
    dataset = input_for(dataset, classifier.normalization.kind)
    loader = BatchLoader(dataset, rows, str(next(classifier.parameters()).device), resident=False)
    return torch.cat([batch_logits(classifier, x) for x in loader.stream(list(batches(rows)))])


def batches(rows: Sequence[int] | np.ndarray) -> Iterator[np.ndarray]:
    """Parts of at most `BATCH` rows."""
    for start in range(0, len(rows), BATCH):
        yield np.asarray(rows[start : start + BATCH])
