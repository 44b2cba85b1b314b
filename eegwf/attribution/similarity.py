"""Similarity of maps: the rank correlation of their values."""

import torch

from eegwf.attribution.ranking import DECIMALS


def rank_correlation(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Compute Spearman's rank correlation of each pair of maps.

    Parameters
    ----------
    first, second
        Maps `(n, ...)` of the same shape, of bins or of cells.

    Returns
    -------
    torch.Tensor
        Correlations `(n,)`, float64. Equal values have the mean of their ranks. The correlation with a constant map is
        0: such a map does not distinguish bins, so that it agrees with no other, itself included.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"maps of shape {tuple(first.shape)} and {tuple(second.shape)}; expected equal shapes")
    one, other = _centered_ranks(first), _centered_ranks(second)
    scale = one.norm(dim=1) * other.norm(dim=1)
    correlation = (one * other).sum(dim=1) / torch.where(scale > 0, scale, 1.0)
    return correlation.clamp(-1.0, 1.0)


def _centered_ranks(maps: torch.Tensor) -> torch.Tensor:
    """Ranks of the values of each map minus their mean, `(n, n_values)`; equal values have the mean of their ranks."""
    values = maps.detach().flatten(1).double()
    largest = values.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
    # Means of equal values over cells of different sizes differ by rounding errors.
    values = (values / largest).round(decimals=DECIMALS)
    ordered = values.sort(dim=1).values
    below = torch.searchsorted(ordered, values)
    up_to = torch.searchsorted(ordered, values, right=True)
    ranks = (below + up_to).double() / 2
    return ranks - ranks.mean(dim=1, keepdim=True)
