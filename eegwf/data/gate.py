"""The job that makes the folds and lets nothing pass that would leak."""

from typing import Any

from eegwf.data.folds import given_folds, make_folds
from eegwf.data.leakage import check_leakage
from eegwf.files import read_array, read_table, write_json, write_table


def write_folds(config: dict[str, Any], windows: str, arrays: str, given: str | None, folds: str, leakage: str) -> None:
    """Write `folds.tsv` and `leakage.json`, or stop the run.

    Parameters
    ----------
    config
        `folds` and `seed`.
    windows, arrays
        Table of the windows, and the samples behind them.
    given
        Table of folds that came with the data, in place of `config["folds"]`.
    folds, leakage
        Files to write.

    Raises
    ------
    InputError
        If folds can't be made, or the gate finds a leak.
    """
    table = read_table(windows, ("window", "patient", "label"), text=("recording", "patient", "label"))
    wanted = config["folds"]
    if given is None and isinstance(wanted, str) and wanted != "leave-one-patient-out":
        given = wanted
    made = given_folds(given, table) if given is not None else make_folds(table, wanted, config["seed"])
    found = check_leakage(table, made, read_array(arrays))
    write_table(folds, made)
    write_json(leakage, found)
