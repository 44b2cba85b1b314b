"""Saliency and Grad-CAM: no cancellation of signs, nonzero gradients, correct axes."""

import numpy as np
import pytest
import torch
from torch import nn

from eegwf.attribution.maps import choose_windows, class_maps, gradcam_maps
from eegwf.config.stages.model import ExplainSettings
from eegwf.config.training import Training
from eegwf.data.splits import load_window_set, split
from eegwf.jobs import explain
from eegwf.models.registry import build
from eegwf.storage.files import read_array, read_json
from eegwf.training.classifier import save_classifier
from eegwf.training.loop import train
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.study import CLASSES, write_study


class Difference(nn.Module):
    """A network whose logit is channel 0 minus channel 1 at bin (2, 3)."""

    def __init__(self):
        super().__init__()
        self.gradcam_layer = nn.Identity()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        x = self.gradcam_layer(x)
        logit = (x[:, 0, 2, 3] - x[:, 1, 2, 3]) * self.weight
        return torch.stack([logit, -logit], dim=1)

    def upsample_to_input(self, maps):
        return maps[:, 0]


class UnnormalizedClassifier(nn.Module):
    """A classifier without normalization."""

    def __init__(self, network):
        super().__init__()
        self.normalization = nn.Identity()
        self.network = network


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def dataset(study):
    return SpectrogramDataset([study / "mel.npy"])


def test_signs_of_channels_do_not_cancel(dataset):
    maps = class_maps([UnnormalizedClassifier(Difference())], dataset, np.arange(10), 0)
    saliency_of_bins = maps.saliency.sum(axis=0)
    assert saliency_of_bins[2, 3] > 0  # the sum of the signed gradients, +1 and -1, would be 0
    assert np.count_nonzero(saliency_of_bins) == 1
    assert maps.saliency[0, 2, 3] == pytest.approx(maps.saliency[1, 2, 3])
    assert maps.saliency[2, 2, 3] == 0


def test_mean_equals_that_of_the_windows(dataset):
    rows = np.arange(0, 100, 3)
    maps = class_maps([UnnormalizedClassifier(Difference())], dataset, rows, 1)
    expected = np.asarray(dataset.arrays[0][rows], dtype=np.float64).mean(axis=0)
    np.testing.assert_allclose(maps.mean, expected, atol=1e-5)


@pytest.mark.parametrize(("layout", "pool"), [("stacked", "avg"), ("mosaic", "max")])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_gradcam_of_a_vit_is_not_zero_and_has_the_shape_of_the_input(depth, layout, pool):
    torch.manual_seed(1)
    shape = {"n_chans": 3, "n_freqs": 10, "n_frames": 12, "n_outputs": 3}
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


def test_saliency_is_largest_for_the_channel_that_differs_between_classes(tmp_path):
    study = write_study(tmp_path, channels=[1])
    dataset = SpectrogramDataset([study / "mel.npy"])
    window_set = load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)
    parameters = {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1}
    settings = Training(epochs=15, patience=15, batch_size=16, lr=5e-3)
    trained = train("vit", dataset, split(window_set, 1), parameters, settings, seed=1)
    shape = {**dataset.shape, "n_outputs": 3}
    description = {"model": "vit", "shape": shape, "parameters": parameters, "normalization": "patients"}
    save_classifier(tmp_path / "rank1", trained.classifier, description)
    explain.run(
        settings=ExplainSettings(
            device="cpu", threads=1, deterministic=True, seed=1, classes=CLASSES, max_windows_per_class=10
        ),
        name="vit_mel_3class_fold1",
        fold=1,
        windows=study / "windows.tsv",
        folds=study / "folds.tsv",
        arrays=[study / "mel.npy"],
        models=[tmp_path / "rank1" / "model.json"],
        output=tmp_path / "explain",
    )
    saliency, description = read_array(tmp_path / "explain/saliency.npy"), read_json(tmp_path / "explain/maps.json")
    assert saliency.shape == (3, 3, 10, 12)
    assert read_array(tmp_path / "explain/gradcam.npy").shape == (3, 10, 12)
    assert description["n_windows"] == [10, 10, 10] and description["device"] == "cpu"
    assert (saliency.mean(axis=(2, 3)).argmax(axis=1) == 1).all()


def test_selection_of_windows_is_reproducible(study):
    window_set = load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)
    first, second = choose_windows(window_set, 1, 5, 0), choose_windows(window_set, 1, 5, 0)
    assert (first == second).all() and len(first) == 5 and (np.diff(first) > 0).all()
    assert set(first) <= set(window_set.window[window_set.label == 1])
    assert len(choose_windows(window_set, 1, 10_000, 0)) == (window_set.label == 1).sum()
