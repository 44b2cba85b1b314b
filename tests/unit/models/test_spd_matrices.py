"""Functions of symmetric positive definite matrices compared with scipy, and with what defines the mean."""

import numpy as np
import pytest
import torch
from scipy import linalg

from eegwf.models.spd_matrices import (
    TOLERANCE,
    inverse_root,
    matrix_log,
    pack,
    riemannian_mean,
    tangent_vectors,
    unpack,
)


def spd(n_matrices=30, n=4, spread=1.0, seed=0):
    """Random matrices with eigenvalues over several orders of magnitude."""
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(n_matrices, n, n)) * np.exp(spread * rng.normal(size=(n_matrices, 1, n)))
    return torch.from_numpy(roots @ roots.transpose(0, 2, 1) + 1e-3 * np.eye(n))


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
def test_logarithm_and_inverse_root_equal_scipys():
    matrices = spd()
    for matrix, logarithm, root in zip(matrices, matrix_log(matrices), inverse_root(matrices), strict=True):
        np.testing.assert_allclose(logarithm, linalg.logm(matrix.numpy()), atol=1e-9)
        np.testing.assert_allclose(root, linalg.inv(linalg.sqrtm(matrix.numpy())).real, atol=1e-8)


def test_gradient_of_the_logarithm_equals_differences_also_for_equal_eigenvalues():
    equal = torch.eye(3, dtype=torch.float64) * 2
    partly = torch.diag(torch.tensor([5.0, 0.1, 5.0], dtype=torch.float64))
    for matrix in (*spd(3, 3), equal, partly):
        assert torch.autograd.gradcheck(lambda x: matrix_log((x + x.mT) / 2), matrix.clone().requires_grad_())


def test_the_mean_of_commuting_matrices_is_their_geometric_mean():
    matrices = torch.diag_embed(
        torch.rand(20, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 9 + 0.1
    )
    expected = torch.diag(matrices.diagonal(dim1=1, dim2=2).log().mean(dim=0).exp())
    torch.testing.assert_close(riemannian_mean(matrices), expected, atol=1e-7, rtol=1e-7)


def test_the_mean_of_two_matrices_is_the_middle_of_their_geodesic():
    a, b = spd(2)
    root = linalg.sqrtm(a.numpy()).real
    inverse = linalg.inv(root)
    expected = root @ linalg.sqrtm(inverse @ b.numpy() @ inverse).real @ root
    np.testing.assert_allclose(riemannian_mean(torch.stack([a, b])), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
def test_the_gradient_at_the_mean_vanishes_in_scipys_logarithm(spread):
    matrices = spd(spread=spread)
    inverse = linalg.inv(linalg.sqrtm(riemannian_mean(matrices).numpy())).real
    gradient = np.mean([linalg.logm(inverse @ matrix.numpy() @ inverse).real for matrix in matrices], axis=0)
    assert np.linalg.norm(gradient) < 2 * TOLERANCE + 1e-9 * spread  # scipy's rounding errors


def test_the_mean_is_equivariant_under_mixing_of_channels():
    matrices = spd()
    mixing = torch.from_numpy(np.random.default_rng(1).normal(size=(4, 4)))
    found = riemannian_mean(mixing @ matrices @ mixing.T)
    torch.testing.assert_close(found, mixing @ riemannian_mean(matrices) @ mixing.T, rtol=1e-6, atol=1e-6)


def test_norm_of_a_tangent_vector_is_the_riemannian_distance():
    reference, *others = spd(6)
    found = tangent_vectors(torch.stack(others), inverse_root(reference)).norm(dim=1)
    eigenvalues = [linalg.eigvalsh(other.numpy(), reference.numpy()) for other in others]
    np.testing.assert_allclose(found, [np.sqrt((np.log(values) ** 2).sum()) for values in eigenvalues], rtol=1e-8)


def test_packed_triangles_are_unpacked():
    matrices = spd(6).unflatten(0, (2, 3))
    assert pack(matrices).shape == (2, 3, 10) and torch.equal(
        unpack(pack(matrices), 4), matrices.triu() + matrices.triu(1).mT
    )
