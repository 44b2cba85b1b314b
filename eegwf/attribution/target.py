"""Score of a class that is explained."""

from typing import cast

import torch
from torch import nn
from torch.nn import functional


def contrast(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Contrast of a class: its logit minus the mean of the other classes' logits.

    What increases all logits equally changes no probability, and is part of the map of a logit, but not of that of the
    contrast.

    Parameters
    ----------
    logits
        Logits `(n, n_classes)`.
    target
        Index of the class of each row, `(n,)`.

    Returns
    -------
    torch.Tensor
        Contrasts `(n,)`.
    """
    chosen = logits.gather(1, target[:, None])[:, 0]
    others = logits.sum(dim=1) - chosen
    return chosen - others / max(logits.shape[1] - 1, 1)


def probability(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Probability (softmax) of a class.

    Parameters
    ----------
    logits
        Logits `(n, n_classes)`.
    target
        Index of the class of each row, `(n,)`.

    Returns
    -------
    torch.Tensor
        Probabilities `(n,)`.
    """
    return functional.softmax(logits, dim=1).gather(1, target[:, None])[:, 0]


class ContrastScore(nn.Module):
    """A network whose output is the contrast of a class, for methods that explain a single output.

    Parameters
    ----------
    network
        Returns logits `(n, n_classes)`.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Compute the contrast of each window.

        Parameters
        ----------
        x
            Normalized inputs `(n, n_chans, n_freqs, n_frames)`.
        target
            Index of the class of each window, `(n,)`.

        Returns
        -------
        torch.Tensor
            Contrasts `(n,)`.
        """
        return contrast(cast(torch.Tensor, self.network(x)), target)
