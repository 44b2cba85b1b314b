"""Features of the classical models: band power and measures of the time series, of each channel or pooled."""

from typing import Any

import numpy as np
import torch
from torch import nn

# Hz; after Nuwer et al. 1999, with the sub-bands of beta and gamma merged.
BANDS = {"delta": (0.5, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 13.0), "beta": (13.0, 30.0), "gamma": (30.0, 80.0)}
LOWEST = 0.5  # Hz; lower edge of the first fine band
MIN_POWER = 1e-3  # squared microvolts; lower limit, so that the logarithm of a flat channel is finite
# Squared microvolts; lower limit in the time series, whose differences are small if it is smooth.
MIN_SQUARE = 1e-6
TIME_FEATURES = ("line length", "amplitude", "mobility", "complexity", "Teager energy", "rhythm")
STATISTICS = ("mean", "deviation", "minimum", "median", "maximum")
CHOICES = {"bands": ("classical", "fine"), "channels": ("each", "pooled")}


class ClassicalFeatures(nn.Module):
    """Log band power, and measures of the time series, of each channel or pooled over the channels.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window: a time series in microvolts if `n_freqs` is 1, with its samples as frames; otherwise a
        spectrogram in dB.
    sfreq
        Sampling rate of the time series in Hz.
    freqs
        Frequencies of the spectrogram in Hz: a list of `n_freqs` values, or one list for each of the spectrograms that
        are stacked on the channel axis. Not used for a time series, whose frequencies are those of its periodogram.
    bands
        `classical`: delta to gamma (`BANDS`). `fine`: bands of half an octave from 0.5 Hz to the highest frequency.
        Bands without a frequency of every stacked spectrogram are left out.
    relative
        Whether to divide the power of each band by the sum over the bands. The sum is over mean powers, so that the
        width of a band has no influence.
    time_features
        Whether to add the features of `time_features`. No effect on spectrograms.
    channels
        `each`: features of every channel. `pooled`: their statistics over the channels, as in `pool`, within each of
        the stacked spectrograms, which don't depend on the order of the channels.

    Raises
    ------
    ValueError
        If no band contains a frequency, the channels are not a multiple of the stacked spectrograms, a time series is
        too short, or `bands` or `channels` has another value.

    Notes
    -----
    The mean power over time of the time series' periodogram (Hann window), or of the spectrogram's cells, is averaged
    over the frequencies of each band. The module has no weights. `shape` is that of the features of a window:
    `(n_chans, n_columns)`, or `(n_parts * n_statistics, n_columns)` if pooled.
    """

    weights: torch.Tensor
    taper: torch.Tensor

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
        *,
        sfreq: float,
        freqs: Any = None,
        bands: str = "classical",
        relative: bool = False,
        time_features: bool = False,
        channels: str = "each",
    ):
        super().__init__()
        check_choices(bands=bands, channels=channels)
        self.raw = n_freqs == 1
        self.relative, self.pooled = relative, channels == "pooled"
        self.time_features = time_features and self.raw
        if self.time_features and n_frames < 3:
            raise ValueError(f"time_features: windows have {n_frames} samples; expected 3 or more")
        bin_freqs = np.fft.rfftfreq(n_frames, 1 / sfreq) if self.raw else np.asarray(freqs, dtype=float)
        membership = band_membership(np.atleast_2d(bin_freqs), bands)
        n_parts, n_bands = membership.shape[:2]
        if n_chans % n_parts:
            raise ValueError(
                f"n_chans is {n_chans}; expected a multiple of {n_parts}, the number of stacked spectrograms"
            )
        weights = membership / np.maximum(membership.sum(axis=2, keepdims=True), 1)
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32), persistent=False)
        self.register_buffer("taper", torch.hann_window(n_frames if self.raw else 1), persistent=False)
        n_columns = n_bands + len(TIME_FEATURES) * self.time_features
        self.shape = (n_parts * len(STATISTICS) if self.pooled else n_chans, n_columns)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the features `(batch, *shape)` of windows `(batch, n_chans, n_freqs, n_frames)`, not normalized."""
        features = self._log_power(x)
        if self.time_features:
            features = torch.cat([features, time_features(x[:, :, 0])], dim=2)
        if not self.pooled:
            return features
        return pool(features.unflatten(1, (self.weights.shape[0], -1)), dim=2).flatten(1, 2)

    def _log_power(self, x: torch.Tensor) -> torch.Tensor:
        """Natural logarithm of the band power, `(batch, n_chans, n_bands)`."""
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


def time_features(x: torch.Tensor) -> torch.Tensor:
    """Compute features of seizure detection from time series.

    Parameters
    ----------
    x
        Time series in microvolts, `(..., n_times)`.

    Returns
    -------
    torch.Tensor
        Features `(..., n_features)` in the order of `TIME_FEATURES`. Natural logarithms of: the line length per sample
        (Esteller et al. 2001); the amplitude, as the root mean square of the deviations from the mean; the mobility
        per sample and the complexity (Hjorth 1970); the mean absolute Teager energy (Kaiser 1990) of the deviations
        from the mean. The last one is not a logarithm: the `rhythm`.
    """
    x = x - x.mean(dim=-1, keepdim=True)
    slope = x.diff(dim=-1)
    teager = x[..., 1:-1].square() - x[..., :-2] * x[..., 2:]
    # Logarithms of the standard deviations of the series, its first and its second differences.
    amplitude, first, second = (
        part.var(dim=-1, correction=0).clamp_min(MIN_SQUARE).log() / 2 for part in (x, slope, slope.diff(dim=-1))
    )
    mobility = first - amplitude
    length = slope.abs().mean(dim=-1).clamp_min(MIN_SQUARE**0.5).log()
    energy = teager.abs().mean(dim=-1).clamp_min(MIN_SQUARE).log()
    return torch.stack([length, amplitude, mobility, second - first - mobility, energy, rhythm(x)], dim=-1)


def rhythm(x: torch.Tensor) -> torch.Tensor:
    """Compute the height of the largest peak of the autocorrelation, which is near 1 for a periodic series.

    Parameters
    ----------
    x
        Time series of mean 0, `(..., n_times)`.

    Returns
    -------
    torch.Tensor
        Largest autocorrelation `(...)` at the lags from the first zero crossing to half the series, at least 0. It does
        not depend on the gain. The sum of products of each lag is divided by the number of its products. For
        autocorrelation in the detection of seizures, see Liu et al. 1992.
    """
    n_times = x.shape[-1]
    spectrum = torch.fft.rfft(x, 2 * n_times).abs().square()
    products = torch.fft.irfft(spectrum, 2 * n_times)[..., : n_times // 2 + 1]
    lags = torch.arange(products.shape[-1], device=x.device)
    correlation = products / (1 - lags / n_times) / products[..., :1].clamp_min(MIN_SQUARE * n_times)
    after_crossing = (correlation < 0).cumsum(dim=-1) > 0
    return correlation.masked_fill(~after_crossing, 0).amax(dim=-1).clamp_max(1)


def pool(features: torch.Tensor, dim: int) -> torch.Tensor:
    """Compute statistics of features over the channels.

    Parameters
    ----------
    features
        Features of each channel.
    dim
        Axis of the channels.

    Returns
    -------
    torch.Tensor
        The axis has the `STATISTICS` instead of the channels; the standard deviation is that of the population.
    """
    ordered = features.sort(dim=dim).values
    n_chans = features.shape[dim]
    middle = ordered.narrow(dim, (n_chans - 1) // 2, 2 - n_chans % 2).mean(dim=dim)
    # A lower limit, because the derivative of the square root at 0 is infinite.
    deviation = features.var(dim=dim, correction=0).clamp_min(torch.finfo(features.dtype).tiny).sqrt()
    lowest, highest = ordered.select(dim, 0), ordered.select(dim, n_chans - 1)
    return torch.stack([features.mean(dim=dim), deviation, lowest, middle, highest], dim=dim)


def band_membership(freqs: np.ndarray, bands: str) -> np.ndarray:
    """Return whether each frequency lies in each band, as 0 or 1.

    Parameters
    ----------
    freqs
        Frequencies `(n_parts, n_freqs)` of the stacked spectrograms, in Hz.
    bands
        `classical` or `fine`, as in `ClassicalFeatures`.

    Returns
    -------
    np.ndarray
        Membership `(n_parts, n_bands, n_freqs)`, only of the bands that contain a frequency of every spectrogram.

    Raises
    ------
    ValueError
        If there is no such band.
    """
    edges = list(BANDS.values()) if bands == "classical" else _fine_bands(freqs.max())
    inside = np.stack([(freqs >= low) & (freqs < high) for low, high in edges], axis=1)
    kept = inside.any(axis=2).all(axis=0)
    if not kept.any():
        raise ValueError(
            f"no band contains a frequency of the input, {freqs.min():g} to {freqs.max():g} Hz; expected frequencies "
            f"from {edges[0][0]:g} to {edges[-1][1]:g} Hz"
        )
    return inside[:, kept].astype(np.float64)


def check_choices(**values: str) -> None:
    """Raise ValueError if a parameter has none of its `CHOICES`."""
    for name, value in values.items():
        if value not in CHOICES[name]:
            raise ValueError(f"unknown {name} {value!r}; expected {' or '.join(CHOICES[name])}")


def _fine_bands(highest: float) -> list[tuple[float, float]]:
    """Edges of half-octave bands up to the one that contains a frequency."""
    n_bands = max(1, int(np.floor(2 * np.log2(highest / LOWEST))) + 1) if highest > 0 else 1
    edges = LOWEST * 2 ** (np.arange(n_bands + 1) / 2)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
