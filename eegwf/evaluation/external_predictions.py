"""Predictions of an external data set by the models of each outer fold and by the final models."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from eegwf.config.paths import RankPaths
from eegwf.data.splits import WindowSet
from eegwf.evaluation.predictions import ENSEMBLE, KEYS, calibrate_table, probability_columns, raw_columns, with_ensemble
from eegwf.training.calibration import read_calibration
from eegwf.training.classifier import load_classifier, predict
from eegwf.training.predictions import predictions_table
from eegwf.training.spectrogram_dataset import SpectrogramDataset

FINAL = "final"


def fold_member(fold: int) -> str:
    """Name of the member of an outer fold in the tables of an external test."""
    return f"fold{fold}"


def predict_member(
    name: str, fold: int, models: Sequence[Path], windows: WindowSet, dataset: SpectrogramDataset, device: str
) -> pd.DataFrame:
    """Predict windows by a model, or by the ensemble of several.

    Parameters
    ----------
    name
        Name of the member.
    fold
        Outer fold of its models; 0 for the final models.
    models
        Descriptions of the models, with weights and calibration beside each.
    windows
        Windows to predict.
    dataset
        Their spectrograms.
    device
        `cpu` or `cuda`.

    Returns
    -------
    DataFrame
        Columns of `predictions.tsv`: each model has its own calibration, and the ensemble is the mean of its models,
        as in the evaluation of the study.

    Raises
    ------
    InputError
        If a model or its calibration can't be read, or is of another class set.
    """
    windows = replace(windows, fold=np.full(len(windows.window), fold))
    classes = list(windows.classes)
    tables = {}
    for number, model in enumerate(models, start=1):
        calibration = read_calibration(RankPaths(model.parent).calibration, classes)
        classifier, _ = load_classifier(model.parent, device)
        table = predictions_table(windows, predict(classifier, dataset, windows.window))
        tables[number] = calibrate_table(table, calibration, classes)
    joined = with_ensemble(tables, classes)
    kept = ENSEMBLE if len(models) > 1 else "rank1"
    columns = ["member", *KEYS, "predicted", *probability_columns(classes), *raw_columns(classes)]
    return joined[joined["member"] == kept].assign(member=name)[columns].reset_index(drop=True)
