"""Predict an external data set with the models of each outer fold, and with the final models."""

import logging
from pathlib import Path

import pandas as pd

from eegwf.compute.device import prepare
from eegwf.config.data_paths import DataPaths
from eegwf.config.paths import RunPaths
from eegwf.config.stages.external import ExternalPredictSettings
from eegwf.data.class_mapping import map_event_types
from eegwf.data.splits import classified_windows
from eegwf.evaluation.external_predictions import predict_member
from eegwf.prediction.description import read_description
from eegwf.prediction.ensemble import load_final_models, load_fold_models
from eegwf.storage.files import read_table, write_table
from eegwf.training.spectrogram_dataset import SpectrogramDataset

TEXT = ("recording", "patient", "label")
logger = logging.getLogger(__name__)


def run(
    settings: ExternalPredictSettings,
    name: str,
    windows: Path,
    arrays: list[Path],
    models: Path,
    folds: list[int],
    predictions: Path,
    mapping: Path,
) -> None:
    """Write the predictions, and the class of each event type of the data set.

    Parameters
    ----------
    settings
        Device and class set.
    name
        Name of the data set.
    windows, arrays
        Table of its windows, with `events.tsv` beside it, and its spectrograms.
    models
        Folder of the combination.
    folds
        Numbers of the outer folds.
    predictions, mapping
        Files to write.

    Raises
    ------
    InputError
        If a class of the study has no windows in the data set, or a file is broken.
    """
    table = read_table(windows, ("window", "patient", "label"), text=TEXT)
    events = read_table(DataPaths(windows.parent).events, ("recording", "label"), text=TEXT)
    mapped = map_event_types(table, events, settings.classes, name)
    for row in mapped[mapped["class"] == ""].to_dict("records"):
        logger.info("%s: %d windows of %s have no class and are left out", name, row["n_windows"], row["event_type"])
    device = prepare(settings.device, settings.threads, settings.deterministic)
    dataset = SpectrogramDataset(arrays, windows)
    window_set = classified_windows(table, dict.fromkeys(table["patient"], 0), settings.classes)
    combination = RunPaths(models)
    described = read_description(combination.final.description)
    tables = []
    for fold in [*folds, 0]:
        if fold:
            ensemble = load_fold_models(combination, fold, described, device)
        else:
            ensemble = load_final_models(combination.final, described, device)
        logger.info("%s: predicted by the models of %s", name, ensemble.name)
        tables.append(predict_member(ensemble.name, fold, ensemble.members, window_set, dataset))
    write_table(mapping, mapped)
    write_table(predictions, pd.concat(tables, ignore_index=True))
