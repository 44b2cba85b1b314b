"""Saliency and Grad-CAM: signs don't cancel, gradients aren't zero, axes are right."""

import numpy as np
import pytest
import torch
from torch import nn

from eegwf.attribution.maps import choose_windows, class_maps, gradcam_maps
from eegwf.config.training import Training
from eegwf.data.splits import load_cohort, split
from eegwf.jobs.explain import explain_fold
from eegwf.models.registry import build
from eegwf.storage.files import read_array, read_json
from eegwf.training.classifier import save_classifier
from eegwf.training.loop import train
from eegwf.training.spectrogram_dataset import Inputs
from tests.helpers.study import CLASSES, write_study


class Difference(nn.Module):
    """A network whose logit is channel 0 minus channel 1 at bin (2, 3)."""

    def __init__(self):
        super().__init__()
        self.features = nn.Identity()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = self.features(x)
        one = (x[:, 0, 2, 3] - x[:, 1, 2, 3]) * self.weight
        return torch.stack([one, -one], dim=1)

    def to_input(self, maps):
        return maps[:, 0]


class Plain(nn.Module):
    """A classifier without normalisation."""

    def __init__(self, network):
        super().__init__()
        self.normalisation = nn.Identity()
        self.network = network


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def inputs(study):
    return Inputs([study / "mel.npy"])


def test_signs_of_channels_do_not_cancel(inputs):
    maps = class_maps([Plain(Difference())], inputs, np.arange(10), 0)
    by_bin = maps.saliency.sum(axis=0)
    assert by_bin[2, 3] > 0  # summed before the absolute value, +1 and -1 would give 0
    assert np.count_nonzero(by_bin) == 1
    assert maps.saliency[0, 2, 3] == pytest.approx(maps.saliency[1, 2, 3])
    assert maps.saliency[2, 2, 3] == 0


def test_the_mean_is_that_of_the_windows(inputs):
    rows = np.arange(0, 100, 3)
    maps = class_maps([Plain(Difference())], inputs, rows, 1)
    expected = np.asarray(inputs.arrays[0][rows], dtype=np.float64).mean(axis=0)
    np.testing.assert_allclose(maps.mean, expected, atol=1e-5)


@pytest.mark.parametrize(("layout", "pool"), [("stacked", "avg"), ("mosaic", "max")])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_gradcam_of_a_vit_is_not_zero_and_covers_the_input(depth, layout, pool):
    torch.manual_seed(1)
    shape = {"n_chans": 3, "n_freqs": 10, "n_times": 12, "n_outputs": 3}
    network = build(
        "vit",
        shape,
        {"patch_freqs": 4, "patch_times": 5, "width": 16, "heads": 2, "depth": depth, "layout": layout, "pool": pool},
    ).eval()
    x = torch.randn(16, 3, 10, 12)
    maps = gradcam_maps(network, x, 1)
    assert maps.shape == (16, 10, 12)
    assert (maps >= 0).all()
    assert (maps.flatten(1).amax(dim=1) > 0).float().mean() > 0.5


def test_a_trained_model_looks_at_the_channel_that_tells_the_classes_apart(tmp_path):
    study = write_study(tmp_path, channels=[1])
    inputs = Inputs([study / "mel.npy"])
    cohort = load_cohort(study / "windows.tsv", study / "folds.tsv", CLASSES)
    own = {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1}
    settings = Training(epochs=15, patience=15, batch_size=16, lr=5e-3)
    trained = train("vit", inputs, split(cohort, 1), own, settings, seed=1)
    shape = {**inputs.shape, "n_outputs": 3}
    description = {"model": "vit", "shape": shape, "parameters": own, "normalisation": "patients"}
    save_classifier(tmp_path / "rank1", trained.classifier, description)
    explain_fold(
        name="vit_mel_3class_fold1",
        fold=1,
        config={
            "device": "cpu",
            "deterministic": True,
            "threads": 1,
            "seed": 1,
            "classes": CLASSES,
            "explanation": {"windows": 10},
        },
        windows=str(study / "windows.tsv"),
        folds=str(study / "folds.tsv"),
        arrays=[str(study / "mel.npy")],
        models=[str(tmp_path / "rank1" / "model.json")],
        output=str(tmp_path / "explain"),
    )
    saliency, described = read_array(tmp_path / "explain/saliency.npy"), read_json(tmp_path / "explain/maps.json")
    assert saliency.shape == (3, 3, 10, 12)
    assert read_array(tmp_path / "explain/gradcam.npy").shape == (3, 10, 12)
    assert described["n_windows"] == [10, 10, 10] and described["device"] == "cpu"
    assert (saliency.mean(axis=(2, 3)).argmax(axis=1) == 1).all()


def test_windows_are_drawn_by_seed(study):
    cohort = load_cohort(study / "windows.tsv", study / "folds.tsv", CLASSES)
    one, two = choose_windows(cohort, 1, 5, 0), choose_windows(cohort, 1, 5, 0)
    assert (one == two).all() and len(one) == 5 and (np.diff(one) > 0).all()
    assert set(one) <= set(cohort.window[cohort.label == 1])
    assert len(choose_windows(cohort, 1, 10_000, 0)) == (cohort.label == 1).sum()
