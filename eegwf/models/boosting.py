"""Gradient boosting of decision trees on classical features."""

from typing import Any

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits
from torch import nn

from eegwf.models.classical_features import ClassicalFeatures
from eegwf.models.trees import Trees

MAX_BINS = 255


class Boosting(nn.Module):
    """Histogram gradient boosting (Friedman 2001; Ke et al. 2017) on classical features.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window: a time series in microvolts if `n_freqs` is 1, with its samples as frames; otherwise a
        spectrogram in dB.
    n_outputs
        Number of classes.
    sfreq, freqs
        Axes of the input, as in `ClassicalFeatures`.
    n_iterations
        Number of iterations, each of which adds a tree for each class (one tree for two classes).
    shrinkage
        Factor of the values of each tree: scikit-learn's `learning_rate`.
    max_leaves
        Largest number of leaves of a tree.
    min_leaf
        Smallest number of training windows in a leaf.
    l2
        L2 regularization of the values of the leaves.
    relative, channels, bands, time_features
        Features, as in `ClassicalFeatures`.

    Raises
    ------
    ValueError
        If `ClassicalFeatures` has no features of this input.

    Notes
    -----
    `fit` uses scikit-learn's `HistGradientBoostingClassifier` without early stopping, so that no windows are held out.
    It receives the numbers of bins instead of features: its own bins are weighted quantiles, which take minutes. The
    trees are copied to tensors, from which torch computes the logits. The logits are piecewise constant functions of
    the input, so that their gradients are zero or undefined.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
        n_outputs: int,
        *,
        sfreq: float,
        freqs: Any = None,
        n_iterations: int = 100,
        shrinkage: float = 0.1,
        max_leaves: int = 8,
        min_leaf: int = 20,
        l2: float = 1.0,
        relative: bool = False,
        channels: str = "each",
        bands: str = "classical",
        time_features: bool = False,
    ):
        super().__init__()
        self.features = ClassicalFeatures(
            n_chans,
            n_freqs,
            n_frames,
            sfreq=sfreq,
            freqs=freqs,
            bands=bands,
            relative=relative,
            time_features=time_features,
            channels=channels,
        )
        self.settings = {
            "max_iter": n_iterations,
            "learning_rate": shrinkage,
            "max_leaf_nodes": max_leaves,
            "min_samples_leaf": min_leaf,
            "l2_regularization": l2,
        }
        self.head = Trees(n_iterations, 1 if n_outputs == 2 else n_outputs, max_leaves)
        self.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of windows `(batch, n_chans, n_freqs, n_frames)`, not normalized."""
        return self.logits(self.features(x))

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of windows with these features."""
        outputs = self.head(features.flatten(1)).float()
        # For two classes, the trees sum up to the difference of the logits.
        return torch.cat([-outputs, outputs], dim=1) / 2 if self.head.n_outputs == 1 else outputs

    def fit(self, features: np.ndarray, label: np.ndarray, weight: np.ndarray | None) -> None:
        """Grow the trees on training windows.

        Parameters
        ----------
        features
            Features of the windows as returned by `features`, `(n_windows, *features.shape)`.
        label
            Index of each window's class, `(n_windows,)`. Every class must occur.
        weight
            Weight of each window in the loss, `(n_windows,)`; None gives all windows the same weight.

        Raises
        ------
        ValueError
            If a parameter is outside the range that scikit-learn accepts.
        """
        booster = HistGradientBoostingClassifier(
            **self.settings,
            early_stopping=False,
            categorical_features=None,
            max_bins=MAX_BINS,
            random_state=0,
        )
        columns = features.reshape(len(features), -1).astype(np.float64).T
        edges = [bin_edges(column) for column in columns]
        numbers = [np.searchsorted(own, column) for own, column in zip(edges, columns, strict=True)]
        with threadpool_limits(1, user_api="openmp"):  # sums of several threads can differ in their last bits
            booster.fit(np.stack(numbers, axis=1), label, sample_weight=weight)
        self.head.copy_from(booster._predictors, booster._baseline_prediction, edges)


def bin_edges(values: np.ndarray) -> np.ndarray:
    """Divide the values of a feature into bins of about equal numbers of windows.

    Parameters
    ----------
    values
        Values of the feature, float64 `(n_windows,)`.

    Returns
    -------
    np.ndarray
        Edges between at most `MAX_BINS` bins, in the middle between neighboring values, so that the rounding of a
        feature does not move a training window to another bin.
    """
    distinct = np.unique(values)
    last = np.arange(len(distinct) - 1)  # last value of each bin but the last one
    if len(distinct) > MAX_BINS:
        quantiles = np.quantile(values, np.arange(1, MAX_BINS) / MAX_BINS, method="inverted_cdf")
        last = np.intersect1d(np.searchsorted(distinct, quantiles), last)
    return (distinct[last] + distinct[last + 1]) / 2
