"""Metrics of validation: one definition in training and evaluation."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from eegwf.evaluation.scores import scores
from eegwf.training.metrics import _multiclass_f1_score, macro_f1


@pytest.mark.parametrize("true", [[0, 1, 2], [0, 1], [1], [0, 2]])
@pytest.mark.parametrize("predicted", [[0, 1, 2], [0, 1], [0]])
def test_macro_f1_equals_the_evaluation_and_scikit_learn(true, predicted):
    rng = np.random.default_rng(0)
    truth, chosen = rng.choice(true, 60), rng.choice(predicted, 60)
    p = np.eye(3)[chosen] * 0.8 + 0.1
    value = macro_f1(torch.from_numpy(p), torch.from_numpy(truth), 3).item()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = f1_score(truth, chosen, labels=[0, 1, 2], average="macro", zero_division=0)
    assert value == pytest.approx(expected, abs=1e-6)
    assert scores(truth, chosen, p)["macro_f1"] == pytest.approx(expected, abs=1e-12)


def test_macro_f1_has_the_bytes_of_torcheval_if_all_classes_occur():
    rng = np.random.default_rng(1)
    for _ in range(50):
        logits, truth = torch.from_numpy(rng.normal(size=(40, 3))), torch.from_numpy(rng.permutation(np.arange(40) % 3))
        macro = _multiclass_f1_score(logits, truth, average="macro", num_classes=3)
        assert torch.equal(macro_f1(logits, truth, 3), macro)
