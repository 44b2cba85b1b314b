"""The explanation job of one outer fold: from files to files."""

from pathlib import Path
from typing import Any

import numpy as np

from eegwf.attribution.maps import choose_windows, class_maps
from eegwf.compute.device import device_name, prepare
from eegwf.data.splits import load_cohort
from eegwf.progress import Progress
from eegwf.seeds import seed_of
from eegwf.storage.files import write_array, write_json
from eegwf.training.classifier import load_classifier
from eegwf.training.spectrogram_dataset import Inputs

AXES = ("spectrogram", "ch_names", "freqs", "times")


def explain_fold(
    name: str,
    fold: int,
    config: dict[str, Any],
    windows: str,
    folds: str,
    arrays: list[str],
    models: list[str],
    output: str,
) -> None:
    """Explain the test predictions of one outer fold.

    Parameters
    ----------
    name, fold
        Name of the study and the outer fold.
    config
        Slice of the configuration.
    windows, folds, arrays
        The study's tables and spectrograms.
    models
        `model.json` of each retrained rank; their maps are averaged.
    output
        Folder that gets `saliency.npy` and `mean.npy` `(n_classes, n_chans, n_freqs, n_times)`, `gradcam.npy`
        `(n_classes, n_freqs, n_times)`, all float32, and `maps.json` with their axes and counts.
    """
    device = prepare(config["device"], config["threads"], config["deterministic"])
    inputs = Inputs(arrays)
    cohort = load_cohort(Path(windows), Path(folds), config["classes"]).only(fold).scored()
    classifiers = [load_classifier(Path(model).parent, device)[0] for model in models]
    found = []
    progress = Progress(f"{name}: explaining", len(cohort.classes))
    for number, label in enumerate(cohort.classes):
        seed = seed_of(config["seed"], name, "explain", label)
        rows = choose_windows(cohort, number, config["explanation"]["windows"], seed)
        found.append(class_maps(classifiers, inputs, rows, number))
        progress.step(label)
    folder = Path(output)
    for kind in ("saliency", "gradcam", "mean"):
        write_array(folder / f"{kind}.npy", np.stack([getattr(maps, kind) for maps in found]).astype(np.float32))
    write_json(
        folder / "maps.json",
        {
            "classes": list(cohort.classes),
            "n_windows": [maps.n_windows for maps in found],
            "n_classifiers": len(classifiers),
            "device": device_name(device),
            "n_zero_gradcam": [maps.n_zero for maps in found],
            "arrays": [{key: one[key] for key in AXES} for one in inputs.described],
        },
    )
