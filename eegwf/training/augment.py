"""Augmentation of a batch on its device: drawn anew for every window, from the generator of that device."""

import torch
from torch.nn import functional

from eegwf.config.training import Training


def augment(
    x: torch.Tensor, target: torch.Tensor, n_outputs: int, settings: Training
) -> tuple[torch.Tensor, torch.Tensor]:
    """Shift, blank and mix the windows of a batch, as far as the settings ask for it.

    Parameters
    ----------
    x
        Normalised windows `(batch, n_chans, n_freqs, n_times)`; what is blanked becomes zero, the mean.
    target
        Their classes `(batch,)`.
    n_outputs
        Number of classes.
    settings
        Of training.

    Returns
    -------
    x, target
        New windows, and their classes; with `mixup` the shares of the classes, `(batch, n_outputs)`.
    """
    if settings.shift_times:
        x = shift_times(x, settings.shift_times)
    if settings.mask_freqs and x.shape[2] > 1:
        x = x * keep(len(x), x.shape[2], settings.mask_freqs, x.device)[:, None, :, None]
    if settings.mask_times:
        x = x * keep(len(x), x.shape[3], settings.mask_times, x.device)[:, None, None, :]
    if settings.drop_channels:
        x = x * (torch.rand(x.shape[:2], device=x.device) >= settings.drop_channels)[:, :, None, None]
    return mixup(x, target, n_outputs, settings.mixup) if settings.mixup else (x, target)


def shift_times(x: torch.Tensor, share: float) -> torch.Tensor:
    """Shift each window by up to a share of its length, earlier or later; what comes in is zero."""
    n_times = x.shape[3]
    most = int(share * n_times)
    offset = torch.randint(-most, most + 1, (len(x), 1), device=x.device)
    source = torch.arange(n_times, device=x.device) + offset
    inside = (source >= 0) & (source < n_times)
    source = source.clamp(0, n_times - 1)[:, None, None, :].expand_as(x)
    return x.gather(3, source) * inside[:, None, None, :]


def keep(n_windows: int, length: int, share: float, device: torch.device) -> torch.Tensor:
    """Masks `(n_windows, length)`: False on one stretch of each, of up to a share of the length.

    Park et al. 2019, SpecAugment (Interspeech): width and place are drawn evenly.
    """
    most = int(share * length)
    width = torch.randint(0, most + 1, (n_windows, 1), device=device)
    first = (torch.rand(n_windows, 1, device=device) * (length - width + 1)).long()
    place = torch.arange(length, device=device)
    return (place < first) | (place >= first + width)


def mixup(x: torch.Tensor, target: torch.Tensor, n_outputs: int, alpha: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix each window with another of the batch, and their classes in the same shares (Zhang et al. 2018)."""
    concentration = torch.full((len(x),), alpha, device=x.device)
    share = torch.distributions.Beta(concentration, concentration, validate_args=False).sample()
    partner = torch.randperm(len(x), device=x.device)
    one_hot = functional.one_hot(target, n_outputs).to(x)
    mixed = x * share[:, None, None, None] + x[partner] * (1 - share)[:, None, None, None]
    return mixed, one_hot * share[:, None] + one_hot[partner] * (1 - share)[:, None]
