"""Rank correlation of maps: scipy as reference, ties, constant maps."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from eegwf.attribution.cells import make_cells
from eegwf.attribution.similarity import rank_correlation


@pytest.mark.parametrize("levels", [0, 2, 5, 40])
def test_equals_scipy_with_and_without_ties(levels):
    rng = np.random.default_rng(levels)
    first, second = rng.normal(size=(2, 6, 3, 8, 5))
    second += 0.7 * first
    if levels:
        first, second = np.round(first * levels / 4), np.round(second * levels / 4)
    expected = [spearmanr(one.ravel(), other.ravel()).statistic for one, other in zip(first, second, strict=True)]
    found = rank_correlation(torch.from_numpy(first), torch.from_numpy(second))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.int64])
def test_other_types_of_numbers(dtype):
    first = torch.arange(12).reshape(1, 3, 4).to(dtype)
    second = first.flip(2)
    assert rank_correlation(first, second)[0].item() == pytest.approx(spearmanr(first.ravel(), second.ravel())[0])


def test_depends_on_the_order_of_values_alone():
    torch.manual_seed(0)
    maps = torch.randn(4, 2, 30)
    np.testing.assert_allclose(rank_correlation(maps, maps.exp() * 7), 1.0, rtol=1e-12)
    np.testing.assert_allclose(rank_correlation(maps, -maps), -1.0, rtol=1e-12)


@pytest.mark.parametrize("n_values", [1, 7, 1000])
def test_a_constant_map_has_no_similarity(n_values):
    constant, other = torch.full((2, n_values), 0.1), torch.randn(2, n_values)
    assert rank_correlation(constant, other).tolist() == [0.0, 0.0]
    assert rank_correlation(constant, constant).tolist() == [0.0, 0.0]


def test_a_pair_does_not_depend_on_the_others_of_the_batch():
    first, second = torch.randn(2, 5, 60, generator=torch.Generator().manual_seed(3))
    one_by_one = [rank_correlation(first[[row]], second[[row]]).item() for row in range(5)]
    np.testing.assert_allclose(rank_correlation(first, second), one_by_one, rtol=1e-12)


def test_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\)"):
        rank_correlation(torch.zeros(2, 3), torch.zeros(3, 2))


def test_a_constant_map_has_no_similarity_over_cells_of_different_sizes():
    described = [
        {"ch_names": ["a", "b"], "freqs": list(np.linspace(2.4, 62, 32)), "times": list(np.linspace(0.2, 14.8, 32))}
    ]
    cells = make_cells(described, 1.0)
    first, second = (cells.mean(torch.full((1, 2, 32, 32), value)) for value in (0.1, 0.3))
    assert first.unique().numel() > 1  # rounding errors
    assert rank_correlation(first, second).tolist() == [0.0]
    assert rank_correlation(first, first).tolist() == [0.0]
