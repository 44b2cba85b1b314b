"""EEGNet: compact convolutions on the time series."""

import torch
from torch import nn
from torch.nn import functional

from eegwf.models.image_layout import multiple_of

POOLED = (4, 8)
SHORTEST = 3  # samples of a filter: half a second is two frames of a coarse spectrogram


class EEGNet(nn.Module):
    """EEGNet: filters over time, a spatial filter for each, and one separable convolution.

    Parameters
    ----------
    n_chans, n_freqs, n_times
        Shape of a window: `n_freqs` 1 for the time series; of a spectrogram, each frequency of each channel counts as a
        channel, its power over time as the series.
    n_outputs
        Number of classes.
    sfreq
        Samples (of a spectrogram: frames) a second.
    temporal_filters
        Filters over time, F1 in the paper.
    spatial_filters
        Spatial filters for each of them, D.
    pointwise_filters
        Filters of the separable convolution, F2; 0: F1 * D.
    kernel
        Length of the filters over time in seconds, at least 3 samples; the paper has half a second.
    separable_kernel
        The same of the separable convolution, after the first pooling; the paper has half a second.
    dropout
        After each pooling.

    Notes
    -----
    Lawhern et al. 2018, EEGNet (J Neural Eng 15:056013): the largest norm of a spatial filter is 1, that of a class's
    weights 0.25, held by `constrain` after every step of the optimizer. The poolings' leftover samples are padded with
    zeros, never cut. With `C = n_chans * n_freqs`, `T' = ceil(n_times / 32)` and kernels of `K1` and `K2` samples it
    has `F1 (K1 + 2) + D F1 (C + 2) + D F1 (K2 + F2) + 2 F2 + N (F2 T' + 1)` parameters, as Table 3 there.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_times: int,
        n_outputs: int,
        *,
        sfreq: float,
        temporal_filters: int = 8,
        spatial_filters: int = 2,
        pointwise_filters: int = 0,
        kernel: float = 0.5,
        separable_kernel: float = 0.5,
        dropout: float = 0.25,
    ):
        super().__init__()
        self.shape = (n_freqs, n_times)
        f1, f2 = temporal_filters, pointwise_filters or temporal_filters * spatial_filters
        inner = f1 * spatial_filters
        rows = n_chans * n_freqs
        seconds = (kernel, separable_kernel / POOLED[0])
        lengths = [max(SHORTEST, round(length * sfreq)) for length in seconds]
        self.first = SpatialFilters(rows, f1, spatial_filters, lengths[0])
        self.norm = nn.BatchNorm2d(inner)
        self.drop = nn.Dropout(dropout)
        self.separable = nn.Sequential(
            _same(inner, inner, lengths[1], groups=inner), nn.Conv2d(inner, f2, 1, bias=False), nn.BatchNorm2d(f2)
        )
        self.features = nn.Identity()
        # Each pooling rounds up; together they take 32 samples to one.
        self.padding = -n_times % (POOLED[0] * POOLED[1])
        self.head = nn.Linear(f2 * ((n_times + self.padding) // (POOLED[0] * POOLED[1])), n_outputs)
        self.constrain()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits `(batch, n_outputs)` of windows `(batch, n_chans, n_freqs, n_times)`."""
        x = functional.pad(x.flatten(1, 2), (0, self.padding))
        x = functional.elu(self.norm(self.first(x)[:, :, None]))
        x = self.drop(functional.avg_pool2d(x, (1, POOLED[0])))
        x = self.features(functional.elu(self.separable(x)))
        x = self.drop(functional.avg_pool2d(x, (1, POOLED[1])))
        return self.head(x.flatten(1))

    @torch.no_grad()
    def constrain(self) -> None:
        """Shrink every spatial filter to a norm of at most 1 and every class's weights to at most 0.25."""
        for weight, largest in ((self.first.spatial, 1.0), (self.head.weight, 0.25)):
            weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=largest))

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, 1, n_times / 4)` of `features` as maps `(batch, n_freqs, n_times)`: alike at all rows."""
        maps = functional.interpolate(maps[:, :, 0], scale_factor=POOLED[0], mode="linear", align_corners=False)
        return maps[..., : self.shape[1]].expand(-1, *self.shape)


class SpatialFilters(nn.Module):
    """EEGNet's first block: a convolution over time, its batch norm, and spatial filters on each of its outputs.

    Parameters
    ----------
    n_rows
        Channels.
    n_temporal, n_spatial
        Filters over time, and spatial filters on each.
    length
        Samples of a filter over time.

    Notes
    -----
    All of it is linear but for the norm's statistics, so the spatial filters may come first: the convolution then runs
    over `n_temporal * n_spatial` series instead of `n_temporal * n_rows`, and the largest array of the network is never
    made. The statistics of what is not made follow from the input's: an output's mean is its filter times the mean of
    the input's samples under each of its taps, its mean square a quadratic form with their second moments, computed in
    double precision, as a filter may pass a millionth of the input's power. In training mode no gradient goes through
    these moments to the input.
    """

    def __init__(self, n_rows: int, n_temporal: int, n_spatial: int, length: int):
        super().__init__()
        self.length = length
        self.temporal = nn.Parameter(torch.empty(n_temporal, length))
        self.norm = nn.BatchNorm1d(n_temporal)
        self.spatial = nn.Parameter(torch.empty(n_temporal * n_spatial, n_rows))
        for weight in (self.temporal, self.spatial):
            nn.init.kaiming_uniform_(weight, a=5**0.5)  # as torch's convolutions

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Filtered series `(batch, n_temporal * n_spatial, n_times)` of `(batch, n_rows, n_times)`."""
        # In half precision the slow waves would drown what a filter for fast ones passes.
        with torch.autocast(x.device.type, enabled=False):
            return self._filtered(x.float())

    def _filtered(self, x: torch.Tensor) -> torch.Tensor:
        norm, n_spatial = self.norm, len(self.spatial) // len(self.temporal)
        padded = functional.pad(x, ((self.length - 1) // 2, self.length // 2))
        if self.training:
            mean, variance = self._statistics(padded, x.shape[2])
        else:
            mean, variance = norm.running_mean, norm.running_var
        scale = norm.weight * (variance + norm.eps).rsqrt()
        series = torch.matmul(self.spatial, padded)
        kernel = (self.temporal * scale[:, None]).repeat_interleave(n_spatial, dim=0)
        offset = (norm.bias - mean * scale).repeat_interleave(n_spatial) * self.spatial.sum(dim=1)
        return correlate(series, kernel) + offset[:, None]

    def _statistics(self, padded: torch.Tensor, n_times: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance of each filter's output over batch, rows and time; the running ones follow them."""
        with torch.no_grad():
            first, second = moments(padded.flatten(0, 1), self.length, n_times)
        mean = (self.temporal.double() @ first).float()
        square = torch.einsum("fk,kl,fl->f", self.temporal.double(), second, self.temporal.double())
        variance = (square - mean.double().square()).clamp_min(0).float()
        norm, count = self.norm, padded.shape[0] * padded.shape[1] * n_times
        with torch.no_grad():
            norm.num_batches_tracked += 1
            norm.running_mean.lerp_(mean, norm.momentum)
            norm.running_var.lerp_(variance * (count / max(count - 1, 1)), norm.momentum)
        return mean, variance


def correlate(series: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Slide each of `n` kernels `(n, length)` over its series `(batch, n, n_times + length - 1)`, by FFT.

    Half a second of taps is too many for what convolutions of one series each are made for.
    """
    n_times = series.shape[2] - kernel.shape[1] + 1
    size = multiple_of(32)(series.shape[2])
    spectra = torch.fft.rfft(series.float(), n=size) * torch.fft.rfft(kernel.float(), n=size).conj()
    return torch.fft.irfft(spectra, n=size)[..., :n_times]


def moments(padded: torch.Tensor, length: int, n_times: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Means `(length,)` and second moments `(length, length)` of the samples under the taps of a filter.

    Parameters
    ----------
    padded
        Series `(n_series, n_times + length - 1)`: the filter has `n_times` places on each.
    length, n_times
        Taps of the filter, and its places.

    Returns
    -------
    first, second
        Averages over places and series of `x[t + k]` and of `x[t + k] * x[t + l]`, in double precision.
    """
    x = padded.double()
    count = len(x) * n_times
    prefix = functional.pad(x.sum(dim=0).cumsum(0), (1, 0))
    first = (prefix[n_times:] - prefix[:length]) / count
    # The first row is a correlation; each step down a diagonal drops the oldest product and takes in the next one.
    size = multiple_of(64)(x.shape[1] + length)
    spectra = torch.fft.rfft(x[:, :n_times], n=size).conj() * torch.fft.rfft(x, n=size)
    row = torch.fft.irfft(spectra.sum(dim=0), n=size)[:length]
    head, tail = x[:, : length - 1], x[:, n_times:]
    change = tail.T @ tail - head.T @ head
    place = torch.arange(length, device=x.device)
    # Row i of `diagonal` holds the moments of the taps i and i + d, for every distance d: all steps at once.
    sheared = functional.pad(change, (0, length)).as_strided((length - 1, length), (2 * length, 1))
    steps = torch.ones(length, length - 1, dtype=x.dtype, device=x.device).tril(-1)
    diagonal = row + steps @ sheared if length > 1 else row[None]
    second = diagonal[torch.minimum(place[:, None], place), (place - place[:, None]).abs()]
    return first, second / count


def _same(before: int, after: int, length: int, groups: int = 1) -> nn.Module:
    """A convolution over time that keeps the length, without bias, as its norm follows."""
    padding = nn.ZeroPad2d(((length - 1) // 2, length // 2, 0, 0))
    return nn.Sequential(padding, nn.Conv2d(before, after, (1, length), groups=groups, bias=False))
