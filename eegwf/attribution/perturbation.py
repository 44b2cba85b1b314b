"""Deletion and insertion in the picture: the probability of a class while cells are replaced in order of relevance."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from eegwf.attribution.cells import Cells
from eegwf.attribution.ranking import ranked
from eegwf.attribution.target import probability
from eegwf.training.classifier import CHUNK_BYTES, MAX_CHUNK_WINDOWS, Classifier

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


@dataclass(frozen=True)
class Perturbation:
    """Windows whose cells are replaced, or inserted, in order of the relevance that a map gives them.

    A replaced cell gets the values of a background window of another patient. Zeros, or the mean, would be an input
    that the classifier was never trained on; a mixture of two windows is less unusual, but no real EEG either.

    Attributes
    ----------
    classifier
        Classifier in evaluation mode.
    inputs
        Windows in the unit of the input, `(n, n_chans, n_freqs, n_frames)`.
    fill
        Background window of another training patient for each window, of the same shape.
    target
        Index of the class that is explained, for each window, `(n,)`.
    cells
        Partition of the bins.
    seed
        Seed of the order of cells that are equally relevant.
    rows
        Row numbers of the windows, which seed this order.
    shares
        Shares of the bins that are replaced, ascending from 0 to 1. Cells are replaced one after another until the
        share is reached, so that the last one can exceed it.

    Raises
    ------
    ValueError
        If the shares don't ascend from 0 to 1.
    """

    classifier: Classifier
    inputs: torch.Tensor
    fill: torch.Tensor
    target: torch.Tensor
    cells: Cells
    seed: int
    rows: Sequence[int]
    shares: tuple[float, ...] = SHARES

    def __post_init__(self):
        _check_shares(self.shares)

    @cached_property
    def before(self) -> torch.Tensor:
        """Probability of the target class of each unchanged window, `(n,)`."""
        return probabilities(self.classifier, self.inputs, self.target)

    @cached_property
    def replaced(self) -> torch.Tensor:
        """Probability of the target class of the windows that replace them, `(n,)`."""
        return probabilities(self.classifier, self.fill, self.target)

    def deletion(self, maps: torch.Tensor) -> torch.Tensor:
        """Probability of the target class while the most relevant cells are replaced.

        `maps` has the shape of the inputs; the result is `(n, n_shares)`.
        """
        return self._exchange(maps, self.inputs, self.fill, (self.before, self.replaced))

    def insertion(self, maps: torch.Tensor) -> torch.Tensor:
        """Probability of the target class while the most relevant cells are inserted into the background windows.

        `maps` has the shape of the inputs; the result is `(n, n_shares)`.
        """
        return self._exchange(maps, self.fill, self.inputs, (self.replaced, self.before))

    @torch.no_grad()
    def _exchange(
        self, maps: torch.Tensor, first: torch.Tensor, last: torch.Tensor, ends: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """Replace cells of `first` by those of `last`; `ends`: the probabilities of both, equal for all maps."""
        n_bins = int(self.cells.n_bins.sum())
        limits = [math.ceil(share * n_bins - 1e-6) for share in self.shares]
        result = torch.stack([ends[int(limit >= n_bins)] for limit in limits], dim=1)
        size = batch_size(first)
        for start in range(0, len(first), size):
            part = slice(start, start + size)
            earlier = self._bins_before(maps[part].to(first.device), self.rows[part])
            for column, limit in enumerate(limits):
                if 0 < limit < n_bins:
                    x = torch.where(earlier < limit, last[part], first[part])
                    result[part, column] = probability(self.classifier(x).float(), self.target[part])
        return result

    def _bins_before(self, maps: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        """Number of bins that are replaced before the cell of each bin."""
        order = ranked(self.cells.mean(maps.double()).flatten(1), self.seed, rows)
        n_bins = torch.from_numpy(self.cells.n_bins).to(maps.device).flatten()[order]
        before = torch.empty_like(order).scatter_(1, order, n_bins.cumsum(dim=1) - n_bins)
        return self.cells.expand(before.int().unflatten(1, self.cells.shape))


def mean_over_shares(values: torch.Tensor, shares: Sequence[float] = SHARES) -> torch.Tensor:
    """Mean over the shares 0 to 1, between which values are interpolated linearly (area under the curve).

    Parameters
    ----------
    values
        Values at each share, `(n, n_shares)`.
    shares
        The shares, ascending from 0 to 1.

    Returns
    -------
    torch.Tensor
        Means `(n,)`.

    Raises
    ------
    ValueError
        If the shares don't ascend from 0 to 1.
    """
    _check_shares(shares)
    return torch.trapezoid(values, torch.tensor(shares, dtype=values.dtype, device=values.device), dim=1)


def batch_size(inputs: torch.Tensor) -> int:
    """Number of windows of these inputs per forward pass; it depends on the shape of a window only."""
    return max(1, min(MAX_CHUNK_WINDOWS, CHUNK_BYTES // (4 * math.prod(inputs.shape[1:]))))


@torch.no_grad()
def probabilities(classifier: Classifier, inputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Probability of a class for each window, computed in batches.

    Parameters
    ----------
    classifier
        Classifier in evaluation mode.
    inputs
        Windows in the unit of the input, `(n, n_chans, n_freqs, n_frames)`.
    target
        Index of the class of each window, `(n,)`.

    Returns
    -------
    torch.Tensor
        Probabilities `(n,)`.
    """
    size = batch_size(inputs)
    parts = zip(inputs.split(size), target.split(size), strict=True)
    return torch.cat([probability(classifier(x).float(), classes) for x, classes in parts])


def _check_shares(shares: Sequence[float]) -> None:
    if list(shares) != sorted(set(shares)) or shares[0] != 0 or shares[-1] != 1:
        raise ValueError(f"shares are {tuple(shares)}; expected ascending numbers from 0 to 1")
