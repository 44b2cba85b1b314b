"""Optuna studies of a combination: one for each outer fold, or one that all folds share."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.tuning import Choices, Model, Range
from eegwf.report.data import Fold, ReportData

FEWEST = 20  # complete trials needed for importances; the best tenth of fewer is a single trial
DUPLICATE = "same as trial"


@dataclass(frozen=True)
class OptunaStudy:
    """An Optuna study and the outer folds that use its parameter sets.

    Attributes
    ----------
    folds
        The folds; each contains the same files of the study.
    name
        Its name on the page.
    """

    folds: tuple[Fold, ...]
    name: str

    @property
    def first(self) -> Fold:
        """The first of the folds, from whose files the study is read."""
        return self.folds[0]

    @property
    def trials(self) -> pd.DataFrame:
        """All trials by number."""
        return self.first.trials

    @property
    def complete(self) -> pd.DataFrame:
        """Complete trials with a value, except duplicates of other trials."""
        trials = self.trials
        selected = (trials["state"] == "complete") & trials["value"].notna()
        if "reason" in trials:
            selected &= ~trials["reason"].astype(str).str.startswith(DUPLICATE)
        return trials[selected]


def studies(run: ReportData) -> list[OptunaStudy]:
    """List the Optuna studies in the order of the folds; folds with the same study in `best.json` share it."""
    shared = run.mode in ("once", "reserved")
    groups: dict[Any, list[Fold]] = {}
    for fold in run.outer:
        groups.setdefault(fold.best[0].get("study") if shared and fold.best else fold.number, []).append(fold)
    return [OptunaStudy(tuple(folds), _name(run, folds)) for folds in groups.values()]


def _name(run: ReportData, folds: list[Fold]) -> str:
    if run.mode == "reserved":
        return "Reserved patients, for all folds"
    if run.mode == "once":
        return "Fold 1, for all folds"
    return f"Fold {folds[0].number}"


def search_space(run: ReportData) -> dict[str, Range | Choices]:
    """The searched hyperparameters, in the order of the configuration."""
    return run.study.models[run.model].search


def complete_trials(
    study: OptunaStudy, searched: Mapping[str, Range | Choices]
) -> list[tuple[int, dict[str, Any], float]]:
    """List the complete trials whose parameters are in the search space.

    Parameters
    ----------
    study
        The Optuna study.
    searched
        Search space.

    Returns
    -------
    list of tuple
        Number, parameters and value of each trial.
    """
    trials = []
    for row in study.complete.to_dict("records"):
        params = {name: _restored(entry, row.get(f"param_{name}")) for name, entry in searched.items()}
        if None not in params.values():
            trials.append((int(row["trial"]), params, float(row["value"])))
    return trials


def _restored(entry: Range | Choices, value: Any) -> Any:
    """Parameter of a trial from the cell of a table; None if it is outside the search space."""
    if isinstance(entry, Choices):
        return next((choice for choice in entry.choices if _same(choice, value)), None)
    if isinstance(value, bool | str | None) or not math.isfinite(value):
        return None
    # Tables contain 9 digits, so that a value may be slightly outside the range.
    if math.isclose(value, np.clip(value, entry.low, entry.high)):
        value = min(max(value, entry.low), entry.high)
    if not entry.holds(value):
        return None
    whole = isinstance(entry.low, int) and isinstance(entry.high, int)
    return int(value) if whole else float(value)


def _same(choice: Any, value: Any) -> bool:
    numeric = [isinstance(item, int | float | np.number) and not isinstance(item, bool) for item in (choice, value)]
    return math.isclose(choice, value) if all(numeric) else str(choice) == str(value)


def importances(study: OptunaStudy, searched: Mapping[str, Range | Choices]) -> dict[str, float] | str:
    """Compute the importance of each hyperparameter with PED-ANOVA.

    Parameters
    ----------
    study
        The Optuna study.
    searched
        Search space.

    Returns
    -------
    dict or str
        Importance of each hyperparameter, with sum 1; or the reason why importances can't be computed.
    """
    # Importing Optuna takes a second, and a report without trials does not need it.
    import optuna

    from eegwf.tuning.space import distributions

    trials = complete_trials(study, searched)
    if len(searched) < 2:
        return "no hyperparameter was searched" if not searched else "only one hyperparameter was searched"
    if len(trials) < FEWEST:
        return f"fewer than {FEWEST} complete trials are in the search space"
    if len({value for _, _, value in trials}) < 2:
        return "all complete trials have the same value"
    ranges: dict[str, optuna.distributions.BaseDistribution] = {**distributions(Model(search=dict(searched)))}
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        copy = optuna.create_study(direction="maximize")
        for _, params, value in trials:
            copy.add_trial(optuna.trial.create_trial(params=params, distributions=ranges, value=value))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return optuna.importance.get_param_importances(copy)
    finally:
        optuna.logging.set_verbosity(verbosity)
