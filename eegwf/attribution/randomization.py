"""Classifiers that must not have the maps of the trained one: random weights, and training on permuted labels.

After Adebayo et al. 2018, Sanity checks for saliency maps.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from eegwf.config.training import Training
from eegwf.data.splits import Split, WindowSet, split
from eegwf.errors import InputError
from eegwf.models.registry import build
from eegwf.seeds import seed_of
from eegwf.training.classifier import Classifier
from eegwf.training.loop import train
from eegwf.training.spectrogram_dataset import SpectrogramDataset

MAX_STAGES = 4
MAX_STATISTICS_WINDOWS = 32
"""Windows from which the statistics of batch norms are computed; they are one batch, whatever its memory."""
BatchNorm = nn.modules.batchnorm._BatchNorm


def n_stages(network: nn.Module) -> int:
    """Number of stages of the cascade: at most `MAX_STAGES`, and not more than modules with weights."""
    return min(MAX_STAGES, len(_weighted(network)))


def cascade(
    classifier: Classifier, description: Mapping[str, Any], inputs: torch.Tensor, seed: int
) -> Iterator[Classifier]:
    """Draw the weights of more and more of a network anew, from the output to the input.

    Parameters
    ----------
    classifier
        Trained classifier in evaluation mode; it is not modified.
    description
        Contents of its `model.json`.
    inputs
        Windows in the unit of the input, `(n, n_chans, n_freqs, n_frames)`, for the statistics of batch norms.
    seed
        Seed of the new weights.

    Yields
    ------
    Classifier
        In evaluation mode, with new weights in the last 1, 2, ... stages, and last in all of them.

    Notes
    -----
    The modules that have weights are divided, in the order of their definition, into stages of about equal numbers of
    modules. The initial weights of the model replace those of a stage, without pretrained weights. The normalization of
    the input stays, as does the standardization of `bandpower`. The running statistics of a batch norm in these stages
    are computed anew from the first of the given windows: the trained ones do not fit the outputs of the new weights,
    so that the error could grow with every layer, and initial statistics would not normalize at all.
    """
    new = _new_network(description, seed)
    randomized = copy.deepcopy(classifier).eval()
    drawn: list[str] = []
    for stage in np.array_split(_weighted(new)[::-1], n_stages(new)):
        for name in stage:
            _copy_weights(new.get_submodule(name), randomized.network.get_submodule(name))
        drawn.extend(stage)
        _fit_batch_norms(randomized, drawn, inputs)
        yield copy.deepcopy(randomized)


def train_on_permuted_labels(
    description: Mapping[str, Any], name: str, dataset: SpectrogramDataset, window_set: WindowSet, device: str
) -> Classifier:
    """Repeat the training of a rank with permuted labels of the training and validation windows.

    Parameters
    ----------
    description
        Contents of the `model.json` of the rank. Parameters, settings of training, fold and seed are the same.
    name
        Name of the combination with its outer fold, such as `vit_mel_3class_fold1`, which is part of the seed.
    dataset
        Spectrograms of the study.
    window_set
        Windows of all folds.
    device
        `cpu` or `cuda`.

    Returns
    -------
    Classifier
        Classifier of the best epoch, in evaluation mode.

    Raises
    ------
    Diverged
        If a loss of the first epoch is not finite.
    """
    fold, seed = description["fold"], description["seed"]
    # The seed differs from that of the control `permute_labels`, by which the study's own labels may be permuted.
    parts = _permuted(window_set, fold, seed_of(seed, "label randomization"))
    settings = Training.model_validate(description["training"])
    if description.get("init"):
        # From random weights, of which none is kept: those of the source have seen the labels of other patients.
        settings = settings.model_copy(update={"frozen_fraction": 0.0})
    result = train(
        description["model"],
        dataset,
        parts,
        description["parameters"],
        settings,
        seed=seed_of(seed, name, "retrain", description["rank"]),
        device=device,
    )
    return result.classifier.eval()


def _permuted(window_set: WindowSet, fold: int, seed: int) -> Split:
    """Training and validation set with permuted labels."""
    try:
        return split(window_set.permuted(fold, seed), fold)
    except InputError:  # the few windows of a class came into a fold that can't be part of the training set
        parts = split(window_set, fold)
        return replace(parts, train=parts.train.permuted(0, seed), validation=parts.validation.permuted(0, seed))


def _new_network(description: Mapping[str, Any], seed: int) -> nn.Module:
    parameters = {key: False if key == "pretrained" else value for key, value in description["parameters"].items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, "random weights"))
        return build(description["model"], description["shape"], parameters, description.get("axes"))


def _weighted(network: nn.Module) -> list[str]:
    """Names of the modules that have weights of their own, in the order of their definition."""
    return [name for name, module in network.named_modules() if any(True for _ in module.parameters(recurse=False))]


@torch.no_grad()
def _copy_weights(source: nn.Module, module: nn.Module) -> None:
    for name, weight in source.named_parameters(recurse=False):
        module.get_parameter(name).copy_(weight)


@torch.no_grad()
def _fit_batch_norms(classifier: Classifier, names: list[str], inputs: torch.Tensor) -> None:
    """Compute the running statistics of the batch norms among these modules from the windows, in one batch."""
    network = classifier.network
    norms = {name: module for name in names if isinstance(module := network.get_submodule(name), BatchNorm)}
    if not norms:
        return
    momenta = {name: norm.momentum for name, norm in norms.items()}
    for norm in norms.values():
        norm.training = True
        norm.momentum = 1.0
    classifier(inputs[:MAX_STATISTICS_WINDOWS])
    for name, norm in norms.items():
        norm.momentum = momenta[name]
    classifier.eval()
