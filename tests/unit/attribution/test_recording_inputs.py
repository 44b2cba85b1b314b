"""Attribution of classifiers whose input is normalized by recording: they get the inputs that they predict from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from eegwf.attribution.attribute import attribute
from eegwf.attribution.comparison import _maps
from eegwf.attribution.explain import _signal_perturbation, explain
from eegwf.attribution.files import write_attribution
from eegwf.attribution.fold import FoldTask
from eegwf.attribution.signal_gradient import signal_relevance
from eegwf.attribution.target import contrast
from eegwf.config.explanation import Explanation
from eegwf.config.fold_paths import AttributionPaths
from eegwf.config.training import RECORDING_NORMALIZATIONS, Training
from eegwf.data.splits import load_window_set, split
from eegwf.storage.files import read_array, write_array, write_json
from eegwf.training.loop import train
from eegwf.training.recording_normalization import input_for
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from tests.helpers.study import CLASSES, write_study

TRAINING = {"epochs": 1, "patience": 1, "batch_size": 16}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Time series with another gain in each recording."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    rng = np.random.default_rng(1)
    gain = np.repeat(rng.uniform(10, 200, 6), 24)[:, None, None]
    write_array(folder / "windows.npy", (gain * rng.normal(0, 1, (144, 3, 64))).astype(np.float16))
    axes = {"sfreq": 16.0, "n_times": 64, "ch_names": ["ch0", "ch1", "ch2"], "sha256": "1" * 64}
    write_json(folder / "windows.json", axes)
    return folder


def task_of(study, *kinds) -> FoldTask:
    """Task with a classifier for each kind of normalization, the first of which is explained."""
    dataset = SpectrogramDataset([study / "windows.npy"], study / "windows.tsv")
    window_set = load_window_set(study / "windows.tsv", study / "folds.tsv", CLASSES)
    classifiers, descriptions = [], []
    for rank, kind in enumerate(kinds, start=1):
        training = {**TRAINING, "normalization": kind}
        result = train("eegnet", dataset, split(window_set, 1), {}, Training(**training), seed=rank)
        classifiers.append(result.classifier.eval())
        shape = {**dataset.shape, "n_outputs": 3}
        described = {"model": "eegnet", "shape": shape, "parameters": {}, "axes": {"sfreq": 16.0}}
        descriptions.append({**described, "training": training, "seed": 1, "fold": 1, "rank": rank})
    return FoldTask(
        name="eegnet_raw_3class_fold1",
        fold=1,
        dataset=dataset,
        window_set=window_set,
        classifiers=classifiers,
        descriptions=descriptions,
        rank=1,
        settings=Explanation(methods=["saliency"], max_windows_per_class=3, max_similarity_windows_per_class=1),
        seed=1,
        device="cpu",
        signals=study / "windows.npy",
    )


@pytest.mark.parametrize("kind", RECORDING_NORMALIZATIONS)
def test_blocks_and_unchanged_signals_are_the_inputs_of_the_prediction(study, kind):
    task = task_of(study, kind)
    (block,) = task.blocks()
    assert torch.equal(block.inputs, input_for(task.dataset, kind).read(task.windows.window))
    assert not torch.equal(block.inputs, task.dataset.read(task.windows.window))
    signal = _signal_perturbation(task, block)
    expected = task.p[np.arange(len(task.target)), task.target]
    np.testing.assert_allclose(signal.before, expected, atol=1e-6)


@pytest.mark.parametrize("kind", RECORDING_NORMALIZATIONS)
def test_a_replaced_signal_is_normalized_by_the_recording_of_the_window(study, kind):
    task = task_of(study, kind)
    (block,) = task.blocks()
    signal = replace(_signal_perturbation(task, block), share=1.0)  # every channel is replaced
    found = signal.probabilities(torch.rand(block.inputs.shape))["deletion_channels"]
    fill = task.read_signals(task.fills[block.index])[:, :, None]
    x = input_for(task.dataset, kind).normalize(fill, task.windows.window).half().float()
    with torch.no_grad():
        expected = task.classifier(x).softmax(dim=1).gather(1, block.target[:, None])[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert (found - signal.before).abs().max() > 1e-4


@pytest.mark.parametrize("kind", RECORDING_NORMALIZATIONS)
def test_relevance_of_a_sample_is_that_of_the_normalized_input(study, kind):
    task = task_of(study, kind)
    rows, target = task.windows.window, torch.from_numpy(task.target)
    signals = task.read_signals(rows).double()
    torch.manual_seed(0)
    layers = (torch.nn.Flatten(), torch.nn.Linear(192, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
    classifier = torch.nn.Sequential(*layers).double()
    relevance = signal_relevance(classifier, task.transform.double(), signals, target, rows, task.normalize)
    for window, channel, sample in ((0, 1, 20), (4, 0, 33)):
        step = torch.zeros_like(signals)
        step[window, channel, sample] = 1e-2
        ends = [
            contrast(classifier(task.normalize(task.transform(signals + sign * step), rows)), target)[window]
            for sign in (1, -1)
        ]
        derivative = (ends[0] - ends[1]).item() / 2e-2
        found = relevance[window, channel, sample] / signals[window, channel, sample]
        assert found.item() == pytest.approx(derivative, rel=1e-4)


def test_a_model_with_another_normalization_is_compared_on_its_own_input(study):
    task = task_of(study, "recording", "patients")
    (block,) = task.blocks()
    other = task.classifiers[1]
    found = _maps(task, other, block, block.target)["saliency"]
    context = replace(task.context, baselines=task.dataset.read(task.baselines.window))
    inputs = task.dataset.read(task.windows.window)
    expected = attribute("saliency", other, inputs, block.target, context, block.rows)
    filled = torch.from_numpy(task.cells.n_bins > 0)
    assert torch.equal(found, task.cells.mean(expected.double())[:, filled])


def test_files_show_microvolts(study, tmp_path):
    task = task_of(study, "aligned", "recording")
    paths = AttributionPaths(tmp_path)
    write_attribution(paths, task, explain(task))
    inputs, signals = read_array(paths.example_inputs), read_array(paths.example_signals)
    assert len(inputs) and np.array_equal(inputs[:, :, 0], signals[:, 0].astype(np.float16))
    assert np.nanmax(read_array(paths.mean_inputs)) > 10
