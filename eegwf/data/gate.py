"""The job that makes the folds and lets nothing pass that would leak."""

from typing import Any

from eegwf.data.folds import given_folds, make_folds
from eegwf.data.leakage import check_leakage
from eegwf.errors import InputError
from eegwf.files import read_array, read_table, write_json, write_table


def write_folds(config: dict[str, Any], windows: str, arrays: str, given: str | None, folds: str, leakage: str) -> None:
    """Write `folds.tsv` and `leakage.json`, or stop the run.

    Parameters
    ----------
    config
        `folds`, `seed`, and `n_folds`, the number that the workflow has planned with.
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
    made = given_folds(given, table) if given is not None else make_folds(table, wanted, config["seed"])
    n_made = int(made["fold"].max())
    if n_made != config["n_folds"]:
        raise InputError(
            f"folds: {config['n_folds']} folds are planned, but the {len(made)} patients with windows make {n_made}; "
            f"take patients without usable recordings out of the data set (or out of the table of folds)"
        )
    found = check_leakage(table, made, read_array(arrays))
    write_table(folds, made)
    write_json(leakage, found)
