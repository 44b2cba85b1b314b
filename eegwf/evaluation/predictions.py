"""Validated and pooled test predictions of all ranks and folds, and those of the ensemble.

The files of a rank have the softmax of the network in the columns `p_<class>`. In pooled tables, `raw_<class>` is that
softmax and `p_<class>` the calibrated probability. `predicted` is the first class of largest *raw* probability: with
balanced classes in training, the raw probabilities are those of classes that are equally frequent, and their largest
one maximizes the balanced accuracy. The largest calibrated probability maximizes the accuracy instead, and with rare
seizures it is nearly always that of the background.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from eegwf.config.fold_paths import RankPaths
from eegwf.errors import InputError
from eegwf.storage.files import read_table
from eegwf.training.calibration import Calibration, read_calibration

KEYS = ("window", "patient", "recording", "onset", "fold", "label")
ENSEMBLE = "ensemble"


def seizure_probability(predictions: pd.DataFrame, background: str) -> np.ndarray:
    """Calibrated probability of any class but the background, to which operating points apply.

    Parameters
    ----------
    predictions
        Rows of `predictions.tsv`.
    background
        Name of the first class.

    Returns
    -------
    array (n_rows,)
        1 minus the probability of the background.
    """
    return 1 - predictions[probability_columns([background])[0]].to_numpy(dtype=float)


def probability_columns(classes: list[str]) -> list[str]:
    """Names of the columns with the probabilities of the classes: calibrated in pooled tables."""
    return [f"p_{name}" for name in classes]


def raw_columns(classes: list[str]) -> list[str]:
    """Names of the columns of pooled tables with the softmax of the network, before calibration."""
    return [f"raw_{name}" for name in classes]


def read_predictions(path: Path | str, classes: list[str], one_fold: bool = True) -> pd.DataFrame:
    """Read and validate the `test.tsv` (or `validation.tsv`) of a rank and fold.

    Parameters
    ----------
    path
        The file. It may be without rows: a fold may have no window of the class set.
    classes
        Names of the classes, in the order of the configuration.
    one_fold
        Whether all windows must be in one fold, as in `test.tsv`.

    Returns
    -------
    DataFrame
        Columns `window patient recording onset fold label predicted p_<class>...`; `label` is empty if the
        window is not scored.

    Raises
    ------
    InputError
        If columns are wrong, a class is not in the class set, a probability is invalid, `predicted` is not the first
        class of largest probability, or the file contains two folds that are not expected.
    """
    names = probability_columns(classes)
    columns = [*KEYS, "predicted", *names]
    # Probabilities are read as text, to report cells that are no number, and to convert to the nearest double.
    table = read_table(path, text=("patient", "recording", "label", "predicted", *names))
    if list(table.columns) != columns:
        raise InputError(
            f"{path}: columns {' '.join(map(str, table.columns))}, expected {' '.join(columns)}; "
            "if the class set has changed, retrain"
        )
    if table.empty:
        return table.astype({"window": int, "onset": float, "fold": int, **dict.fromkeys(names, float)})
    for name in ("window", "fold"):
        _check(path, table, ~_whole(table[name]), name, "a whole number")
    _check(path, table, pd.to_numeric(table["onset"], errors="coerce").isna(), "onset", "seconds")
    table = table.astype({"window": int, "fold": int, "onset": float})
    _check(path, table, table["patient"] == "", "patient", "a patient")
    _check(path, table, ~table["label"].isin([*classes, ""]), "label", f"{', '.join(classes)} or empty")
    for name in names:
        table[name] = [_probability(cell) for cell in table[name]]
        _check(path, table, ~table[name].between(0, 1), name, "a probability in 0 ... 1")
    p = table[names].to_numpy()
    wrong_sum = np.abs(p.sum(axis=1) - 1) > 1e-6
    _check(path, table, wrong_sum, names[0], "probabilities that sum to 1 within 1e-6")
    largest = np.asarray(classes, dtype=object)[p.argmax(axis=1)]
    _check(path, table, table["predicted"] != largest, "predicted", "the first class of largest probability")
    if one_fold:
        other_folds = table["fold"] != table["fold"].iloc[0]
        _check(path, table, other_folds, "fold", f"{table['fold'].iloc[0]} as in the first row, one fold per file")
    return table


def pool_predictions(parts: dict[int, list[Path]], classes: list[str]) -> pd.DataFrame:
    """Pool and calibrate the test predictions of all ranks and folds, and add those of the ensemble.

    The probabilities of the ensemble are the mean of the written probabilities of the ranks, rounded to the nine digits
    that are written, so that averaging the rows of `predictions.tsv` reproduces them: the mean of the calibrated ones,
    and that of the raw ones.

    Parameters
    ----------
    parts
        For each rank the `test.tsv` of each fold; `calibration.json` is beside each of them.
    classes
        Names of the classes, in the order of the configuration.

    Returns
    -------
    DataFrame
        Columns `member window patient recording onset fold label predicted p_<class>... raw_<class>...`, sorted by
        member (rank1, rank2, ..., ensemble) and window.

    Raises
    ------
    InputError
        From `read_predictions` and `read_calibration`; if a window is in two files of a rank, a patient is in two
        folds, the ranks differ in the windows or their columns, or there is no prediction.
    """
    if not parts or not all(parts.values()):
        raise InputError("evaluation: no test predictions given; expected at least one test.tsv per rank")
    ranks = sorted(parts)
    pooled = {rank: _pool_rank(parts[rank], classes) for rank in ranks}
    first = pooled[ranks[0]]
    if first.empty:
        raise InputError(f"{parts[ranks[0]][0]}: no predictions in this or any other fold of the rank")
    _check_one_fold_per_patient(first)
    for rank in ranks[1:]:
        _check_same_windows(first, pooled[rank], ranks[0], rank, str(parts[rank][0]))
    return with_ensemble(pooled, classes)


def validation_predictions(parts: dict[int, list[Path]], classes: list[str]) -> dict[int, pd.DataFrame]:
    """Read the validation predictions of every outer fold, and add those of the ensemble.

    Parameters
    ----------
    parts
        For each rank the `test.tsv` of each fold; `validation.tsv` and `calibration.json` are beside each of them.
    classes
        Names of the classes, in the order of the configuration.

    Returns
    -------
    dict
        For each outer fold with test windows a table as `pool_predictions` returns it, of the windows of its validation
        folds; `fold` is the fold of the window.

    Raises
    ------
    InputError
        From `read_predictions` and `read_calibration`; if the ranks of a fold differ in the windows or their columns.
    """
    folds: dict[int, dict[int, pd.DataFrame]] = {}
    for rank, tests in parts.items():
        for path in tests:
            test, validation = read_predictions(path, classes), path.with_name("validation.tsv")
            if len(test):
                table = _calibrated(validation, classes, one_fold=False)
                table = table.sort_values("window", kind="stable").reset_index(drop=True)
                folds.setdefault(int(test["fold"].iloc[0]), {})[rank] = table
    for ranks in folds.values():
        first, *others = sorted(ranks)
        for rank in others:
            _check_same_windows(ranks[first], ranks[rank], first, rank, "validation.tsv")
    return {fold: with_ensemble(folds[fold], classes) for fold in sorted(folds)}


def with_ensemble(pooled: dict[int, pd.DataFrame], classes: list[str]) -> pd.DataFrame:
    """Join the predictions of all ranks and of their ensemble in one table.

    Parameters
    ----------
    pooled
        Predictions of each rank, as `calibrate_table` returns them, of the same windows in the same order.
    classes
        Names of the classes.

    Returns
    -------
    DataFrame
        Columns `member window patient recording onset fold label predicted p_<class>... raw_<class>...`.
    """
    ranks, raw = sorted(pooled), raw_columns(classes)
    names = [*probability_columns(classes), *raw]
    ensemble = pooled[ranks[0]].copy()
    ensemble[names] = rounded(np.mean([pooled[rank][names].to_numpy() for rank in ranks], axis=0))
    ensemble["predicted"] = np.asarray(classes, dtype=object)[ensemble[raw].to_numpy().argmax(axis=1)]
    members = {f"rank{rank}": pooled[rank] for rank in ranks} | {ENSEMBLE: ensemble}
    tables = [table.assign(member=name) for name, table in members.items()]
    return pd.concat(tables, ignore_index=True)[["member", *KEYS, "predicted", *names]]


def _calibrated(path: Path, classes: list[str], one_fold: bool = True) -> pd.DataFrame:
    """Predictions of a rank and fold with raw and calibrated probabilities, and the file of each row."""
    table, file = read_predictions(path, classes, one_fold), RankPaths(path.parent).calibration
    return calibrate_table(table, read_calibration(file, classes), classes).assign(file=str(path))


def calibrate_table(table: pd.DataFrame, calibration: Calibration, classes: list[str]) -> pd.DataFrame:
    """Calibrate the predictions of a model.

    Parameters
    ----------
    table
        Predictions with the softmax of the network, as in `test.tsv`.
    calibration
        Calibration of the model.
    classes
        Names of the classes.

    Returns
    -------
    DataFrame
        Columns `window patient recording onset fold label predicted p_<class>... raw_<class>...`.
    """
    p = table[probability_columns(classes)].to_numpy(dtype=float)
    calibrated = pd.DataFrame(rounded(calibration.apply(p)), columns=probability_columns(classes))
    raw = pd.DataFrame(p, columns=raw_columns(classes))
    return pd.concat([table[[*KEYS, "predicted"]], calibrated, raw], axis=1)


def rounded(p: np.ndarray) -> np.ndarray:
    """The numbers that are written: with nine significant digits."""
    return np.array([float(f"{value:.9g}") for value in p.ravel()], dtype=float).reshape(p.shape)


def _pool_rank(paths: list[Path], classes: list[str]) -> pd.DataFrame:
    """All folds of a rank, sorted by window, with the file of each row."""
    tables = [_calibrated(path, classes) for path in paths]
    table = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    duplicates = table[table["window"].duplicated(keep=False)].sort_values("window", kind="stable")
    if len(duplicates):
        window = duplicates["window"].iloc[0]
        files = list(dict.fromkeys(duplicates["file"][duplicates["window"] == window]))
        raise InputError(
            f"{files[-1]}: window {window} has more than one row (in {' and '.join(files)}), expected one "
            "per rank; rerun the folds and the retraining"
        )
    return table.sort_values("window", kind="stable").reset_index(drop=True)


def _check_one_fold_per_patient(table: pd.DataFrame) -> None:
    folds = table.groupby("patient")["fold"].agg(["min", "max"])
    split = folds[folds["min"] != folds["max"]]
    if len(split):
        patient = split.index[0]
        file = table["file"][table["patient"] == patient].iloc[-1]
        raise InputError(
            f"{file}: patient {patient!r} is tested in fold {split['min'].iloc[0]} and in fold "
            f"{split['max'].iloc[0]}, expected one fold; this is leakage, so rerun the folds"
        )


def _check_same_windows(first: pd.DataFrame, other: pd.DataFrame, rank: int, other_rank: int, file: str) -> None:
    """Raise an InputError if two ranks differ in the windows or in their patient, recording, onset, fold or label."""
    missing = ~first["window"].isin(other["window"])
    additional = ~other["window"].isin(first["window"])
    if missing.any():
        row = first[missing].iloc[0]
        same_fold = other["file"][other["fold"] == row["fold"]]
        file = same_fold.iloc[0] if len(same_fold) else file
        raise InputError(
            f"{file}: no row of window {row['window']}, which rank {rank} has in {row['file']}; "
            "retrain all ranks on the same windows and folds"
        )
    if additional.any():
        row = other[additional].iloc[0]
        raise InputError(
            f"{row['file']}: window {row['window']} has no row in rank {rank}; "
            "retrain all ranks on the same windows and folds"
        )
    for name in KEYS:
        differs = np.flatnonzero((first[name] != other[name]).to_numpy())
        if len(differs):
            number = int(differs[0])
            raise InputError(
                f"{other['file'][number]}: window {other['window'][number]} has {name} '{other[name][number]}', rank "
                f"{rank} has '{first[name][number]}'; retrain rank {other_rank} on the same windows and folds"
            )


def _check(
    path: Path | str, table: pd.DataFrame, wrong: "np.ndarray | pd.Series[bool]", name: str, expected: str
) -> None:
    """Raise an InputError for the first wrong row; line numbers start at 1, and the header is line 1."""
    rows = np.flatnonzero(np.asarray(wrong))
    if len(rows):
        row = table.iloc[rows[0]]
        raise InputError(
            f"{path}: line {rows[0] + 2} (window {row['window']}): {name} is '{row[name]}', "
            f"expected {expected}; rerun the retraining of this rank"
        )


def _whole(column: pd.Series) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    return np.isfinite(values) & (values == np.floor(values)) & (values >= 0)


def _probability(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan
