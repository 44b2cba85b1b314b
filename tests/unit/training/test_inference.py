"""Predictions that do not depend on which windows are predicted together."""

import numpy as np
import pytest
import torch

from eegwf.training.classifier import Classifier, needed_axes
from eegwf.training.inference import BATCH, batch_logits, predict_rows
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.small_models import SMALL
from tests.helpers.study import write_study


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    study = write_study(tmp_path_factory.mktemp("study"), shape=(3, 32, 32))
    return SpectrogramDataset([study / "mel.npy"])


@pytest.mark.parametrize("model", [*SMALL, "bandpower"])
def test_a_window_has_the_same_logits_alone_and_among_others(dataset, model):
    torch.manual_seed(0)
    parameters = SMALL.get(model, {})
    shape = {**dataset.shape, "n_outputs": 3}
    classifier = Classifier(model, shape, parameters, "window", needed_axes(model, parameters, dataset)).eval()
    rows = np.random.default_rng(0).permutation(len(dataset.arrays[0]))[: BATCH + 7]
    together = predict_rows(classifier, dataset, rows)
    assert len(together) == len(rows) > BATCH
    for number in (0, 5, BATCH, BATCH + 6):
        alone = batch_logits(classifier, dataset.read(rows[number : number + 1]))
        assert torch.equal(alone[0], together[number])


def test_no_windows_have_no_logits(dataset):
    assert predict_rows(torch.nn.Linear(1, 1), dataset, np.zeros(0, int)).shape == (0, 0)
