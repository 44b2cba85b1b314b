"""Deletion and insertion: order of the cells, shares, ties, and independence of the batch."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from torch import nn

from eegwf.attribution.cells import make_cells
from eegwf.attribution.perturbation import Perturbation, mean_over_shares, probabilities
from eegwf.attribution.ranking import ranked

N, N_CHANS, N_FREQS, N_FRAMES = 6, 3, 10, 12
ARRAY = {"ch_names": ["a", "b", "c"], "freqs": np.linspace(1, 40, N_FREQS), "times": np.arange(N_FRAMES) / 3}
CELLS = make_cells([ARRAY], 1.0)
SHARES = (0.0, 0.1, 0.35, 0.8, 1.0)


class Linear(nn.Module):
    """A classifier whose logits are a linear function of the bins."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(N_CHANS * N_FREQS * N_FRAMES, 3, generator=generator(5)) * 0.1)

    def forward(self, x):
        return x.flatten(1) @ self.weight


def generator(seed):
    return torch.Generator().manual_seed(seed)


def windows(seed):
    return torch.randn(N, N_CHANS, N_FREQS, N_FRAMES, generator=generator(seed))


TARGET = torch.tensor([0, 1, 2, 0, 1, 2])


def perturbation(classifier=None, rows=range(N), inputs=None, fill=None, target=TARGET, seed=0):
    inputs, fill = windows(1) if inputs is None else inputs, windows(2) if fill is None else fill
    return Perturbation(classifier or Linear(), inputs, fill, target, CELLS, seed, rows, SHARES)


def expected_curve(classifier, x, other, map_, target):
    """Replace one cell of a window after another until the share of the bins is reached."""
    weight = classifier.weight.detach().double().numpy()
    cells = [(c, b, s) for c in range(CELLS.shape[0]) for b in range(CELLS.shape[1]) for s in range(CELLS.shape[2])]
    inside = {cell: np.zeros(x.shape, dtype=bool) for cell in cells}
    for c, b, s in cells:
        inside[c, b, s][c] = (CELLS.band[c] == b)[:, None] & (CELLS.interval[c] == s)[None, :]
    order = sorted(cells, key=lambda cell: -map_[inside[cell]].mean())
    curve = []
    for share in SHARES:
        removed = np.zeros(x.shape, dtype=bool)
        for cell in order:
            if removed.mean() < share - 1e-9:
                removed |= inside[cell]
        curve.append(softmax(np.where(removed, other, x).ravel() @ weight)[target])
    return curve


@pytest.mark.parametrize("kind", ["deletion", "insertion"])
def test_cells_are_replaced_one_after_another_until_the_share_is_reached(kind):
    one, maps, classifier = perturbation(), windows(3), Linear()
    result = getattr(one, kind)(maps)
    first, last = (windows(1), windows(2)) if kind == "deletion" else (windows(2), windows(1))
    expected = [
        expected_curve(classifier, *(array[n].double().numpy() for array in (first, last, maps)), int(TARGET[n]))
        for n in range(N)
    ]
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-5)


def test_curves_begin_and_end_at_the_two_windows():
    one, maps = perturbation(), windows(3)
    before, replaced = (probabilities(one.classifier, x, TARGET) for x in (windows(1), windows(2)))
    assert not torch.allclose(before, replaced, atol=0.01)
    for curve, ends in ((one.deletion(maps), (before, replaced)), (one.insertion(maps), (replaced, before))):
        assert torch.allclose(curve[:, 0], ends[0]) and torch.allclose(curve[:, -1], ends[1])


def test_the_true_map_of_a_linear_model_is_best_and_its_negative_worst():
    classifier, inputs, fill = Linear(), windows(1), windows(2)
    shape = (N_CHANS, N_FREQS, N_FRAMES, 3)
    weight = classifier.weight.detach().unflatten(0, shape[:3]).movedim(3, 0)
    contrast = weight[TARGET] - (weight.sum(dim=0) - weight[TARGET]) / 2
    one, true = perturbation(classifier), contrast * (inputs - fill)
    means = [mean_over_shares(one.deletion(maps), SHARES) for maps in (true, windows(3), -true)]
    assert means[0].mean() < means[1].mean() - 0.1 < means[2].mean() - 0.2
    means = [mean_over_shares(one.insertion(maps), SHARES) for maps in (true, windows(3), -true)]
    assert means[0].mean() > means[1].mean() + 0.1 > means[2].mean() + 0.2


def test_equal_cells_are_replaced_in_an_order_that_the_row_and_the_seed_decide():
    constant = torch.zeros(N, N_CHANS, N_FREQS, N_FRAMES)
    result = perturbation().deletion(constant)
    assert torch.equal(result, perturbation().deletion(constant))
    assert not torch.allclose(result, perturbation(seed=1).deletion(constant), atol=1e-3)
    backward = perturbation(
        rows=range(N)[::-1], inputs=windows(1).flip(0), fill=windows(2).flip(0), target=TARGET.flip(0)
    )
    assert torch.allclose(backward.deletion(constant).flip(0), result, atol=1e-6)
    orders = ranked(torch.zeros(200, 5).double(), 0, range(200))
    assert (orders.sort(dim=1).values == torch.arange(5)).all()
    counts = torch.bincount(orders[:, 0], minlength=5)
    assert counts.min() > 20 and counts.max() < 65  # 40 expected, standard deviation 5.7


def test_values_that_differ_by_rounding_are_ties():
    values = torch.tensor([[3.0, 1.0, 1.0, 1.0, -2.0]]).double().repeat(50, 1)
    noise = torch.rand(50, 5, generator=generator(0)).double() * 3e-8
    assert torch.equal(ranked(values, 0, range(50)), ranked(values + noise, 0, range(50)))
    assert ranked(values, 0, range(50))[:, [0, 4]].unique(dim=0).tolist() == [[0, 4]]


def test_windows_do_not_depend_on_their_batch():
    one, maps = perturbation(), windows(3)
    alone = [perturbation(None, [n], windows(1)[n : n + 1], windows(2)[n : n + 1], TARGET[n : n + 1]) for n in range(N)]
    for kind in ("deletion", "insertion"):
        parts = [getattr(window, kind)(maps[n : n + 1]) for n, window in enumerate(alone)]
        assert torch.allclose(getattr(one, kind)(maps), torch.cat(parts), atol=1e-6)


def test_more_windows_than_one_batch(monkeypatch):
    maps = windows(3)
    together = perturbation().deletion(maps)
    monkeypatch.setattr("eegwf.attribution.perturbation.MAX_CHUNK_WINDOWS", 4)
    assert torch.allclose(perturbation().deletion(maps), together, atol=1e-6)


def test_mean_over_shares_is_the_area_under_the_curve():
    shares = torch.tensor(SHARES)
    values = torch.stack([1 - shares, torch.full_like(shares, 0.3), (shares > 0.5).float()])
    assert mean_over_shares(values, SHARES).tolist() == pytest.approx([0.5, 0.3, 0.2 + 0.45 / 2])


@pytest.mark.parametrize("shares", [(0.1, 1.0), (0.0, 0.5), (0.0, 0.5, 0.2, 1.0), (0.0, 0.5, 0.5, 1.0)])
def test_shares_ascend_from_0_to_1(shares):
    with pytest.raises(ValueError, match="expected ascending numbers from 0 to 1"):
        mean_over_shares(torch.zeros(2, len(shares)), shares)
    with pytest.raises(ValueError, match="expected ascending numbers from 0 to 1"):
        Perturbation(Linear(), windows(1), windows(2), TARGET, CELLS, 0, range(N), shares)
