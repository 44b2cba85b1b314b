"""The loss: cross-entropy of logits, smoothed, weighted, or focal."""

import torch
from torch import nn
from torch.nn import functional


class Loss(nn.Module):
    """Cross-entropy of logits with classes, or with shares of classes.

    Parameters
    ----------
    class_weights
        `(n_outputs,)`, or None.
    label_smoothing
        Share of the truth that is spread evenly over all classes (Szegedy et al. 2016).
    focal
        Exponent of the focal loss (Lin et al. 2017): a class's term is weighed by `(1 - p)**focal`; 0 for none.
    """

    def __init__(self, class_weights: torch.Tensor | None, label_smoothing: float = 0.0, focal: float = 0.0):
        super().__init__()
        self.register_buffer("class_weights", class_weights)
        self.label_smoothing, self.focal = label_smoothing, focal

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Mean loss of logits `(batch, n_outputs)` and classes `(batch,)` or shares `(batch, n_outputs)`.

        With class weights, plain cross-entropy of classes is their weighted mean, as torch has it.
        """
        logits = logits.float()
        if not self.focal:
            return functional.cross_entropy(
                logits, target, weight=self.class_weights, label_smoothing=self.label_smoothing
            )
        n_outputs = logits.shape[1]
        shares = functional.one_hot(target, n_outputs).to(logits) if target.ndim == 1 else target
        shares = shares * (1 - self.label_smoothing) + self.label_smoothing / n_outputs
        if self.class_weights is not None:
            shares = shares * self.class_weights
        log_p = functional.log_softmax(logits, dim=1)
        # Not quite zero where p is one: a power below one has no slope there.
        doubt = (-torch.expm1(log_p)).clamp_min(1e-6)
        return -(shares * doubt**self.focal * log_p).sum(dim=1).mean()
