"""Selection of the best distinct parameter sets of an Optuna study, and the table of its trials."""

from typing import Any, cast

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from eegwf.tuning.budget import DUPLICATE
from eegwf.tuning.space import canonical


def best_sets(trials: list[FrozenTrial], fixed: dict[str, Any], n_best: int) -> list[dict[str, Any]]:
    """Select the best distinct parameter sets of the complete trials.

    Parameters
    ----------
    trials
        Trials of an Optuna study.
    fixed
        Fixed parameters of the model.
    n_best
        Maximum number of parameter sets.

    Returns
    -------
    list of dict
        `rank` from 1, `trial`, `value` and `params` of each set, best first; the earlier trial first on a tie.
    """
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    best: dict[tuple, dict[str, Any]] = {}
    for trial in sorted(complete, key=lambda trial: (-cast(float, trial.value), trial.number)):
        params = {**fixed, **trial.params}
        if len(best) < n_best and canonical(params) not in best:
            best[canonical(params)] = {
                "rank": len(best) + 1,
                "trial": trial.number,
                "value": trial.value,
                "params": params,
            }
    return list(best.values())


def repeat_for_seeds(sets: list[dict[str, Any]], n_seeds: int) -> list[dict[str, Any]]:
    """Make a rank of each parameter set and random seed; a rank is one network, and its number decides the seed.

    Parameters
    ----------
    sets
        The best parameter sets, as `best_sets` returns them.
    n_seeds
        Number of random seeds of each.

    Returns
    -------
    list of dict
        All seeds of a set are successive ranks, from 1.
    """
    repeated = [entry for entry in sets for _ in range(n_seeds)]
    return [{**entry, "rank": rank} for rank, entry in enumerate(repeated, 1)]


def trials_table(trials: list[FrozenTrial], fixed: dict[str, Any], inner_folds: int) -> pd.DataFrame:
    """Make a table with a row for each trial, including failed ones.

    Parameters
    ----------
    trials
        Trials of an Optuna study.
    fixed
        Fixed parameters of the model.
    inner_folds
        Number of inner folds of a trial.

    Returns
    -------
    DataFrame
        Columns `trial`, `state`, `value` (of complete trials), `value_innerK` for each inner fold, `epochs`, `reason`
        (of failed trials and duplicates) and `param_<name>` for each parameter.
    """
    rows = []
    for trial in trials:
        values = trial.user_attrs.get("values", [])
        row: dict[str, Any] = {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "value": trial.value if trial.state == TrialState.COMPLETE else None,
        }
        for inner in range(inner_folds):
            row[f"value_inner{inner + 1}"] = values[inner] if inner < len(values) else None
        row["epochs"] = trial.user_attrs.get("epochs", 0)
        duplicate = trial.user_attrs.get(DUPLICATE)
        row["reason"] = trial.user_attrs.get("reason", f"same as trial {duplicate}" if duplicate is not None else "")
        rows.append(row | {f"param_{name}": value for name, value in {**fixed, **trial.params}.items()})
    return pd.DataFrame(rows)
