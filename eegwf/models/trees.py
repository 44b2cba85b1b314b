"""Sums of decision trees, evaluated by torch from tensors."""

from typing import Any, cast

import numpy as np
import torch
from torch import nn


class Trees(nn.Module):
    """Sum of binary decision trees for each output.

    Parameters
    ----------
    n_trees
        Number of trees for each output.
    n_outputs
        Number of outputs.
    max_leaves
        Largest number of leaves of a tree.

    Notes
    -----
    A tree has at most `2 * max_leaves - 1` nodes; node 0 is the root. A window goes to the `left` node if its `feature`
    is at most the `threshold`, else to the `right` one; both are the node itself for a leaf. Features and thresholds
    are compared in double precision. New trees consist of a root with a random value: the values are the parameters,
    and the rest of the trees are buffers.
    """

    feature: torch.Tensor
    threshold: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor
    offset: torch.Tensor

    def __init__(self, n_trees: int, n_outputs: int, max_leaves: int):
        super().__init__()
        self.n_outputs = n_outputs
        shape = (n_trees * n_outputs, 2 * max_leaves - 1)
        for name in ("feature", "left", "right"):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.int64))
        self.register_buffer("threshold", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("offset", torch.zeros(n_outputs, dtype=torch.float64))
        self.value = nn.Parameter(torch.empty(shape, dtype=torch.float64))
        self._clear()
        nn.init.normal_(self.value, std=max(n_trees, 1) ** -0.5)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Compute the sums of the values of the leaves.

        Parameters
        ----------
        features
            Features of the windows, `(batch, n_features)`.

        Returns
        -------
        torch.Tensor
            Outputs in double precision, `(batch, n_outputs)`.
        """
        features = features.double()
        tree = torch.arange(len(self.value), device=features.device)
        node = tree.new_zeros(len(features), len(tree))
        while True:
            below = features.gather(1, self.feature[tree, node]) <= self.threshold[tree, node]
            following = torch.where(below, self.left[tree, node], self.right[tree, node])
            if torch.equal(following, node):
                break
            node = following
        return self.value[tree, node].unflatten(1, (-1, self.n_outputs)).sum(dim=1) + self.offset

    @torch.no_grad()
    def copy_from(self, predictors: list[list[Any]], offset: np.ndarray, edges: list[np.ndarray]) -> None:
        """Copy trees of scikit-learn's histogram gradient boosting that were grown on the numbers of bins.

        Parameters
        ----------
        predictors
            Trees of each iteration, one for each output (`_predictors`), of numerical features.
        offset
            Number that is added to the trees of each output (`_baseline_prediction`), `(n_outputs,)`.
        edges
            Edges between the bins of each feature, in ascending order: a split after bin i is one at edge i.

        Notes
        -----
        scikit-learn has no public access to these trees; the tests compare the outputs with its own.
        """
        self._clear()
        for number, predictor in enumerate(one for iteration in predictors for one in iteration):
            nodes = predictor.nodes
            n_nodes = len(nodes)
            itself, is_leaf = np.arange(n_nodes), nodes["is_leaf"].astype(bool)
            thresholds = [
                0.0 if leaf else edges[feature][int(number)]
                for leaf, feature, number in zip(is_leaf, nodes["feature_idx"], nodes["num_threshold"], strict=True)
            ]
            columns = {
                "feature": np.where(is_leaf, 0, nodes["feature_idx"]),
                "threshold": np.array(thresholds),
                "left": np.where(is_leaf, itself, nodes["left"]),
                "right": np.where(is_leaf, itself, nodes["right"]),
                "value": nodes["value"],
            }
            for name, column in columns.items():
                target = cast(torch.Tensor, getattr(self, name))
                target[number, :n_nodes] = torch.from_numpy(np.ascontiguousarray(column)).to(target)
        self.offset.copy_(torch.from_numpy(np.ravel(offset)))

    @torch.no_grad()
    def _clear(self) -> None:
        """Make all nodes leaves with the value 0, so that files do not contain remains of former trees."""
        for tensor in (self.feature, self.threshold, self.value):
            tensor.zero_()
        for following in (self.left, self.right):
            following.copy_(torch.arange(following.shape[1]))
