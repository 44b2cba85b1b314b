"""Ensembles refuse what would give wrong probabilities without a message."""

import pytest
import torch

from eegwf.config.model_paths import ModelPaths
from eegwf.errors import InputError
from eegwf.prediction.ensemble import Ensemble, _load
from eegwf.storage.files import write_json
from eegwf.training.calibration import Calibration
from eegwf.training.classifier import Classifier, save_classifier
from eegwf.training.normalization import Normalization

SHAPE = {"n_chans": 2, "n_freqs": 1, "n_frames": 3, "n_outputs": 2}


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.normalization = Normalization("none", 1, 1)
        self.weight = torch.nn.Parameter(torch.ones(2, 3))

    def forward(self, x):
        return x.flatten(1) @ self.weight.T


@pytest.mark.parametrize("damaged", ["weights", "temperature"])
def test_probabilities_that_are_not_finite_are_refused(damaged):
    classifier = Linear()
    inputs = {"none": torch.ones(4, 1, 1, 3)}
    whole = Ensemble("final", ((classifier, Calibration((0.0, 0.0), 1.0)),), None)
    assert whole.predict(inputs)[0].tolist() == [[0.5, 0.5]] * 4
    if damaged == "weights":
        classifier.weight.data[0, 0] = float("nan")
    temperature = float("nan") if damaged == "temperature" else 1.0
    with pytest.raises(InputError, match="the final models give probabilities that are not finite"):
        Ensemble("final", ((classifier, Calibration((0.0, 0.0), temperature)),), None).predict(inputs)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model", {}),
        ("model", []),
        ("model", {"model": "none", "shape": SHAPE, "parameters": {}, "normalization": "none"}),
        ("model", {"model": "bandpower", "shape": {**SHAPE, "n_chans": 5}, "parameters": {}, "normalization": "none"}),
        ("calibration", {}),
        ("calibration", {"classes": ["a", "b"], "prior_shift": [0, 0, 0], "temperature": 1, "note": ""}),
        ("calibration", {"classes": ["a", "b"], "prior_shift": [0, 0], "temperature": "x", "note": ""}),
    ],
)
def test_models_whose_files_do_not_fit_are_refused_in_one_line(tmp_path, file, content):
    paths = ModelPaths(tmp_path / "model1")
    axes = {"sfreq": 10.0, "freqs": [1.0]}
    classifier = Classifier("bandpower", SHAPE, {}, "none", axes)
    described = {"model": "bandpower", "shape": SHAPE, "parameters": {}, "normalization": "none", "axes": axes}
    save_classifier(paths.folder, classifier, {**described, "classes": ["a", "b"]})
    write_json(paths.calibration, {"classes": ["a", "b"], "prior_shift": [0, 0], "temperature": 1, "note": ""})
    assert len(_load([paths], ["a", "b"], "cpu")) == 1
    write_json(getattr(paths, file), content)
    with pytest.raises(InputError) as error:
        _load([paths], ["a", "b"], "cpu")
    assert "model1" in str(error.value) and "\n" not in str(error.value)
