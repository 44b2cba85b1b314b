"""Saliency and Grad-CAM, averaged over the test windows of each class."""

from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import LayerGradCam, Saliency
from torch import nn

from eegwf.data.splits import Cohort
from eegwf.training.classifier import Classifier, chunk_size
from eegwf.training.spectrogram_dataset import Inputs


@dataclass(frozen=True)
class ClassMaps:
    """Maps of one class.

    Attributes
    ----------
    saliency
        `(n_chans, n_freqs, n_times)`: mean of the absolute gradient of the class's logit by the normalised input.
    gradcam
        `(n_freqs, n_times)`: mean of the Grad-CAM maps.
    mean
        `(n_chans, n_freqs, n_times)`: mean log power of the windows.
    n_windows
        Windows averaged.
    n_zero
        Grad-CAM maps that are zero everywhere: nothing in the layer speaks for the class.
    """

    saliency: np.ndarray
    gradcam: np.ndarray
    mean: np.ndarray
    n_windows: int
    n_zero: int


def choose_windows(cohort: Cohort, number: int, most: int, seed: int) -> np.ndarray:
    """Rows of at most `most` windows of a class, drawn without replacement, in order."""
    rows = cohort.window[cohort.label == number]
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return rows


def class_maps(classifiers: list[Classifier], inputs: Inputs, rows: np.ndarray, target: int) -> ClassMaps:
    """Average maps of a class over windows and classifiers.

    Parameters
    ----------
    classifiers
        In evaluation mode. Each one's maps are scaled to mean 1 before they are averaged, so that a classifier with
        large logits doesn't outweigh the others.
    inputs, rows
        The windows.
    target
        Index of the class whose logit is explained.

    Notes
    -----
    Saliency after Simonyan et al. 2014: the absolute value is taken before anything is summed, so that signs can't
    cancel. Grad-CAM after Selvaraju et al. 2017, on the layer `features` of the network, enlarged bilinearly.
    """
    shape = (inputs.n_chans, inputs.n_freqs, inputs.n_times)
    saliency, gradcam, mean = np.zeros(shape), np.zeros(shape[1:]), np.zeros(shape)
    n_zero, batch = 0, max(1, chunk_size(inputs) // 4)
    for start in range(0, len(rows), batch):
        mean += inputs.read(rows[start : start + batch]).double().sum(dim=0).numpy() / len(rows)
    for classifier in classifiers:
        own_saliency, own_gradcam = np.zeros(shape), np.zeros(shape[1:])
        for start in range(0, len(rows), batch):
            device = next(classifier.parameters()).device
            x = classifier.normalisation(inputs.read(rows[start : start + batch]).to(device)).detach()
            gradient = Saliency(classifier.network).attribute(x.requires_grad_(), target=target, abs=True)
            own_saliency += gradient.double().sum(dim=0).cpu().numpy()
            cam = gradcam_maps(classifier.network, x.detach(), target)
            n_zero += int((cam.flatten(1).amax(dim=1) <= 0).sum())
            own_gradcam += cam.double().sum(dim=0).cpu().numpy()
        saliency += _unit(own_saliency) / len(classifiers)
        gradcam += _unit(own_gradcam) / len(classifiers)
    return ClassMaps(saliency, gradcam, mean, len(rows), n_zero)


def gradcam_maps(network: nn.Module, x: torch.Tensor, target: int) -> torch.Tensor:
    """Grad-CAM of a batch: `(batch, n_freqs, n_times)`, not negative."""
    # The input asks for a gradient where no weight does, as in a fitted network.
    maps = LayerGradCam(network, network.features).attribute(
        x.clone().requires_grad_(), target=target, relu_attributions=True
    )
    return network.to_input(maps).detach()


def _unit(maps: np.ndarray) -> np.ndarray:
    return maps / maps.mean() if maps.mean() > 0 else maps
