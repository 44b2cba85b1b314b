"""Log band power and logistic regression: the classical floor."""

from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

# Hz; after Nuwer et al. 1999, with the sub-bands of beta and gamma left whole.
BANDS = {"delta": (0.5, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0), "gamma": (30.0, 80.0)}
LEAST = 1e-3  # microvolts squared, so that a flat channel has a logarithm
DECIBEL = 10.0


class BandPower(nn.Module):
    """Logistic regression on the log power of each channel in the classical bands.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window: `n_freqs` 1 for the time series in microvolts, otherwise a spectrogram in dB.
    n_outputs
        Number of classes.
    sfreq
        Samples a second of the time series.
    freqs
        Frequencies of the spectrogram in Hz: `n_freqs` of them, or as many lists of them as are stacked on the channel
        axis. Of the time series they are those of its periodogram.
    C
        Inverse strength of the penalty on squared coefficients, scikit-learn's `C`.
    relative
        Take each band's share of the sum over the bands. What is summed are mean powers, so a wide band counts no more
        than a narrow one.

    Raises
    ------
    ValueError
        If no frequency lies in any band.

    Notes
    -----
    The mean power over time of the time series' periodogram (Hann window), or of the spectrogram's cells, is averaged
    over the frequencies of each band; its logarithm is standardised by the training windows. It is not trained by
    steps: `fit` finds the one solution (scikit-learn's lbfgs, in double precision). `n_bands * n_chans * n_outputs +
    n_outputs` coefficients.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_times: int,
        n_outputs: int,
        *,
        sfreq: float,
        freqs: Any = None,
        C: float = 1.0,
        relative: bool = False,
    ):
        super().__init__()
        self.raw = n_freqs == 1
        self.shape = (n_freqs, n_times)
        self.C, self.relative = C, relative
        hertz = np.fft.rfftfreq(n_times, 1 / sfreq) if self.raw else np.asarray(freqs, dtype=float)
        membership = _membership(np.atleast_2d(hertz))
        n_parts, self.n_bands = membership.shape[:2]
        if n_chans % n_parts:
            raise ValueError(f"bandpower: {n_chans} channels are no multiple of {n_parts} lists of frequencies")
        weights = membership / np.maximum(membership.sum(axis=2, keepdims=True), 1)
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32), persistent=False)
        self.register_buffer("taper", torch.hann_window(n_times if self.raw else 1), persistent=False)
        self.register_buffer("mean", torch.zeros(n_chans, self.n_bands))
        self.register_buffer("deviation", torch.ones(n_chans, self.n_bands))
        self.features = nn.Identity()
        self.head = nn.Linear(n_chans * self.n_bands, n_outputs)
        self.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of windows `(batch, n_chans, n_freqs, n_times)`, not normalised."""
        standard = (self.log_power(x) - self.mean) / self.deviation
        return self.head(self.features(standard[..., None])[..., 0].flatten(1))

    def log_power(self, x: torch.Tensor) -> torch.Tensor:
        """Log band power `(batch, n_chans, n_bands)`, natural logarithm."""
        if self.raw:
            series = x[:, :, 0] - x[:, :, 0].mean(dim=2, keepdim=True)
            power = torch.fft.rfft(series * self.taper).abs().square() / self.taper.square().sum()
        else:
            power = torch.exp(x * (np.log(10.0) / DECIBEL)).mean(dim=3)
        power = power.unflatten(1, (self.weights.shape[0], -1))
        bands = torch.einsum("npcf,pbf->npcb", power, self.weights).flatten(1, 2).clamp_min(LEAST)
        if self.relative:
            bands = bands / bands.sum(dim=2, keepdim=True)
        return bands.log()

    @torch.no_grad()
    def fit(self, log_power: np.ndarray, label: np.ndarray, class_weight: dict[int, float] | None) -> None:
        """Take standardisation and coefficients from training windows.

        Parameters
        ----------
        log_power
            What `log_power` gives of them, `(n_windows, n_chans, n_bands)`.
        label
            Class of each, `(n_windows,)`; every class is there.
        class_weight
            Weight of each class; None for equal weights of all windows.
        """
        features = log_power.astype(np.float64)
        mean, deviation = features.mean(axis=0), features.std(axis=0)
        deviation[deviation < 1e-6] = 1.0
        solver = LogisticRegression(C=self.C, class_weight=class_weight, max_iter=2000)
        solver.fit(((features - mean) / deviation).reshape(len(features), -1), label)
        coefficients, intercept = solver.coef_, solver.intercept_
        if len(coefficients) == 1:  # two classes: scikit-learn keeps the difference of their logits
            coefficients = np.concatenate([-coefficients, coefficients]) / 2
            intercept = np.concatenate([-intercept, intercept]) / 2
        for target, value in (
            (self.mean, mean),
            (self.deviation, deviation),
            (self.head.weight, coefficients),
            (self.head.bias, intercept),
        ):
            target.copy_(torch.from_numpy(value))

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, n_bands, 1)` of `features` as maps `(batch, n_freqs, n_times)`: alike at all times."""
        if self.raw:
            return maps[:, 0].mean(dim=1, keepdim=True).expand(-1, *self.shape)
        spread = (self.weights > 0).float().mean(dim=0)
        return torch.einsum("nb,bf->nf", maps[:, 0, :, 0], spread)[:, :, None].expand(-1, *self.shape)


def _membership(freqs: np.ndarray) -> np.ndarray:
    """Which frequencies `(n_parts, n_freqs)` lie in which band, `(n_parts, n_bands, n_freqs)`; empty bands left out.

    Raises
    ------
    ValueError
        If all of them are empty.
    """
    inside = np.stack([(freqs >= low) & (freqs < high) for low, high in BANDS.values()], axis=1)
    kept = inside.any(axis=2).all(axis=0)
    if not kept.any():
        raise ValueError(f"bandpower: no band holds a frequency of {freqs.min():g} to {freqs.max():g} Hz")
    return inside[:, kept].astype(np.float64)
