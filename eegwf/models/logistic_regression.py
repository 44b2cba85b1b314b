"""Logistic regression of the classical models, fitted by scikit-learn and applied by torch."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn


@torch.no_grad()
def fit_logistic_regression(
    head: nn.Linear, features: np.ndarray, label: np.ndarray, C: float, weight: np.ndarray | None
) -> None:
    """Set the coefficients of a layer to those of the regression of classes on features.

    Parameters
    ----------
    head
        Layer that maps features to logits.
    features
        Features of the windows, float64 `(n_windows, n_features)`.
    label
        Index of each window's class, `(n_windows,)`. Every class must occur.
    C
        Inverse regularization strength, as in scikit-learn's `LogisticRegression`.
    weight
        Weight of each window in the loss, `(n_windows,)`; None gives all windows the same weight.
    """
    solver = LogisticRegression(C=C, max_iter=2000)
    solver.fit(features, label, sample_weight=weight)
    coefficients, intercept = solver.coef_, solver.intercept_
    if len(coefficients) == 1:  # for two classes scikit-learn stores only the difference of the logits
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    head.weight.copy_(torch.from_numpy(coefficients))
    head.bias.copy_(torch.from_numpy(intercept))
