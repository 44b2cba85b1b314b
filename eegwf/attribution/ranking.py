"""Order of parts of a window by their relevance, with ties in random order."""

from collections.abc import Sequence

import numpy as np
import torch

from eegwf.seeds import seed_of

DECIMALS = 6
"""Relevances that agree in this many decimals of the window's largest one are tied, since they differ only by the
rounding of single precision."""


def ranked(values: torch.Tensor, seed: int, rows: Sequence[int]) -> torch.Tensor:
    """Rank the parts of each window.

    Parameters
    ----------
    values
        Relevance of each part, `(n, n_parts)`, in double precision.
    seed
        Seed of the order of ties.
    rows
        Row numbers of the windows, which seed the order of ties, so that it does not depend on the other windows.

    Returns
    -------
    torch.Tensor
        Indices of the parts from the most to the least relevant, `(n, n_parts)`.
    """
    orders = [np.random.default_rng(seed_of(seed, "ties", row)).permutation(values.shape[1]) for row in rows]
    shuffled = torch.from_numpy(np.array(orders).reshape(len(values), -1)).to(values.device)
    largest = values.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(values.dtype).tiny)
    rounded = (values / largest).round(decimals=DECIMALS).gather(1, shuffled)
    return shuffled.gather(1, rounded.argsort(dim=1, descending=True, stable=True))
