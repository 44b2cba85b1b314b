"""EEGNet: a compact convolutional network on the time series."""

import torch
from torch import nn
from torch.nn import functional

from eegwf.models.image_layout import multiple_of

POOL_SIZES = (4, 8)
MIN_KERNEL = 3  # samples; half a second can be as few as two frames of a spectrogram
MAX_SPATIAL_NORM, MAX_CLASS_NORM = 1.0, 0.25  # Lawhern et al. 2018


class EEGNet(nn.Module):
    """EEGNet: temporal filters, spatial filters for each of them, and a separable convolution.

    Parameters
    ----------
    n_chans, n_freqs, n_frames
        Shape of a window. If `n_freqs` is 1 it is a time series, with its samples as frames. In a spectrogram, each
        frequency of each channel is used as a channel whose time series is its power.
    n_outputs
        Number of classes.
    sfreq
        Sampling rate in Hz; for a spectrogram, the number of frames per second.
    temporal_filters
        Number of temporal filters, F1 in the paper.
    spatial_filters
        Number of spatial filters for each temporal filter, D.
    pointwise_filters
        Number of filters of the separable convolution, F2; 0 means F1 * D.
    kernel
        Length of the temporal filters in seconds, at least 3 samples; 0.5 in the paper.
    separable_kernel
        Length of the separable convolution's temporal filters in seconds, at least 3 samples at the rate after the
        first pooling; 0.5 in the paper.
    dropout
        Dropout probability after each pooling.

    Notes
    -----
    Lawhern et al. 2018, EEGNet (J Neural Eng 15:056013). As in the paper, the norm of a spatial filter is at most 1 and
    that of a class's weights at most 0.25; `constrain` enforces this after every optimizer step. A series whose length
    the poolings don't divide is padded with zeros; no sample is removed. With `C = n_chans * n_freqs`,
    `T' = ceil(n_frames / 32)`, `N = n_outputs` and kernels of `K1` and `K2` samples, the model has `F1 (K1 + 2) +
    D F1 (C + 2) + D F1 (K2 + F2) + 2 F2 + N (F2 T' + 1)` parameters, as in Table 3 of the paper.
    """

    def __init__(
        self,
        n_chans: int,
        n_freqs: int,
        n_frames: int,
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
        self.shape = (n_chans, n_freqs, n_frames)
        f1, f2 = temporal_filters, pointwise_filters or temporal_filters * spatial_filters
        n_series = f1 * spatial_filters
        n_pooled = POOL_SIZES[0] * POOL_SIZES[1]
        # The second kernel is applied after the first pooling, at a lower rate.
        durations = (kernel, separable_kernel / POOL_SIZES[0])
        lengths = [max(MIN_KERNEL, round(duration * sfreq)) for duration in durations]
        self.first = SpatialFilters(n_chans * n_freqs, f1, spatial_filters, lengths[0])
        self.norm = nn.BatchNorm2d(n_series)
        self.drop = nn.Dropout(dropout)
        # Modules, and one for each place, because DeepLift compares the input and the output of each nonlinearity.
        self.elu_spatial, self.elu_separable = nn.ELU(), nn.ELU()
        self.separable = nn.Sequential(
            _same_length_convolution(n_series, n_series, lengths[1], groups=n_series),
            nn.Conv2d(n_series, f2, 1, bias=False),
            nn.BatchNorm2d(f2),
        )
        self.gradcam_layer = nn.Identity()
        # The poolings reduce 32 samples to one; the padding makes the number of samples a multiple of 32.
        self.padding = -n_frames % n_pooled
        self.head = nn.Linear(f2 * ((n_frames + self.padding) // n_pooled), n_outputs)
        self.constrain()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits `(batch, n_outputs)` of windows `(batch, n_chans, n_freqs, n_frames)`."""
        x = functional.pad(x.flatten(1, 2), (0, self.padding))
        x = self.elu_spatial(self.norm(self.first(x)[:, :, None]))
        x = self.drop(functional.avg_pool2d(x, (1, POOL_SIZES[0])))
        x = self.gradcam_layer(self.elu_separable(self.separable(x)))
        x = self.drop(functional.avg_pool2d(x, (1, POOL_SIZES[1])))
        return self.head(x.flatten(1))

    @torch.no_grad()
    def constrain(self) -> None:
        """Scale down spatial filters with a norm above 1 and class weights with a norm above 0.25 to these norms."""
        # The constraint regularizes the model, as in the paper. It is a projection and not part of the loss, so it has
        # to be applied to the initial weights and again after every optimizer step. Without it the norms of the
        # spatial filters could grow without bound, since the batch norm after them removes their scale.
        for weight, max_norm in ((self.first.spatial, MAX_SPATIAL_NORM), (self.head.weight, MAX_CLASS_NORM)):
            weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=max_norm))

    def upsample_to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Expand maps `(batch, 1, 1, ceil(n_frames / 32) * 8)` to `(batch, n_chans, n_freqs, n_frames)`.

        They are equal in all channels and at all frequencies.
        """
        maps = functional.interpolate(maps[:, :, 0], scale_factor=POOL_SIZES[0], mode="nearest")
        return maps[:, :, None, : self.shape[2]].expand(-1, *self.shape)


class SpatialFilters(nn.Module):
    """First block of EEGNet: temporal filters, batch normalization, and spatial filters for each temporal filter.

    Parameters
    ----------
    n_rows
        Number of channels of the input.
    n_temporal, n_spatial
        Number of temporal filters, and number of spatial filters for each of them.
    length
        Length of a temporal filter in samples.

    Notes
    -----
    Except for the statistics of the batch norm, the block is linear, so that the spatial filters can be applied before
    the temporal filters with the same result. The temporal filters then process `n_temporal * n_spatial` series instead
    of `n_temporal * n_rows`, and the largest array of the network, the output of the paper's first convolution, is not
    computed.

    The batch norm needs the mean and the variance of that output. Both follow from moments of the input: the mean is
    the scalar product of the filter with the mean of the samples under each of its taps, the mean square is a quadratic
    form of the filter with their second moments. The moments are computed in double precision, as the output of a
    filter may have a millionth of the input's power. In training mode, gradients with respect to the input don't
    include the contribution of these moments.
    """

    def __init__(self, n_rows: int, n_temporal: int, n_spatial: int, length: int):
        super().__init__()
        self.length = length
        self.temporal = nn.Parameter(torch.empty(n_temporal, length))
        self.norm = nn.BatchNorm1d(n_temporal)
        self.spatial = nn.Parameter(torch.empty(n_temporal * n_spatial, n_rows))
        for weight in (self.temporal, self.spatial):
            nn.init.kaiming_uniform_(weight, a=5**0.5)  # the default of torch's convolutions

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return filtered series `(batch, n_temporal * n_spatial, n_frames)` of `(batch, n_rows, n_frames)`."""
        # In half precision, the rounding errors of large slow waves would exceed the output of filters for fast waves.
        with torch.autocast(x.device.type, enabled=False):
            return self._filter(x.float())

    def _filter(self, x: torch.Tensor) -> torch.Tensor:
        norm, n_spatial = self.norm, len(self.spatial) // len(self.temporal)
        padded = functional.pad(x, ((self.length - 1) // 2, self.length // 2))
        if norm.training:  # a frozen norm stays in evaluation mode
            mean, variance = self._statistics(padded, x.shape[2])
        else:
            assert norm.running_mean is not None and norm.running_var is not None
            mean, variance = norm.running_mean, norm.running_var
        # Spatial filters first (see Notes). The temporal filters include the scale of the batch norm; its offset is
        # multiplied by the sum of each spatial filter's weights and added at the end.
        scale = norm.weight * (variance + norm.eps).rsqrt()
        series = torch.matmul(self.spatial, padded)
        kernel = (self.temporal * scale[:, None]).repeat_interleave(n_spatial, dim=0)
        offset = (norm.bias - mean * scale).repeat_interleave(n_spatial) * self.spatial.sum(dim=1)
        return correlate(series, kernel) + offset[:, None]

    def _statistics(self, padded: torch.Tensor, n_frames: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the statistics of the temporal filters' output from moments of their input (see Notes).

        The running statistics of the batch norm are updated.

        Parameters
        ----------
        padded
            Padded input `(batch, n_rows, n_frames + length - 1)`.
        n_frames
            Number of frames without the padding.

        Returns
        -------
        mean, variance
            Statistics of each temporal filter's output over batch, rows and frames, `(n_temporal,)`.
        """
        with torch.no_grad():
            first, second = moments(padded.flatten(0, 1), self.length, n_frames)
        mean = (self.temporal.double() @ first).float()
        square = torch.einsum("fk,kl,fl->f", self.temporal.double(), second, self.temporal.double())
        variance = (square - mean.double().square()).clamp_min(0).float()
        norm, count = self.norm, padded.shape[0] * padded.shape[1] * n_frames
        assert norm.running_mean is not None and norm.running_var is not None
        assert norm.num_batches_tracked is not None and norm.momentum is not None
        with torch.no_grad():
            norm.num_batches_tracked += 1
            norm.running_mean.lerp_(mean, norm.momentum)
            norm.running_var.lerp_(variance * (count / max(count - 1, 1)), norm.momentum)
        return mean, variance


def correlate(series: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Correlate each series with its kernel, by FFT.

    Depthwise convolutions are slow for kernels of half a second.

    Parameters
    ----------
    series
        Series `(batch, n_series, n_frames + length - 1)`.
    kernel
        Kernel of each series, `(n_series, length)`.

    Returns
    -------
    torch.Tensor
        Correlation `(batch, n_series, n_frames)` at all lags at which the kernel lies within the series.
    """
    n_frames = series.shape[2] - kernel.shape[1] + 1
    size = multiple_of(32)(series.shape[2])  # no circular overlap at the lags that are returned
    spectra = torch.fft.rfft(series.float(), n=size) * torch.fft.rfft(kernel.float(), n=size).conj()
    return torch.fft.irfft(spectra, n=size)[..., :n_frames]


def moments(padded: torch.Tensor, length: int, n_frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute the first and second moments of the samples under the taps of a filter.

    Parameters
    ----------
    padded
        Series `(n_series, n_frames + length - 1)`; the filter is applied at `n_frames` positions of each.
    length
        Number of taps of the filter.
    n_frames
        Number of positions of the filter.

    Returns
    -------
    first
        Mean of `x[t + k]` over positions `t` and series, for each tap `k`, `(length,)`, in double precision.
    second
        Mean of `x[t + k] * x[t + l]` over positions `t` and series, for each pair of taps `k` and `l`,
        `(length, length)`, in double precision.
    """
    x = padded.double()
    count = len(x) * n_frames
    # Row k adds up the first k changes, as a matrix product: a cumulative sum has no deterministic order on a GPU.
    steps = torch.ones(length, length - 1, dtype=x.dtype, device=x.device).tril(-1)
    # From tap k to k + 1, the sample of the first position leaves the sum and one of a new last position enters it.
    at_time = x.sum(dim=0)
    first = at_time[:n_frames].sum() + steps @ (at_time[n_frames:] - at_time[: length - 1])
    # The first row of the second moments is a correlation, computed by FFT. From (k, l) to (k + 1, l + 1), all products
    # shift by one sample: the product of the first position is subtracted and that of a new last position is added.
    size = multiple_of(64)(x.shape[1] + length)
    spectra = torch.fft.rfft(x[:, :n_frames], n=size).conj() * torch.fft.rfft(x, n=size)
    row = torch.fft.irfft(spectra.sum(dim=0), n=size)[:length]
    head, tail = x[:, : length - 1], x[:, n_frames:]
    change = tail.T @ tail - head.T @ head
    tap = torch.arange(length, device=x.device)
    # `diagonal[k, d]` is the moment of taps k and k + d: the first row plus the first k changes.
    sheared = functional.pad(change, (0, length)).as_strided((length - 1, length), (2 * length, 1))
    diagonal = row + steps @ sheared if length > 1 else row[None]
    second = diagonal[torch.minimum(tap[:, None], tap), (tap - tap[:, None]).abs()]
    return first / count, second / count


def _same_length_convolution(in_chans: int, out_chans: int, length: int, groups: int = 1) -> nn.Module:
    """Return a convolution over time that preserves the length. It has no bias, since a batch norm follows."""
    padding = nn.ZeroPad2d(((length - 1) // 2, length // 2, 0, 0))
    return nn.Sequential(padding, nn.Conv2d(in_chans, out_chans, (1, length), groups=groups, bias=False))
