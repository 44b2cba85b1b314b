"""Predict an external data set with the models of each outer fold, and with the final models."""

import logging
from pathlib import Path

import pandas as pd

from eegwf.compute.device import prepare
from eegwf.config.paths import DataPaths
from eegwf.config.stages.external import ExternalPredictSettings
from eegwf.data.class_mapping import map_event_types
from eegwf.data.splits import classified_windows
from eegwf.evaluation.external_predictions import FINAL, fold_member, predict_member
from eegwf.storage.files import read_table, write_table
from eegwf.training.spectrogram_dataset import SpectrogramDataset

TEXT = ("recording", "patient", "label")
logger = logging.getLogger(__name__)


def run(
    settings: ExternalPredictSettings,
    name: str,
    windows: Path,
    arrays: list[Path],
    models: list[Path],
    final: list[Path],
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
        Descriptions of the models of each outer fold that predict, `.../foldK/retrain/rankR/model.json`.
    final
        Descriptions of the final models that predict.
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
    dataset = SpectrogramDataset(arrays)
    window_set = classified_windows(table, dict.fromkeys(table["patient"], 0), settings.classes)
    members = {FINAL: (0, final)} if final else {}
    tables = []
    for member, (fold, files) in (_by_fold(models) | members).items():
        logger.info("%s: prediction by the models of %s", name, member)
        tables.append(predict_member(member, fold, files, window_set, dataset, device))
    write_table(mapping, mapped)
    write_table(predictions, pd.concat(tables, ignore_index=True))


def _by_fold(models: list[Path]) -> dict[str, tuple[int, list[Path]]]:
    """Models of each outer fold, by the name of the member."""
    found: dict[str, tuple[int, list[Path]]] = {}
    for model in models:
        fold = int(model.parents[2].name.removeprefix("fold"))
        found.setdefault(fold_member(fold), (fold, []))[1].append(model)
    return found
