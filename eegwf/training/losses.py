"""Loss functions: cross-entropy with label smoothing and class weights, and the focal loss."""

import torch
from torch import nn
from torch.nn import functional


class Loss(nn.Module):
    """Cross-entropy or focal loss of logits.

    Parameters
    ----------
    class_weights
        Weights of the classes `(n_outputs,)`, or None.
    label_smoothing
        Fraction of the target that is distributed equally over all classes (Szegedy et al. 2016).
    focal_gamma
        Exponent gamma of the focal loss (Lin et al. 2017), which multiplies the term of each class by
        `(1 - p)**gamma`; 0 for the cross-entropy.
    """

    class_weights: torch.Tensor | None

    def __init__(self, class_weights: torch.Tensor | None, label_smoothing: float = 0.0, focal_gamma: float = 0.0):
        super().__init__()
        self.register_buffer("class_weights", class_weights)
        self.label_smoothing, self.focal_gamma = label_smoothing, focal_gamma

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Compute the mean loss of a batch.

        Parameters
        ----------
        logits
            Logits `(batch, n_outputs)`.
        target
            Class indices `(batch,)`, or class proportions `(batch, n_outputs)`.

        Returns
        -------
        torch.Tensor
            Scalar: the mean over the batch. With class weights and class indices, the sum is divided by the sum of the
            weights of the targets, as in torch, so that the focal loss equals the cross-entropy in the limit of
            `focal_gamma` at 0.
        """
        logits = logits.float()
        if not self.focal_gamma:
            return functional.cross_entropy(
                logits, target, weight=self.class_weights, label_smoothing=self.label_smoothing
            )
        n_outputs = logits.shape[1]
        proportions = functional.one_hot(target, n_outputs).to(logits) if target.ndim == 1 else target
        proportions = proportions * (1 - self.label_smoothing) + self.label_smoothing / n_outputs
        divisor: torch.Tensor | int = len(logits)
        if self.class_weights is not None:
            proportions = proportions * self.class_weights
            if target.ndim == 1:
                divisor = self.class_weights[target].sum()
        log_p = functional.log_softmax(logits, dim=1)
        # Above zero also where p is 1: the derivative of x**gamma at 0 is infinite for gamma below 1.
        one_minus_p = (-torch.expm1(log_p)).clamp_min(1e-6)
        return -(proportions * one_minus_p**self.focal_gamma * log_p).sum() / divisor
