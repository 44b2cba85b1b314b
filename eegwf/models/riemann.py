"""Logistic regression on covariance matrices of the channels, in the tangent space of their Riemannian mean."""

import numpy as np
import torch
from torch import nn

from eegwf.models.classical_features import MIN_POWER, band_membership
from eegwf.models.logistic_regression import fit_logistic_regression
from eegwf.models.spd_matrices import inverse_root, pack, riemannian_mean, tangent_vectors, unpack

MAX_MEAN_WINDOWS = 2000
"""Training windows of which the mean is computed. More would take long and hardly move it."""
CHUNK = 1024
"""Windows whose tangent vectors are computed together."""


class Riemann(nn.Module):
    """Logistic regression on tangent vectors of covariance matrices (Barachant et al. 2012).

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window: a time series in microvolts, so that `n_freqs` is 1, with its samples as frames.
    n_outputs
        Number of classes.
    sfreq
        Sampling rate in Hz.
    C
        Inverse regularization strength, as in scikit-learn's `LogisticRegression`.
    shrinkage
        Fraction of the identity matrix, times the mean variance of the channels (at least 0.001 squared microvolts), in
        the regularized covariance matrices; between 0 and 1. With an average reference, they are singular without it.
    bands
        `none`: one covariance matrix of the samples. `classical`: one for each of the bands of `ClassicalFeatures`, as
        the real part of the cross-periodogram (Hann window) summed over the frequencies of the band, and a block of
        tangent vectors for each.

    Raises
    ------
    ValueError
        If the input is a spectrogram, no band contains a frequency, or a parameter is out of range.

    Notes
    -----
    The tangent vectors are computed in double precision, and not standardized, since they have a common unit. The model
    is not trained by gradient descent: `fit` computes the Riemannian mean of the training windows, of at most
    `MAX_MEAN_WINDOWS` of them at equal distances, and solves the convex problem with scikit-learn.
    """

    weights: torch.Tensor
    taper: torch.Tensor
    whitening: torch.Tensor

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
        n_outputs: int,
        *,
        sfreq: float,
        C: float = 1.0,
        shrinkage: float = 0.1,
        bands: str = "none",
    ):
        super().__init__()
        if n_freqs != 1:
            raise ValueError(f"riemann: n_freqs is {n_freqs}; expected a time series, with n_freqs 1")
        if not 0 < shrinkage < 1:
            raise ValueError(f"riemann: shrinkage is {shrinkage}; expected a number between 0 and 1")
        if bands not in ("none", "classical"):
            raise ValueError(f"riemann: unknown bands {bands!r}; expected none or classical")
        self.n_chans, self.C, self.shrinkage = n_chans, C, shrinkage
        membership = np.ones((1, n_frames // 2 + 1))
        taper = torch.ones(n_frames, dtype=torch.float64)
        if bands != "none":
            membership = band_membership(np.fft.rfftfreq(n_frames, 1 / sfreq)[None], bands)[0]
            taper = torch.hann_window(n_frames, dtype=torch.float64)
        # A bin of the periodogram stands for two frequencies, except the first one and the last one of an even number.
        double = torch.full((n_frames // 2 + 1,), 2.0, dtype=torch.float64)
        double[0] = 1.0
        double[n_frames // 2 :] = 2.0 - (n_frames % 2 == 0)
        scaled = torch.from_numpy(membership) * double / (n_frames * taper.square().sum())
        self.register_buffer("weights", scaled, persistent=False)
        self.register_buffer("taper", taper, persistent=False)
        n_bands, n_pairs = len(membership), n_chans * (n_chans + 1) // 2
        self.register_buffer("whitening", torch.eye(n_chans, dtype=torch.float64).repeat(n_bands, 1, 1))
        self.head = nn.Linear(n_bands * n_pairs, n_outputs)
        self.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of time series `(batch, n_chans, 1, n_times)`, not normalized."""
        return self.logits(self.features(x))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Return the upper triangles of the regularized covariance matrices, float64 `(batch, n_bands, n_pairs)`."""
        series = x[:, :, 0].double()
        spectrum = torch.fft.rfft((series - series.mean(dim=2, keepdim=True)) * self.taper)
        parts = []
        for weight in self.weights:
            kept = weight.nonzero()[:, 0]
            inside = spectrum[:, :, kept] * weight[kept].sqrt()
            parts.append(inside.real @ inside.real.mT + inside.imag @ inside.imag.mT)
        covariance = torch.stack(parts, dim=1)
        variance = covariance.diagonal(dim1=2, dim2=3).mean(dim=2)[..., None, None]
        identity = torch.eye(self.n_chans, dtype=covariance.dtype, device=covariance.device)
        target = variance.clamp_min(MIN_POWER) * identity
        return pack((1 - self.shrinkage) * covariance + self.shrinkage * target)

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of windows with these covariance matrices."""
        return self.head(self._tangent(features).to(self.head.weight))

    @torch.no_grad()
    def fit(self, features: np.ndarray, label: np.ndarray, weight: np.ndarray | None) -> None:
        """Fit the reference of the tangent space and the coefficients to training windows.

        Parameters
        ----------
        features
            Covariance matrices of the windows as returned by `features`, `(n_windows, n_bands, n_pairs)`.
        label
            Index of each window's class, `(n_windows,)`. Every class must occur.
        weight
            Weight of each window in the loss, `(n_windows,)`; None gives all windows the same weight. The
            reference is not weighted.
        """
        given = torch.from_numpy(features).to(self.whitening)
        chosen = np.unique(np.linspace(0, len(given) - 1, MAX_MEAN_WINDOWS).round().astype(int))
        for band in range(len(self.whitening)):
            self.whitening[band] = inverse_root(riemannian_mean(unpack(given[chosen, band], self.n_chans)))
        tangent = torch.cat([self._tangent(part) for part in given.split(CHUNK)])
        fit_logistic_regression(self.head, tangent.cpu().numpy(), label, self.C, weight)

    def _tangent(self, features: torch.Tensor) -> torch.Tensor:
        """Tangent vectors of all bands, `(batch, n_bands * n_pairs)`."""
        return tangent_vectors(unpack(features, self.n_chans), self.whitening).flatten(1)
