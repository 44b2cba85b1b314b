"""EEGNet: compact convolutions on the time series."""

import torch
from torch import nn
from torch.nn import functional

POOLED = (4, 8)


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
        Length of the filters over time in seconds; the paper has half a second.
    separable_kernel
        Length of the separable convolution in seconds, after the first pooling; the paper has half a second.
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
        lengths = [max(1, round(kernel * sfreq)), max(1, round(separable_kernel * sfreq / POOLED[0]))]
        self.temporal = nn.Sequential(_same(1, f1, lengths[0]), nn.BatchNorm2d(f1))
        self.spatial = nn.Conv2d(f1, inner, (rows, 1), groups=f1, bias=False)
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
        x = functional.pad(x.flatten(1, 2)[:, None], (0, self.padding))
        x = functional.elu(self.norm(self.spatial(self.temporal(x))))
        x = self.drop(functional.avg_pool2d(x, (1, POOLED[0])))
        x = self.features(functional.elu(self.separable(x)))
        x = self.drop(functional.avg_pool2d(x, (1, POOLED[1])))
        return self.head(x.flatten(1))

    @torch.no_grad()
    def constrain(self) -> None:
        """Shrink every spatial filter to a norm of at most 1 and every class's weights to at most 0.25."""
        for weight, largest in ((self.spatial.weight, 1.0), (self.head.weight, 0.25)):
            weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=largest))

    def to_input(self, maps: torch.Tensor) -> torch.Tensor:
        """Maps `(batch, 1, 1, n_times / 4)` of `features` as maps `(batch, n_freqs, n_times)`: alike at all rows."""
        maps = functional.interpolate(maps[:, :, 0], scale_factor=POOLED[0], mode="linear", align_corners=False)
        return maps[..., : self.shape[1]].expand(-1, *self.shape)


def _same(before: int, after: int, length: int, groups: int = 1) -> nn.Module:
    """A convolution over time that keeps the length, without bias, as its norm follows."""
    padding = nn.ZeroPad2d(((length - 1) // 2, length // 2, 0, 0))
    return nn.Sequential(padding, nn.Conv2d(before, after, (1, length), groups=groups, bias=False))
