"""Predictions of an external data set by the models of each outer fold and by the final models."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from eegwf.data.splits import WindowSet
from eegwf.evaluation.predictions import (
    ENSEMBLE,
    KEYS,
    calibrate_table,
    probability_columns,
    raw_columns,
    with_ensemble,
)
from eegwf.training.calibration import Calibration
from eegwf.training.classifier import Classifier
from eegwf.training.inference import predict_rows
from eegwf.training.predictions import predictions_table
from eegwf.training.spectrogram_dataset import SpectrogramDataset

FINAL = "final"


def predict_member(
    name: str,
    fold: int,
    models: Sequence[tuple[Classifier, Calibration]],
    windows: WindowSet,
    dataset: SpectrogramDataset,
) -> pd.DataFrame:
    """Predict windows by a model, or by the ensemble of several.

    Parameters
    ----------
    name
        Name of the member.
    fold
        Outer fold of its models; 0 for the final models.
    models
        Classifiers in evaluation mode, each with its calibration.
    windows
        Windows to predict.
    dataset
        Their spectrograms.

    Returns
    -------
    DataFrame
        Columns of `predictions.tsv`: each model has its own calibration, and the ensemble is the mean of its models,
        as in the evaluation of the study.
    """
    windows = replace(windows, fold=np.full(len(windows.window), fold))
    classes = list(windows.classes)
    tables = {
        number: calibrate_table(
            predictions_table(windows, predict_rows(classifier, dataset, windows.window)), calibration, classes
        )
        for number, (classifier, calibration) in enumerate(models, start=1)
    }
    joined = with_ensemble(tables, classes)
    kept = ENSEMBLE if len(models) > 1 else "rank1"
    columns = ["member", *KEYS, "predicted", *probability_columns(classes), *raw_columns(classes)]
    return joined[joined["member"] == kept].assign(member=name)[columns].reset_index(drop=True)
