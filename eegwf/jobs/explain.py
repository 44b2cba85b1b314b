"""Explain the test predictions of an outer fold by saliency and Grad-CAM."""

from pathlib import Path

import numpy as np

from eegwf.attribution.maps import choose_windows, class_maps
from eegwf.compute.device import device_name, prepare
from eegwf.config.paths import AttributionPaths
from eegwf.config.stages.model import ExplainSettings
from eegwf.data.splits import load_window_set
from eegwf.progress import Progress
from eegwf.seeds import seed_of
from eegwf.storage.files import write_array, write_json
from eegwf.training.classifier import load_classifier
from eegwf.training.spectrogram_dataset import SpectrogramDataset

DESCRIBED = ("spectrogram", "ch_names", "freqs", "times")


def run(
    settings: ExplainSettings,
    name: str,
    fold: int,
    windows: Path,
    folds: Path,
    arrays: list[Path],
    models: list[Path],
    output: Path,
) -> None:
    """Write attribution maps of each class, averaged over test windows and retrained models.

    Parameters
    ----------
    settings
        Classes, device, seed and number of windows.
    name, fold
        Name of the combination with its outer fold, and the fold.
    windows, folds, arrays
        Tables and spectrograms of the study.
    models
        Description of each retrained model, with its weights beside it.
    output
        Folder that gets `saliency.npy` and `mean.npy` `(n_classes, n_chans, n_freqs, n_frames)`, `gradcam.npy`
        `(n_classes, n_freqs, n_frames)`, all float32, and `maps.json` with their axes and counts.
    """
    device = prepare(settings.device, settings.threads, settings.deterministic)
    dataset = SpectrogramDataset(arrays)
    window_set = load_window_set(windows, folds, settings.classes).in_folds(fold).scored()
    classifiers = [load_classifier(model.parent, device)[0] for model in models]
    maps = []
    progress = Progress(f"{name}: explaining", len(window_set.classes))
    for number, label in enumerate(window_set.classes):
        seed = seed_of(settings.seed, name, "explain", label)
        rows = choose_windows(window_set, number, settings.max_windows_per_class, seed)
        maps.append(class_maps(classifiers, dataset, rows, number))
        progress.step(label)
    paths = AttributionPaths(output)
    for kind in ("saliency", "gradcam", "mean"):
        write_array(getattr(paths, kind), np.stack([getattr(one, kind) for one in maps]).astype(np.float32))
    write_json(
        paths.description,
        {
            "classes": list(window_set.classes),
            "n_windows": [one.n_windows for one in maps],
            "n_classifiers": len(classifiers),
            "device": device_name(device),
            "n_zero_gradcam": [one.n_zero for one in maps],
            "arrays": [{key: array[key] for key in DESCRIBED} for array in dataset.described],
        },
    )
