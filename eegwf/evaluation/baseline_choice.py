"""Choice of the classical baseline of a class set, by validation predictions alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.errors import InputError
from eegwf.evaluation.predictions import KEYS, probability_columns, read_predictions, rounded
from eegwf.evaluation.scores import scores


def validation_score(ranks: Sequence[Path], classes: list[str]) -> float | None:
    """Compute the balanced accuracy of the mean of ranks on the validation windows of an outer fold.

    Parameters
    ----------
    ranks
        `validation.tsv` of each rank, at least one.
    classes
        Names of the classes, in the order of the configuration.

    Returns
    -------
    float or None
        Balanced accuracy of the class of the largest mean probability, as the ensemble predicts test windows; None
        without a labeled window.

    Raises
    ------
    InputError
        From `read_predictions`; if the ranks were validated on different windows.
    """
    tables = [read_predictions(path, classes, one_fold=False) for path in ranks]
    for path, table in zip(ranks, tables, strict=True):
        if not table[list(KEYS)].equals(tables[0][list(KEYS)]):
            raise InputError(
                f"{path}: other windows, folds or labels than in {ranks[0]}; retrain all ranks of the fold"
            )
    p = rounded(np.mean([table[probability_columns(classes)].to_numpy(dtype=float) for table in tables], axis=0))
    truth = pd.Index(classes).get_indexer(pd.Index(tables[0]["label"]))
    labeled = truth >= 0
    return scores(truth[labeled], p[labeled].argmax(axis=1), p[labeled])["balanced_accuracy"]


def choose_baseline(candidates: Mapping[str, Sequence[float | None]]) -> dict[str, Any]:
    """Choose the candidate with the highest mean score of the outer folds; the first one on a tie.

    Parameters
    ----------
    candidates
        For each combination its validation score in each outer fold, None where it is undefined.

    Returns
    -------
    dict
        `baseline`, the name of the chosen one, and `candidates`, a list with `combination`, `balanced_accuracy` (mean
        of the folds in which it is defined) and `per_fold` of each, in the given order.
    """
    defined = {name: [value for value in folds if value is not None] for name, folds in candidates.items()}
    means = {name: float(np.mean(values)) if values else None for name, values in defined.items()}
    ranked = {name: -np.inf if value is None else value for name, value in means.items()}
    return {
        "baseline": max(ranked, key=lambda name: ranked[name]),
        "candidates": [
            {"combination": name, "balanced_accuracy": means[name], "per_fold": list(folds)}
            for name, folds in candidates.items()
        ],
    }
