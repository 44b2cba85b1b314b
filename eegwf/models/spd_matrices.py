"""Symmetric positive definite matrices: logarithm, Riemannian mean, and tangent vectors, in double precision.

With the affine-invariant metric (Pennec et al. 2006).
"""

from typing import Any

import torch

TOLERANCE = 1e-8
"""Norm of the gradient, relative to the square root of the size of the matrices, at which the mean has converged."""
MAX_ITERATIONS = 100


class _MatrixLog(torch.autograd.Function):
    """Logarithm with the gradient of Daleckii and Krein 1965, which is finite for equal eigenvalues too."""

    @staticmethod
    def forward(ctx: Any, matrices: torch.Tensor) -> torch.Tensor:
        values, vectors = torch.linalg.eigh(matrices)
        ctx.save_for_backward(values, vectors)
        return _compose(values.log(), vectors)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        values, vectors = ctx.saved_tensors
        differences = values[..., :, None] - values[..., None, :]
        # (log a - log b) / (a - b) = log(1 + r) / (r b) with r = (a - b) / b, which tends to 1 / b for a -> b.
        ratio = differences / values[..., None, :]
        equal = ratio.abs() < 1e-8
        quotient = torch.where(equal, 1.0, ratio.log1p() / torch.where(equal, 1.0, ratio))
        inner = vectors.mT @ ((gradient + gradient.mT) / 2) @ vectors
        return vectors @ (inner * quotient / values[..., None, :]) @ vectors.mT


def matrix_log(matrices: torch.Tensor) -> torch.Tensor:
    """Logarithm of symmetric positive definite matrices `(..., n, n)`."""
    return _MatrixLog.apply(matrices)


def riemannian_mean(matrices: torch.Tensor) -> torch.Tensor:
    """Compute the mean of matrices by gradient descent (Karcher flow; Moakher 2005).

    Parameters
    ----------
    matrices
        Symmetric positive definite matrices, float64 `(n_matrices, n, n)`.

    Returns
    -------
    torch.Tensor
        Matrix `(n, n)` with the smallest sum of squared distances. The iteration starts at the log-Euclidean mean and
        ends when the norm of the gradient is below `TOLERANCE`, or after `MAX_ITERATIONS`. The step is 2 divided by the
        sum of bounds of the smallest and the largest curvature (Bini and Iannazzo 2013): with a constant step of 1,
        matrices that are far apart would make the iteration oscillate.
    """
    mean = _apply(torch.exp, matrix_log(matrices).mean(dim=0))
    for _ in range(MAX_ITERATIONS):
        root, whitening = _apply(torch.sqrt, mean), inverse_root(mean)
        values, vectors = torch.linalg.eigh(whitening @ matrices @ whitening)
        gradient = _compose(values.log(), vectors).mean(dim=0)
        if float(gradient.norm()) < TOLERANCE * len(mean) ** 0.5:
            break
        half = ((values[:, -1] / values[:, 0]).log() / 2).clamp_min(1e-6)
        curvature = (half / half.tanh()).mean()
        mean = root @ _apply(torch.exp, gradient * 2 / (1 + curvature)) @ root
        mean = (mean + mean.mT) / 2
    return mean


def inverse_root(matrices: torch.Tensor) -> torch.Tensor:
    """Inverse square root of symmetric positive definite matrices `(..., n, n)`."""
    return _apply(torch.rsqrt, matrices)


def tangent_vectors(matrices: torch.Tensor, whitening: torch.Tensor) -> torch.Tensor:
    """Project matrices to the tangent space at a reference (Barachant et al. 2012).

    Parameters
    ----------
    matrices
        Symmetric positive definite matrices `(..., n, n)`.
    whitening
        Inverse square root of the reference, `(n, n)` or with leading axes that broadcast.

    Returns
    -------
    torch.Tensor
        Vectors `(..., n * (n + 1) / 2)` whose norm is the Riemannian distance from the reference.
    """
    n = matrices.shape[-1]
    # An element off the diagonal occurs twice in the norm of the matrix.
    weight = torch.full((n, n), 2.0**0.5, dtype=matrices.dtype, device=matrices.device).fill_diagonal_(1.0)
    return pack(matrix_log(whitening @ matrices @ whitening) * weight)


def pack(matrices: torch.Tensor) -> torch.Tensor:
    """Upper triangles `(..., n * (n + 1) / 2)` of symmetric matrices `(..., n, n)`, row by row."""
    rows, columns = torch.triu_indices(*matrices.shape[-2:], device=matrices.device)
    return matrices[..., rows, columns]


def unpack(triangles: torch.Tensor, n: int) -> torch.Tensor:
    """Restore matrices from their upper triangles.

    Parameters
    ----------
    triangles
        Upper triangles as of `pack`, `(..., n * (n + 1) / 2)`.
    n
        Size of the matrices.

    Returns
    -------
    torch.Tensor
        Symmetric matrices `(..., n, n)`.
    """
    rows, columns = torch.triu_indices(n, n, device=triangles.device)
    index = torch.zeros(n, n, dtype=torch.int64, device=triangles.device)
    index[rows, columns] = index[columns, rows] = torch.arange(len(rows), device=triangles.device)
    return triangles[..., index]


def _apply(function: Any, matrices: torch.Tensor) -> torch.Tensor:
    """Apply a function to the eigenvalues."""
    values, vectors = torch.linalg.eigh(matrices)
    return _compose(function(values), vectors)


def _compose(values: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    return (vectors * values[..., None, :]) @ vectors.mT
