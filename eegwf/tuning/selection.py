"""From a study's trials to the best distinct parameter sets."""

from typing import Any

import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from eegwf.tuning.space import canonical


def best_sets(trials: list[FrozenTrial], fixed: dict[str, Any], top: int) -> list[dict[str, Any]]:
    """The `top` best distinct parameter sets of the complete trials, best first.

    A tie goes to the earlier trial.

    Returns
    -------
    list of dict
        `rank` from 1, `trial`, `value` and `params`.
    """
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    chosen: dict[tuple, dict[str, Any]] = {}
    for trial in sorted(complete, key=lambda trial: (-trial.value, trial.number)):
        params = {**fixed, **trial.params}
        if len(chosen) < top and canonical(params) not in chosen:
            chosen[canonical(params)] = {
                "rank": len(chosen) + 1,
                "trial": trial.number,
                "value": trial.value,
                "params": params,
            }
    return list(chosen.values())


def trials_table(trials: list[FrozenTrial], fixed: dict[str, Any], inner_folds: int) -> pd.DataFrame:
    """A row for each trial, failed ones too: state, value, value per inner fold, epochs, reason, parameters."""
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
        duplicate = trial.user_attrs.get("duplicate")
        row["reason"] = trial.user_attrs.get("reason", f"same as trial {duplicate}" if duplicate is not None else "")
        rows.append(row | {f"param_{name}": value for name, value in {**fixed, **trial.params}.items()})
    return pd.DataFrame(rows)
