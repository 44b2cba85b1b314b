"""Test predictions of all ranks and folds, checked and pooled, with the ensemble's beside them."""

from pathlib import Path

import numpy as np
import pandas as pd

from eegwf.errors import InputError
from eegwf.storage.files import read_table

KEYS = ("window", "patient", "recording", "onset", "fold", "label")
ENSEMBLE = "ensemble"


def probability_columns(classes: list[str]) -> list[str]:
    """Names of the columns that hold the classes' probabilities."""
    return [f"p_{name}" for name in classes]


def read_predictions(path: Path | str, classes: list[str]) -> pd.DataFrame:
    """Read and check one rank's `test.tsv` of one fold (or a `validation.tsv`).

    Parameters
    ----------
    path
        The file. It may hold no rows: a fold may have no window that the class set keeps.
    classes
        Names of the classes, in the config's order.

    Returns
    -------
    DataFrame
        Columns `window patient recording onset fold label predicted p_<class>...`; `label` is empty where
        the window is not scored.

    Raises
    ------
    InputError
        Wrong columns, classes that are not in the class set, probabilities that are none, a `predicted` that
        is not the first of the largest probabilities, or two folds in the file.
    """
    names = probability_columns(classes)
    columns = [*KEYS, "predicted", *names]
    # Probabilities are read as text: to name a cell that is no number, and to get the double nearest to it.
    table = read_table(path, text=("patient", "recording", "label", "predicted", *names))
    if list(table.columns) != columns:
        raise InputError(
            f"{path}: columns {' '.join(map(str, table.columns))}, expected {' '.join(columns)}; "
            "was the class set changed? run retraining again"
        )
    if table.empty:
        return table.astype({"window": int, "onset": float, "fold": int, **dict.fromkeys(names, float)})
    for name in ("window", "fold"):
        _refuse(path, table, ~_whole(table[name]), name, "a whole number")
    _refuse(path, table, pd.to_numeric(table["onset"], errors="coerce").isna(), "onset", "seconds")
    table = table.astype({"window": int, "fold": int, "onset": float})
    _refuse(path, table, table["patient"] == "", "patient", "a patient")
    _refuse(path, table, ~table["label"].isin([*classes, ""]), "label", f"{', '.join(classes)} or empty")
    for name in names:
        table[name] = [_probability(cell) for cell in table[name]]
        _refuse(path, table, ~table[name].between(0, 1), name, "a probability in 0 ... 1")
    p = table[names].to_numpy()
    off = np.abs(p.sum(axis=1) - 1) > 1e-6
    _refuse(path, table, off, names[0], "probabilities that sum to 1 within 1e-6")
    largest = np.asarray(classes, dtype=object)[p.argmax(axis=1)]
    _refuse(path, table, table["predicted"] != largest, "predicted", "the first class of largest probability")
    others = (table["fold"] != table["fold"].iloc[0]).to_numpy()
    _refuse(path, table, others, "fold", f"{table['fold'].iloc[0]} as above, one fold a file")
    return table


def pool_predictions(parts: dict[int, list[Path]], classes: list[str]) -> pd.DataFrame:
    """Pool the test predictions of all ranks and folds and add the ensemble.

    The ensemble is the plain mean of the ranks' probabilities as written, itself rounded to the nine digits
    it is written with, so that whoever averages the rows of `predictions.tsv` finds the same file.

    Parameters
    ----------
    parts
        For each rank the `test.tsv` of each fold.
    classes
        Names of the classes, in the config's order.

    Returns
    -------
    DataFrame
        Columns `member window patient recording onset fold label predicted p_<class>...`, sorted by member
        (rank1, rank2, ..., ensemble) and window.

    Raises
    ------
    InputError
        From `read_predictions`; a window in two files of a rank; a patient in two folds; ranks that differ
        in their windows or in what is known of them; no prediction at all.
    """
    if not parts or not all(parts.values()):
        raise InputError("evaluation: no test predictions given; expected at least one test.tsv a rank")
    ranks = sorted(parts)
    pooled = {rank: _pool_rank(parts[rank], classes) for rank in ranks}
    first = pooled[ranks[0]]
    if first.empty:
        raise InputError(f"{parts[ranks[0]][0]}: no predictions in this or any other fold of the rank")
    _one_fold_a_patient(first)
    for rank in ranks[1:]:
        _same_windows(first, pooled[rank], ranks[0], rank, str(parts[rank][0]))
    names = probability_columns(classes)
    p = np.mean([pooled[rank][names].to_numpy() for rank in ranks], axis=0)
    p = np.array([float(f"{value:.9g}") for value in p.ravel()]).reshape(p.shape)
    ensemble = first.copy()
    ensemble[names] = p
    ensemble["predicted"] = np.asarray(classes, dtype=object)[p.argmax(axis=1)]
    members = {f"rank{rank}": pooled[rank] for rank in ranks} | {ENSEMBLE: ensemble}
    tables = [table.drop(columns="file").assign(member=name) for name, table in members.items()]
    return pd.concat(tables, ignore_index=True)[["member", *KEYS, "predicted", *names]]


