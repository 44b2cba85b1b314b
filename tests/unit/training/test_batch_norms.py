"""Running statistics of batch norms, against those of all windows."""

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from eegwf.training.batch_norms import fit_batch_norms
from eegwf.training.classifier import Classifier
from tests.helpers.small_models import AXES, SMALL, random_input

SHAPE = {"n_chans": 3, "n_freqs": 12, "n_frames": 16, "n_outputs": 3}


def test_statistics_are_means_over_the_batches_of_the_windows_without_dropout():
    torch.manual_seed(0)
    classifier = Classifier("eegnet", SHAPE, {"dropout": 0.5}, "none", AXES).train()
    norm = nn.BatchNorm1d(3)
    classifier.network = nn.Sequential(nn.Dropout(0.5), nn.Flatten(2), norm)
    batches = [4 + 2 * random_input(8, 3, 12, 16, seed=seed) for seed in range(5)]
    fit_batch_norms(classifier, batches)
    mean = torch.stack([x.mean(dim=(0, 2, 3)) for x in batches]).mean(dim=0)
    variance = torch.stack([x.var(dim=(0, 2, 3)) for x in batches]).mean(dim=0)
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, variance)
    assert norm.momentum == 0.1 and classifier.training and norm.training


@pytest.mark.parametrize("name", SMALL)
def test_statistics_do_not_depend_on_those_before(name):
    torch.manual_seed(0)
    classifier = Classifier(name, SHAPE, SMALL[name], "none", AXES)
    batches = [random_input(8, 3, 12, 16, seed=seed) for seed in range(2)]
    norms = [module for module in classifier.modules() if isinstance(module, _BatchNorm)]
    if not norms:
        fit_batch_norms(classifier, (pytest.fail("no batch is read") for _ in range(1)))
        return
    fit_batch_norms(classifier, batches)
    first = [norm.running_mean.clone() for norm in norms]
    for norm in norms:
        norm.running_mean.fill_(1e3)
        norm.running_var.fill_(1e3)
    fit_batch_norms(classifier, batches)
    assert all(torch.equal(norm.running_mean, mean) for norm, mean in zip(norms, first, strict=True))
