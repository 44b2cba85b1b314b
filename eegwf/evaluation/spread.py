"""Spread of the scores of rank 1 between trainings with different random seeds.

Confidence intervals are over patients and describe trained classifiers. Another training of the same parameter set on
the same patients gives another classifier; the spread says how much its scores differ.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.errors import InputError
from eegwf.evaluation.predictions import KEYS, probability_columns, read_predictions
from eegwf.evaluation.scores import scores

FIRST = "rank1"
SPREAD_SCORES = ("balanced_accuracy", "macro_f1", "auroc")


def seed_spread(
    pooled: pd.DataFrame,
    seeds: Mapping[int, list[Path]],
    classes: list[str],
    n_seeds: int,
    members: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any] | None:
    """Compute the scores of rank 1 for each random seed, pooled over the folds, and their spread.

    Parameters
    ----------
    pooled
        Test predictions of the members, as `pool_predictions` returns them.
    seeds
        For each further seed, from 2, the `test.tsv` of each fold. Tables without any row are of a model whose training
        draws no random numbers.
    classes
        Names of the classes, in the order of the configuration.
    n_seeds
        Number of seeds, `evaluation.seeds`.
    members
        Scores of the members with their confidence intervals, as in `metrics.json`.

    Returns
    -------
    dict or None
        `n`, number of seeds with a training of their own, and for each score `values` (the ordinary training first),
        `mean`, `standard_deviation` (with n - 1), `min`, `max`, and `low` and `high`, the confidence interval over
        patients of the ordinary training. Numbers are None if the score is undefined for a seed or `n` is 1. None if
        `n_seeds` is 1.

    Raises
    ------
    InputError
        From `read_predictions`; if the seeds are not 2 to `n_seeds`, or their windows are not those of rank 1.
    """
    if n_seeds == 1:
        return None
    if sorted(seeds) != list(range(2, n_seeds + 1)):
        raise InputError(
            f"evaluation.seeds: {n_seeds}, but there are predictions of seeds {', '.join(map(str, seeds)) or 'none'}; "
            f"expected those of 2 to {n_seeds}, so rerun the retraining"
        )
    tables = {seed: _pool(paths, classes) for seed, paths in sorted(seeds.items())}
    first = pooled[pooled["member"] == FIRST]
    of_seeds = [{name: members[FIRST][name]["value"] for name in SPREAD_SCORES}]
    if any(len(table) for table in tables.values()):
        of_seeds += [_scores(_as_first(table, first, seeds[seed][0]), classes) for seed, table in tables.items()]
    return {"n": len(of_seeds), **{name: _spread(name, of_seeds, members[FIRST][name]) for name in SPREAD_SCORES}}


def _pool(paths: list[Path], classes: list[str]) -> pd.DataFrame:
    """All folds of a training; a fold without windows of the class set has no rows."""
    tables = [read_predictions(path, classes) for path in paths]
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def _as_first(table: pd.DataFrame, first: pd.DataFrame, file: Path) -> pd.DataFrame:
    """The predictions in the order of those of rank 1; raise an InputError if they are of other windows."""
    table, keys = table.sort_values("window", kind="stable").reset_index(drop=True), list(KEYS)
    if not table[keys].equals(first[keys].reset_index(drop=True)):
        raise InputError(
            f"{file}, or the file of another fold: the windows, folds or labels are not those of {FIRST}; rerun the "
            "retraining"
        )
    return table


def _scores(table: pd.DataFrame, classes: list[str]) -> dict[str, float | None]:
    """Scores of the labeled windows. The files of a training have the raw probabilities."""
    table, index = table[table["label"] != ""], pd.Index(classes)
    truth, predicted = (index.get_indexer(pd.Index(table[name])) for name in ("label", "predicted"))
    return scores(truth, predicted, table[probability_columns(classes)].to_numpy(dtype=float))


def _spread(name: str, of_seeds: list[dict[str, float | None]], entry: Mapping[str, Any]) -> dict[str, Any]:
    values = [found[name] for found in of_seeds]
    known = np.array([value for value in values if value is not None])
    summary: dict[str, float | None] = dict.fromkeys(("mean", "standard_deviation", "min", "max"))
    if len(known) == len(values) > 1:
        summary = {
            "mean": float(known.mean()),
            "standard_deviation": float(known.std(ddof=1)),
            "min": float(known.min()),
            "max": float(known.max()),
        }
    return {"values": values, **summary, "low": entry["low"], "high": entry["high"]}