def _pool_rank(paths: list[Path], classes: list[str]) -> pd.DataFrame:
    """All folds of one rank, sorted by window, with the file each row came from."""
    tables = [read_predictions(path, classes).assign(file=str(path)) for path in paths]
    table = pd.concat([one for one in tables if len(one)] or tables[:1], ignore_index=True)
    doubled = table[table["window"].duplicated(keep=False)].sort_values("window", kind="stable")
    if len(doubled):
        window = doubled["window"].iloc[0]
        files = list(dict.fromkeys(doubled["file"][doubled["window"] == window]))
        raise InputError(
            f"{files[-1]}: window {window} stands in {' and in '.join(files)} twice, expected once a rank; "
            "make the folds and the retraining again"
        )
    return table.sort_values("window", kind="stable").reset_index(drop=True)


def _one_fold_a_patient(table: pd.DataFrame) -> None:
    folds = table.groupby("patient")["fold"].agg(["min", "max"])
    split = folds[folds["min"] != folds["max"]]
    if len(split):
        patient = split.index[0]
        file = table["file"][table["patient"] == patient].iloc[-1]
        raise InputError(
            f"{file}: patient {patient!r} is tested in fold {split['min'].iloc[0]} and in fold "
            f"{split['max'].iloc[0]}, expected one; this is a leak: make the folds again"
        )


def _same_windows(first: pd.DataFrame, other: pd.DataFrame, rank: int, other_rank: int, file: str) -> None:
    """Every rank predicts the same windows, and agrees on their patient, place, fold and label."""
    lacking = ~first["window"].isin(other["window"])
    surplus = ~other["window"].isin(first["window"])
    if lacking.any():
        row = first[lacking].iloc[0]
        same_fold = other["file"][other["fold"] == row["fold"]]
        file = same_fold.iloc[0] if len(same_fold) else file
        raise InputError(
            f"{file}: no row of window {row['window']}, which rank {rank} has in {row['file']}; "
            "retrain all ranks on the same windows and folds"
        )
    if surplus.any():
        row = other[surplus].iloc[0]
        raise InputError(
            f"{row['file']}: window {row['window']} has no row in rank {rank}; "
            "retrain all ranks on the same windows and folds"
        )
    for name in KEYS:
        differs = np.flatnonzero((first[name] != other[name]).to_numpy())
        if len(differs):
            at = differs[0]
            raise InputError(
                f"{other['file'][at]}: window {other['window'][at]} has {name} '{other[name][at]}', rank {rank} "
                f"has '{first[name][at]}'; retrain rank {other_rank} on the same windows and folds"
            )


def _refuse(path: Path | str, table: pd.DataFrame, wrong: np.ndarray, name: str, expected: str) -> None:
    """Stop at the first wrong row; the line counts from 1, the header being line 1."""
    places = np.flatnonzero(np.asarray(wrong))
    if len(places):
        row = table.iloc[places[0]]
        raise InputError(
            f"{path}: line {places[0] + 2} (window {row['window']}): {name} is '{row[name]}', "
            f"expected {expected}; run the retraining of this rank again"
        )


def _whole(column: pd.Series) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    return np.isfinite(values) & (values == np.floor(values)) & (values >= 0)


def _probability(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan
