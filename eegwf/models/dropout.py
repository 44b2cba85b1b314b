"""Dropout that draws its masks faster on a CPU."""

import torch
from torch import nn

STEPS = 1 << 16


class Dropout(nn.Dropout):
    """torch's dropout; on a CPU a mask is drawn from 16 random bits a value, in place of a number of its own each.

    The probability is rounded to the next 65536th, and what is kept is scaled for that. A tenth of a training step goes
    into drawing masks otherwise.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The input, in training with each value zero with the probability `p` and the others scaled up."""
        dropped = round(self.p * STEPS)
        if not self.training or not 0 < dropped < STEPS or x.device.type != "cpu":
            return super().forward(x)
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        bits = words.view(torch.int16)[: x.numel()].view(x.shape)
        mask = torch.empty_like(x, memory_format=torch.contiguous_format)
        torch.ge(bits, dropped - STEPS // 2, out=mask)
        return x * mask.mul_(STEPS / (STEPS - dropped))


def faster_dropout(network: nn.Module) -> nn.Module:
    """Make every dropout of a network, those inside other libraries' layers too, one of these."""
    for module in network.modules():
        if type(module) is nn.Dropout:
            module.__class__ = Dropout
    return network
