"""Logistic regression on log band power and other classical features."""

from typing import Any

import numpy as np
import torch
from torch import nn

from eegwf.models.classical_features import ClassicalFeatures
from eegwf.models.logistic_regression import fit_logistic_regression

MIN_DEVIATION = 1e-6


class BandPower(nn.Module):
    """Logistic regression on classical features: log band power, and measures of the time series.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window: a time series in microvolts if `n_freqs` is 1, with its samples as frames; otherwise a
        spectrogram in dB.
    n_outputs
        Number of classes.
    sfreq, freqs
        Axes of the input, as in `ClassicalFeatures`.
    C
        Inverse regularization strength, as in scikit-learn's `LogisticRegression`.
    relative, channels, bands, time_features
        Features, as in `ClassicalFeatures`.

    Raises
    ------
    ValueError
        If `ClassicalFeatures` has no features of this input.

    Notes
    -----
    The features are standardized by the training windows. The model is not trained by gradient descent: `fit` solves
    the convex problem with scikit-learn (lbfgs, in double precision). It has `n_features * n_outputs + n_outputs`
    coefficients.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
        n_outputs: int,
        *,
        sfreq: float,
        freqs: Any = None,
        C: float = 1.0,
        relative: bool = False,
        channels: str = "each",
        bands: str = "classical",
        time_features: bool = False,
    ):
        super().__init__()
        self.C = C
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
        self.register_buffer("mean", torch.zeros(self.features.shape))
        self.register_buffer("deviation", torch.ones(self.features.shape))
        self.head = nn.Linear(self.mean.numel(), n_outputs)
        self.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of windows `(batch, n_chans, n_freqs, n_frames)`, not normalized."""
        return self.logits(self.features(x))

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of windows with these features, `(batch, *features.shape)`."""
        return self.head(((features - self.mean) / self.deviation).flatten(1))

    @torch.no_grad()
    def fit(self, features: np.ndarray, label: np.ndarray, weight: np.ndarray | None) -> None:
        """Fit the standardization and the coefficients to training windows.

        Parameters
        ----------
        features
            Features of the windows as returned by `features`, `(n_windows, *features.shape)`.
        label
            Index of each window's class, `(n_windows,)`. Every class must occur.
        weight
            Weight of each window in the loss, `(n_windows,)`; None gives all windows the same weight. The
            standardization is not weighted.
        """
        features = features.astype(np.float64)
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        deviation[deviation < MIN_DEVIATION] = 1.0  # constant features
        standardized = ((features - mean) / deviation).reshape(len(features), -1)
        fit_logistic_regression(self.head, standardized, label, self.C, weight)
        self.mean.copy_(torch.from_numpy(mean))
        self.deviation.copy_(torch.from_numpy(deviation))
