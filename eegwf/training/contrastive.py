"""Contrastive learning: two random views of each window, and the loss by which they are recognized as one window."""

import torch
from torch.nn import functional

from eegwf.training.augment import interval_masks, shift_times

# Strengths of the views. Shift, masks and dropout are those of the settings of training with the same names.
TIME_SHIFT, TIME_MASK, FREQ_MASK, CHANNEL_DROPOUT = 0.1, 0.3, 0.3, 0.2
# Standard deviations of the level of a window and of the noise, in standard deviations of a channel of the window.
LEVEL, NOISE = 0.3, 0.2
# Chen et al. 2020, for batches of a few hundred images (appendix B.9).
TEMPERATURE = 0.5


def random_view(x: torch.Tensor) -> torch.Tensor:
    """Draw a view of each window: another level, noise, a shift, masks of time and frequency, and channel dropout.

    Parameters
    ----------
    x
        Normalized windows `(batch, n_chans, n_freqs, n_frames)`; time series if `n_freqs` is 1.

    Returns
    -------
    torch.Tensor
        Views of the same shape.

    Notes
    -----
    A gain multiplies a time series, and shifts its log power.
    """
    deviation = x.std(dim=(2, 3), correction=0, keepdim=True)
    level = LEVEL * torch.randn(len(x), 1, 1, 1, device=x.device)
    x = x * level.exp() if x.shape[2] == 1 else x + level * deviation
    x = shift_times(x + NOISE * deviation * torch.randn_like(x), TIME_SHIFT)
    if x.shape[2] > 1:
        x = x * interval_masks(len(x), x.shape[2], FREQ_MASK, x.device)[:, None, :, None]
    x = x * interval_masks(len(x), x.shape[3], TIME_MASK, x.device)[:, None, None, :]
    return x * (torch.rand(x.shape[:2], device=x.device) >= CHANNEL_DROPOUT)[:, :, None, None]


def contrastive_loss(projections: torch.Tensor) -> torch.Tensor:
    """Compute the normalized temperature-scaled cross-entropy (NT-Xent).

    Parameters
    ----------
    projections
        Projections `(2 * batch, n_dims)`: of one view of each window, then of another view of each window.

    Returns
    -------
    torch.Tensor
        Scalar: mean cross-entropy of choosing, by cosine similarity, the other view of the same window among the views
        of all windows of the batch.

    Notes
    -----
    Chen et al. 2020, A simple framework for contrastive learning of visual representations (SimCLR).
    """
    z = functional.normalize(projections.float(), dim=1)
    n_views = len(z)
    itself = torch.eye(n_views, dtype=torch.bool, device=z.device)
    similarity = (z @ z.T / TEMPERATURE).masked_fill(itself, -torch.inf)
    return functional.cross_entropy(similarity, torch.arange(n_views, device=z.device).roll(n_views // 2))
