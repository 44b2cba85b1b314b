"""Augmentation of a normalized batch on its device, drawn for each window from the generator of that device."""

import torch
from torch.nn import functional

from eegwf.config.training import Training


def augment(
    x: torch.Tensor, target: torch.Tensor, n_outputs: int, settings: Training
) -> tuple[torch.Tensor, torch.Tensor]:
    """Apply the augmentations that the settings enable: time shift, masks, channel dropout, mixup.

    Parameters
    ----------
    x
        Normalized windows `(batch, n_chans, n_freqs, n_frames)`. Masked values become zero, the mean.
    target
        Class indices of the windows `(batch,)`.
    n_outputs
        Number of classes.
    settings
        Settings of training.

    Returns
    -------
    x, target
        Augmented windows, and their class indices; with mixup their class proportions `(batch, n_outputs)`.
    """
    if settings.time_shift:
        x = shift_times(x, settings.time_shift)
    if settings.freq_mask and x.shape[2] > 1:
        x = x * interval_masks(len(x), x.shape[2], settings.freq_mask, x.device)[:, None, :, None]
    if settings.time_mask:
        x = x * interval_masks(len(x), x.shape[3], settings.time_mask, x.device)[:, None, None, :]
    if settings.channel_dropout:
        x = x * (torch.rand(x.shape[:2], device=x.device) >= settings.channel_dropout)[:, :, None, None]
    return mixup(x, target, n_outputs, settings.mixup_alpha) if settings.mixup_alpha else (x, target)


def shift_times(x: torch.Tensor, fraction: float) -> torch.Tensor:
    """Shift each window in time, in either direction, and fill with zeros.

    Parameters
    ----------
    x
        Windows `(batch, n_chans, n_freqs, n_frames)`.
    fraction
        Maximum shift as a fraction of `n_frames`.

    Returns
    -------
    torch.Tensor
        Shifted windows of the same shape.
    """
    n_frames = x.shape[3]
    max_shift = int(fraction * n_frames)
    offset = torch.randint(-max_shift, max_shift + 1, (len(x), 1), device=x.device)
    source = torch.arange(n_frames, device=x.device) + offset
    inside = (source >= 0) & (source < n_frames)
    source = source.clamp(0, n_frames - 1)[:, None, None, :].expand_as(x)
    return x.gather(3, source) * inside[:, None, None, :]


def interval_masks(n_windows: int, length: int, fraction: float, device: torch.device) -> torch.Tensor:
    """Draw masks that are False in one interval.

    Parameters
    ----------
    n_windows
        Number of masks.
    length
        Length of a mask.
    fraction
        Maximum width of the interval as a fraction of `length`.
    device
        Device of the masks.

    Returns
    -------
    torch.Tensor
        Boolean masks `(n_windows, length)`.

    Notes
    -----
    SpecAugment (Park et al. 2019, Interspeech): width and position are drawn uniformly.
    """
    max_width = int(fraction * length)
    width = torch.randint(0, max_width + 1, (n_windows, 1), device=device)
    first = (torch.rand(n_windows, 1, device=device) * (length - width + 1)).long()
    position = torch.arange(length, device=device)
    return (position < first) | (position >= first + width)


def mixup(x: torch.Tensor, target: torch.Tensor, n_outputs: int, alpha: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix each window with another one of the batch, and their classes in the same proportions.

    Parameters
    ----------
    x
        Windows `(batch, n_chans, n_freqs, n_frames)`.
    target
        Class indices `(batch,)`.
    n_outputs
        Number of classes.
    alpha
        Parameter of the distribution Beta(alpha, alpha) of the proportions.

    Returns
    -------
    x, target
        Mixed windows, and their class proportions `(batch, n_outputs)`.

    Notes
    -----
    Zhang et al. 2018.
    """
    concentration = torch.full((len(x),), alpha, device=x.device)
    weight = torch.distributions.Beta(concentration, concentration, validate_args=False).sample()
    partner = torch.randperm(len(x), device=x.device)
    one_hot = functional.one_hot(target, n_outputs).to(x)
    mixed = x * weight[:, None, None, None] + x[partner] * (1 - weight)[:, None, None, None]
    return mixed, one_hot * weight[:, None] + one_hot[partner] * (1 - weight)[:, None]
