"""The job that makes the folds and lets nothing pass that would leak."""

from typing import Any

import pandas as pd

from eegwf.data.folds import given_folds, make_folds, with_counts
from eegwf.data.leakage import check_leakage
from eegwf.data.reserve import inner_parts, reserve
from eegwf.errors import InputError
from eegwf.storage.files import read_array, read_table, write_json, write_table


def write_folds(config: dict[str, Any], windows: str, arrays: str, given: str | None, folds: str, leakage: str) -> None:
    """Write `folds.tsv` and `leakage.json`, or stop the run.

    Parameters
    ----------
    config
        `folds`, `seed`, and `n_folds`, the number that the workflow has planned with; `reserved` (share of the
        patients) and `inner` (number of parts) where patients are reserved for tuning: they are in fold 0, their part
        stands in the column `inner`.
    windows, arrays
        Table of the windows, and the samples behind them.
    given
        Table of folds that came with the data, in place of `config["folds"]`.
    folds, leakage
        Files to write.

    Raises
    ------
    InputError
        If folds can't be made, are not as many as planned, or the gate finds a leak.
    """
    table = read_table(windows, ("window", "patient", "label"), text=("recording", "patient", "label"))
    wanted = config["folds"]
    if given is None and isinstance(wanted, str) and wanted != "leave-one-patient-out":
        given = wanted
    share = config.get("reserved")
    if given is not None:
        made = given_folds(given, table, lowest=1 if share is None else 0)
        reserved = made["patient"][made["fold"] == 0].tolist()
    else:
        reserved = reserve(table, share, config["seed"]) if share is not None else []
        made = make_folds(table[~table["patient"].isin(reserved)], wanted, config["seed"])
    if share is not None:
        made = _with_reserved(made, table, inner_parts(table, reserved, config["inner"], config["seed"]))
    n_made = int(made["fold"].max())
    if n_made != config["n_folds"]:
        raise InputError(
            f"folds: {config['n_folds']} folds are planned, but the {len(made)} patients with windows make {n_made}; "
            f"take patients without usable recordings out of the data set (or out of the table of folds)"
        )
    found = check_leakage(table, made, read_array(arrays))
    write_table(folds, made)
    write_json(leakage, found)


def _with_reserved(made: pd.DataFrame, windows: pd.DataFrame, inner: dict[str, int]) -> pd.DataFrame:
    """Folds with the reserved patients in fold 0, and everybody's part in the column `inner`, 0 for none."""
    fold_of = dict(zip(made["patient"], made["fold"], strict=True)) | dict.fromkeys(inner, 0)
    patients = sorted(fold_of)
    table = pd.DataFrame({"patient": patients, "fold": [fold_of[patient] for patient in patients]})
    table["inner"] = [inner.get(patient, 0) for patient in patients]
    return with_counts(table, windows)
