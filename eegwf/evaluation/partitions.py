"""Spread of the scores between several results folders whose patients are divided into other folds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.paths import ResultPaths, RunPaths
from eegwf.errors import InputError
from eegwf.evaluation.spread import FIRST, SPREAD_SCORES
from eegwf.storage.files import read_json, read_table

# Keys in which repetitions with other folds differ.
OF_REPETITION = ("results", "seed", "folds", "matrix")
COLUMNS = (
    "combination", "member", "score", "n", "mean", "standard_deviation", "min", "max",
    "standard_deviation_seeds", "low", "high",
)  # fmt: skip
Partition = frozenset[tuple[bool, frozenset[str]]]


def compare_partitions(roots: Sequence[Path]) -> list[str]:
    """Find results folders with the same folds.

    Parameters
    ----------
    roots
        Results folders, each with `data/folds.tsv`.

    Returns
    -------
    list of str
        The number of distinct partitions of the patients, whatever the numbers of the folds, and a warning for each
        folder whose partition is that of an earlier one.

    Raises
    ------
    InputError
        If there are fewer than two folders, a folder has no folds, or their patients or numbers of folds differ.
    """
    if len(set(roots)) < 2:
        raise InputError("expected two or more different results folders")
    found: dict[Path, Partition] = {root: _partition(root) for root in roots}
    first = roots[0]
    patients = {root: frozenset().union(*(part for _, part in partition)) for root, partition in found.items()}
    for root in roots[1:]:
        if patients[root] != patients[first] or len(found[root]) != len(found[first]):
            raise InputError(
                f"{root}: {len(patients[root])} patients in {len(found[root])} folds, but {first} has "
                f"{len(patients[first])} in {len(found[first])}, or other patients; repetitions differ in the partition"
            )
    lines = [f"partitions: {len(set(found.values()))} different ones in {len(found)} results folders"]
    known: dict[Partition, Path] = {}
    for root, partition in found.items():
        if partition in known:
            lines.append(
                f"warning: {root} has the same folds as {known[partition]}, so that they differ in the seeds of tuning "
                "and training only; the balance over the labels decides the folds unless patients have equal counts of "
                "windows. Give other folds as tables (`folds`)"
            )
        known.setdefault(partition, root)
    return lines


def _partition(root: Path) -> Partition:
    """Sets of patients that are in one fold, and whether they are reserved for tuning."""
    path = ResultPaths(root).data.folds
    if not path.exists():
        raise InputError(f"{root}: no {path.relative_to(root)}; run `snakemake {path}` with its configuration")
    table = read_table(path, ("patient", "fold"), text=("patient",))
    return frozenset((fold == 0, frozenset(part)) for fold, part in table.groupby("fold")["patient"])


def partition_spread(roots: Sequence[Path]) -> pd.DataFrame:
    """Compute the spread of the scores between results folders.

    Parameters
    ----------
    roots
        Results folders of one configuration with other folds.

    Returns
    -------
    DataFrame
        Rows for rank 1 and the primary member of each combination that is finished in all folders, and the scores
        `balanced_accuracy`, `macro_f1` and `auroc`: `n` folders, `mean`, `standard_deviation` (with n - 1), `min` and
        `max` over the folders; `standard_deviation_seeds`, the root mean square over the folders of the standard
        deviation between the seeds of rank 1 (`evaluation.seeds`; NaN if unknown); `low` and `high`, the confidence
        interval over patients in the first folder. Numbers are NaN if the score is undefined in a folder.

    Raises
    ------
    InputError
        If the configurations of a combination differ in more than the random seed, the folds and the results folder.
    """
    names = [{run.folder.name for run in ResultPaths(root).finished_runs()} for root in roots]
    rows = []
    for name in sorted(set.intersection(*names)):
        runs = [RunPaths(root / name) for root in roots]
        _check_configurations(runs)
        metrics = [read_json(run.metrics) for run in runs]
        for member in dict.fromkeys((FIRST, metrics[0]["primary"])):
            rows += [[name, member, score, *_spread(metrics, member, score)] for score in SPREAD_SCORES]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(COLUMNS[4:], float))


def _check_configurations(runs: list[RunPaths]) -> None:
    first, *others = ((run, read_json(run.run_record)["config"]) for run in runs)
    for run, config in others:
        keys = sorted(set(config) | set(first[1]))
        differing = [key for key in keys if key not in OF_REPETITION and config.get(key) != first[1].get(key)]
        if differing:
            raise InputError(
                f"{run.run_record}: {', '.join(differing)} differ from {first[0].run_record}; repetitions differ in "
                "seed, folds and results alone"
            )


def _spread(metrics: list[dict[str, Any]], member: str, score: str) -> list[float | None]:
    values = np.array([found["members"][member][score]["value"] for found in metrics], dtype=float)  # None becomes NaN
    of_seeds = [((found.get("spread") or {}).get("seeds") or {}).get(score) or {} for found in metrics]
    deviations = np.array([found.get("standard_deviation") for found in of_seeds], dtype=float)
    seeds = float(np.sqrt(np.mean(deviations**2))) if member == FIRST else float("nan")
    first = metrics[0]["members"][member][score]
    summary = [values.mean(), values.std(ddof=1), values.min(), values.max()]
    return [len(values), *map(float, summary), seeds, first["low"], first["high"]]
