"""Saliency and Grad-CAM maps, averaged over the test windows of each class."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import nn

from eegwf.data.splits import WindowSet
from eegwf.training.classifier import Classifier, chunk_size
from eegwf.training.spectrogram_dataset import SpectrogramDataset


@dataclass(frozen=True)
class ClassMaps:
    """Average maps of a class.

    Attributes
    ----------
    saliency
        `(n_chans, n_freqs, n_frames)`: mean absolute gradient of the class's logit with respect to the normalized
        input, scaled to mean 1 for each classifier.
    gradcam
        `(n_freqs, n_frames)`: mean of the Grad-CAM maps, scaled to mean 1 for each classifier.
    mean
        `(n_chans, n_freqs, n_frames)`: mean of the windows before normalization, in dB (time series: microvolts).
    n_windows
        Number of windows.
    n_zero
        Number of Grad-CAM maps that are zero everywhere, over all classifiers: no activation of the layer increases the
        logit of the class.
    """

    saliency: np.ndarray
    gradcam: np.ndarray
    mean: np.ndarray
    n_windows: int
    n_zero: int


def choose_windows(window_set: WindowSet, number: int, most: int, seed: int) -> np.ndarray:
    """Select windows of a class, at random without replacement if there are more than the maximum.

    Parameters
    ----------
    window_set
        Windows to select from.
    number
        Index of the class.
    most
        Maximum number of windows.
    seed
        Random seed of the selection.

    Returns
    -------
    np.ndarray
        Row numbers of the windows, in ascending order.
    """
    rows = window_set.window[window_set.label == number]
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return rows


def class_maps(classifiers: list[Classifier], dataset: SpectrogramDataset, rows: np.ndarray, target: int) -> ClassMaps:
    """Average the maps of a class over windows and classifiers.

    Parameters
    ----------
    classifiers
        Classifiers in evaluation mode. The maps of each classifier are scaled to mean 1 before they are averaged, so
        that classifiers with large logits don't dominate the average.
    dataset
        Spectrograms.
    rows
        Row numbers of the windows.
    target
        Index of the class whose logit is explained.

    Returns
    -------
    ClassMaps
        Average maps.

    Notes
    -----
    Saliency after Simonyan et al. 2014: the absolute value is taken before summation, so that gradients of opposite
    sign don't cancel. Grad-CAM after Selvaraju et al. 2017, at the layer `gradcam_layer` of the network, with the maps
    resized to the input by bilinear interpolation.
    """
    from captum.attr import Saliency  # imported when needed: it takes as long as torch

    shape = (dataset.n_chans, dataset.n_freqs, dataset.n_frames)
    saliency, gradcam, mean = np.zeros(shape), np.zeros(shape[1:]), np.zeros(shape)
    n_zero, batch = 0, max(1, chunk_size(dataset) // 4)
    for start in range(0, len(rows), batch):
        mean += dataset.read(rows[start : start + batch]).double().sum(dim=0).numpy() / len(rows)
    for classifier in classifiers:
        gradient_sum, cam_sum = np.zeros(shape), np.zeros(shape[1:])
        for start in range(0, len(rows), batch):
            device = next(classifier.parameters()).device
            x = classifier.normalization(dataset.read(rows[start : start + batch]).to(device)).detach()
            gradient = Saliency(classifier.network).attribute(x.requires_grad_(), target=target, abs=True)
            gradient_sum += gradient.double().sum(dim=0).cpu().numpy()
            cam = gradcam_maps(classifier.network, x.detach(), target)
            n_zero += int((cam.flatten(1).amax(dim=1) <= 0).sum())
            cam_sum += cam.double().sum(dim=0).cpu().numpy()
        saliency += _scale_to_unit_mean(gradient_sum) / len(classifiers)
        gradcam += _scale_to_unit_mean(cam_sum) / len(classifiers)
    return ClassMaps(saliency, gradcam, mean, len(rows), n_zero)


def gradcam_maps(network: nn.Module, x: torch.Tensor, target: int) -> torch.Tensor:
    """Compute the Grad-CAM maps of a batch.

    Parameters
    ----------
    network
        Network in evaluation mode, with a layer `gradcam_layer` and a method `upsample_to_input`.
    x
        Normalized input `(batch, n_chans, n_freqs, n_frames)`.
    target
        Index of the class whose logit is explained.

    Returns
    -------
    torch.Tensor
        Maps `(batch, n_freqs, n_frames)`, not negative.
    """
    from captum.attr import LayerGradCam

    # The input requires a gradient because in models fitted without gradient descent no weight does.
    maps = LayerGradCam(network, network.gradcam_layer).attribute(
        x.clone().requires_grad_(), target=target, relu_attributions=True
    )
    upsample = cast(Callable[[torch.Tensor], torch.Tensor], network.upsample_to_input)
    return upsample(maps).detach()


def _scale_to_unit_mean(maps: np.ndarray) -> np.ndarray:
    return maps / maps.mean() if maps.mean() > 0 else maps
