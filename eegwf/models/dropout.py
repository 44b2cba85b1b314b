"""Dropout with faster mask generation on a CPU."""

import torch
from torch import nn

N_LEVELS = 1 << 16  # values of a 16-bit random number


class Dropout(nn.Dropout):
    """Dropout that uses 16 random bits for each value on a CPU, where torch draws a random number for each value.

    The probability is rounded to a multiple of 1/65536, and the remaining values are scaled accordingly. With torch's
    dropout, drawing the masks takes a tenth of a training step.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the input; in training, set each value to zero with probability `p` and scale the others up."""
        n_dropped = round(self.p * N_LEVELS)
        if not self.training or not 0 < n_dropped < N_LEVELS or x.device.type != "cpu":
            return super().forward(x)
        # Each 64-bit word provides the random bits of four values.
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        bits = words.view(torch.int16)[: x.numel()].view(x.shape)
        mask = torch.empty_like(x, memory_format=torch.contiguous_format)
        torch.ge(bits, n_dropped - N_LEVELS // 2, out=mask)
        return x * mask.mul_(N_LEVELS / (N_LEVELS - n_dropped))


def faster_dropout(network: nn.Module) -> nn.Module:
    """Convert every `nn.Dropout` of a network to `Dropout` in place, including those in layers of other libraries.

    Parameters
    ----------
    network
        Network to convert.

    Returns
    -------
    nn.Module
        The same network.
    """
    for module in network.modules():
        if type(module) is nn.Dropout:
            module.__class__ = Dropout
    return network
