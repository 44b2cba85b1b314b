"""A finished study on disk whose final model is the source of initial weights."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from eegwf.config.channels import Channels
from eegwf.config.data import Signals
from eegwf.config.data_paths import InitPaths
from eegwf.config.paths import ResultPaths, RunPaths
from eegwf.config.sample_settings import sample_settings
from eegwf.config.spectrograms import Spectrograms
from eegwf.config.stages.data import InitializeSettings
from eegwf.config.windows import Windows
from eegwf.data.overlap import WindowedSignals, window_fingerprints
from eegwf.storage.files import write_array, write_json, write_table
from eegwf.training.classifier import Classifier, save_classifier

CLASSES = {"background": ["bckg"], "focal": ["sz_foc"], "generalized": ["sz_gen"]}
PARAMETERS = {"patch_freqs": 5, "patch_times": 4, "width": 16, "heads": 2, "depth": 1}
SHAPE = {"n_chans": 3, "n_freqs": 10, "n_frames": 12, "n_outputs": 3}
SECTIONS = {"signals": Signals(), "windows": Windows(length=4, step=4), "channels": Channels()}


def write_data(results: Path, data: WindowedSignals) -> None:
    """Write the tables and the windows of a study.

    Parameters
    ----------
    results
        Results folder.
    data
        Windows and their samples.
    """
    paths = ResultPaths(results).data
    write_table(paths.windows, data.windows)
    write_array(paths.windows_array, data.arrays)
    write_json(paths.windows_axes, {"ch_names": data.ch_names, "sfreq": data.sfreq, "n_times": data.arrays.shape[2]})
    recordings = data.windows.drop_duplicates("recording")[["recording", "patient"]]
    write_table(paths.recordings, recordings.assign(path=recordings["patient"] + "/eeg/x.edf"))


def write_source(
    results: Path, data: WindowedSignals, model: dict[str, Any] | None = None, sections: dict[str, Any] | None = None
) -> Path:
    """Write a study with a final model of random weights.

    Parameters
    ----------
    results
        Results folder.
    data
        Windows of the study.
    model
        Changes of `model.json`.
    sections
        Changes of how recordings are read.

    Returns
    -------
    Path
        Folder of the run.
    """
    write_data(results, data)
    run = RunPaths(results / "vit_mel_3class")
    described = {
        "model": "vit",
        "shape": SHAPE,
        "parameters": PARAMETERS,
        "axes": {},
        "normalization": "patients",
        "classes": list(CLASSES),
        "arrays": ["mel"],
        "init": None,
        **(model or {}),
    }
    torch.manual_seed(7)
    classifier = Classifier(*(described[name] for name in ("model", "shape", "parameters", "normalization", "axes")))
    save_classifier(run.final.model(1).folder, classifier, described)
    reading = {name: part.model_dump(mode="json") for name, part in (SECTIONS | (sections or {})).items()}
    reading |= {"spectrograms": Spectrograms().model_dump(mode="json")}
    description = {
        "format": 1,
        "run": run.folder.name,
        "model": described["model"],
        "spectrogram": "mel",
        "classes": CLASSES,
        "models": ["model1"],
        "reading": {**reading, "sfreq": data.sfreq, "n_times": data.arrays.shape[2], "ch_names": data.ch_names},
        "trained_on": {"n_patients": data.windows["patient"].nunique()},
    }
    write_json(run.final.description, description)
    found = window_fingerprints(data.arrays, data.windows["window"].to_numpy())
    write_array(run.final.fingerprints, np.unique(found[found != 0]))
    return run.folder


def write_bundle(run: Path, path: Path) -> Path:
    """Pack the final model of a run as `eegwf bundle RUN --weights` does.

    Parameters
    ----------
    run
        Folder of the run.
    path
        File to write.

    Returns
    -------
    Path
        The file.
    """
    return Path(shutil.make_archive(str(path.with_suffix("")), "zip", root_dir=run, base_dir="final"))


def initialize_settings(init: Path, **changes: Any) -> InitializeSettings:
    """Settings of `initialize` that fit a source of `write_source`.

    Parameters
    ----------
    init
        The source.
    **changes
        Other values.

    Returns
    -------
    InitializeSettings
        The settings.
    """
    sections = {name: part.model_dump(mode="json") for name, part in SECTIONS.items()}
    values = {"init_same_ids": "one_person", "max_similarity": None, "samples": sample_settings(sections)}
    return InitializeSettings(init=str(init), **{**values, **changes})


def write_init(folder: Path, classes: dict[str, list[str]] = CLASSES, seed: int = 7, **changes: Any) -> InitPaths:
    """Write initial weights as the job `initialize` does.

    Parameters
    ----------
    folder
        Folder to write.
    classes
        Classes of the source.
    seed
        Seed of its weights.
    **changes
        Changes of `model.json`.

    Returns
    -------
    InitPaths
        The files.
    """
    described = {
        "model": "vit",
        "shape": SHAPE | {"n_outputs": len(classes)},
        "parameters": PARAMETERS,
        "axes": {},
        "normalization": "patients",
        "arrays": ["mel"],
        **changes,
    }
    torch.manual_seed(seed)
    arguments = [described[name] for name in ("model", "shape", "parameters", "normalization", "axes")]
    classifier = Classifier(*arguments)
    if described["normalization"] == "patients":
        classifier.normalization.mean.fill_(99.0)
    save_classifier(folder, classifier, described)
    record = {"run": "vit_mel_3class", "source": "vit_mel_3class", "classes": classes, "sha256": "0" * 64}
    write_json(folder / "source.json", record)
    return InitPaths(folder)
