"""Logistic regression on log band power: the classical baseline."""

from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

# Hz; after Nuwer et al. 1999, with the sub-bands of beta and gamma merged.
BANDS = {"delta": (0.5, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0), "gamma": (30.0, 80.0)}
MIN_POWER = 1e-3  # squared microvolts; lower limit, so that the logarithm of a flat channel is finite
MIN_DEVIATION = 1e-6


class BandPower(nn.Module):
    """Logistic regression on the log power of each channel in the classical bands.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window: a time series in microvolts if `n_freqs` is 1, with its samples as frames; otherwise a
        spectrogram in dB.
    n_outputs
        Number of classes.
    sfreq
        Sampling rate of the time series in Hz.
    freqs
        Frequencies of the spectrogram in Hz: a list of `n_freqs` values, or one list for each of the spectrograms that
        are stacked on the channel axis. Not used for a time series, whose frequencies are those of its periodogram.
    C
        Inverse regularization strength, as in scikit-learn's `LogisticRegression`.
    relative
        Whether to divide the power of each band by the sum over the bands. The sum is over mean powers, so that the
        width of a band has no influence.

    Raises
    ------
    ValueError
        If no band contains a frequency, or the channels are not a multiple of the stacked spectrograms.

    Notes
    -----
    The mean power over time of the time series' periodogram (Hann window), or of the spectrogram's cells, is averaged
    over the frequencies of each band; its logarithm is standardized by the training windows. The model is not trained
    by gradient descent: `fit` solves the convex problem with scikit-learn (lbfgs, in double precision). It has
    `n_bands * n_chans * n_outputs + n_outputs` coefficients.
    """

    weights: torch.Tensor
    taper: torch.Tensor
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
    ):
        super().__init__()
        self.raw = n_freqs == 1
        self.C, self.relative = C, relative
        bin_freqs = np.fft.rfftfreq(n_frames, 1 / sfreq) if self.raw else np.asarray(freqs, dtype=float)
        membership = _band_membership(np.atleast_2d(bin_freqs))
        n_parts, self.n_bands = membership.shape[:2]
        if n_chans % n_parts:
            raise ValueError(
                f"bandpower: n_chans is {n_chans}; expected a multiple of {n_parts}, the number of stacked spectrograms"
            )
        weights = membership / np.maximum(membership.sum(axis=2, keepdims=True), 1)
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32), persistent=False)
        self.register_buffer("taper", torch.hann_window(n_frames if self.raw else 1), persistent=False)
        self.register_buffer("mean", torch.zeros(n_chans, self.n_bands))
        self.register_buffer("deviation", torch.ones(n_chans, self.n_bands))
        self.head = nn.Linear(n_chans * self.n_bands, n_outputs)
        self.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of windows `(batch, n_chans, n_freqs, n_frames)`, not normalized."""
        return self.logits(self.log_power(x))

    def logits(self, log_power: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of windows whose log band power is `(batch, n_chans, n_bands)`."""
        features = (log_power - self.mean) / self.deviation
        return self.head(features.flatten(1))

    def log_power(self, x: torch.Tensor) -> torch.Tensor:
        """Return the natural logarithm of the band power, `(batch, n_chans, n_bands)`."""
        if self.raw:
            series = x[:, :, 0] - x[:, :, 0].mean(dim=2, keepdim=True)
            power = torch.fft.rfft(series * self.taper).abs().square() / self.taper.square().sum()
        else:
            power = torch.exp(x * (np.log(10.0) / 10.0)).mean(dim=3)
        power = power.unflatten(1, (self.weights.shape[0], -1))
        bands = torch.einsum("npcf,pbf->npcb", power, self.weights).flatten(1, 2).clamp_min(MIN_POWER)
        if self.relative:
            bands = bands / bands.sum(dim=2, keepdim=True)
        return bands.log()

    @torch.no_grad()
    def fit(
        self,
        log_power: np.ndarray,
        label: np.ndarray,
        class_weight: dict[int, float] | None,
        window_weight: np.ndarray | None = None,
    ) -> None:
        """Fit the standardization and the coefficients to training windows.

        Parameters
        ----------
        log_power
            Log band power of the windows as returned by `log_power`, `(n_windows, n_chans, n_bands)`.
        label
            Index of each window's class, `(n_windows,)`. Every class must occur.
        class_weight
            Weight of each class; None gives all classes the same weight.
        window_weight
            Weight of each window, `(n_windows,)`, by which that of its class is multiplied; None gives all windows the
            same weight. The standardization is not weighted.
        """
        features = log_power.astype(np.float64)
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        deviation[deviation < MIN_DEVIATION] = 1.0  # constant features
        solver = LogisticRegression(C=self.C, class_weight=class_weight, max_iter=2000)
        solver.fit(((features - mean) / deviation).reshape(len(features), -1), label, sample_weight=window_weight)
        coefficients, intercept = solver.coef_, solver.intercept_
        if len(coefficients) == 1:  # for two classes scikit-learn stores only the difference of the logits
            coefficients = np.concatenate([-coefficients, coefficients]) / 2
            intercept = np.concatenate([-intercept, intercept]) / 2
        for target, value in (
            (self.mean, mean),
            (self.deviation, deviation),
            (self.head.weight, coefficients),
            (self.head.bias, intercept),
        ):
            target.copy_(torch.from_numpy(value))


def _band_membership(freqs: np.ndarray) -> np.ndarray:
    """Return whether each frequency lies in each band, as 0 or 1.

    Parameters
    ----------
    freqs
        Frequencies `(n_parts, n_freqs)` of the stacked spectrograms, in Hz.

    Returns
    -------
    np.ndarray
        Membership `(n_parts, n_bands, n_freqs)`, only of the bands that contain a frequency of every spectrogram.

    Raises
    ------
    ValueError
        If there is no such band.
    """
    inside = np.stack([(freqs >= low) & (freqs < high) for low, high in BANDS.values()], axis=1)
    kept = inside.any(axis=2).all(axis=0)
    if not kept.any():
        raise ValueError(
            f"bandpower: no band contains a frequency of the input, {freqs.min():g} to {freqs.max():g} Hz; expected "
            f"frequencies from {BANDS['delta'][0]:g} to {BANDS['gamma'][1]:g} Hz"
        )
    return inside[:, kept].astype(np.float64)
