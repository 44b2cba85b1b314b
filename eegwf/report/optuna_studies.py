"""The studies of a combination as its folds hold them: one for each outer fold, or one that serves them all."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.tuning import Choices, Model, Range
from eegwf.report.data import Fold, Run

FEWEST = 20  # complete trials that importances are computed from: of fewer, the best tenth is one
DUPLICATE = "same as trial"


@dataclass(frozen=True)
class Study:
    """A study and the outer folds that took their parameters from it.

    Attributes
    ----------
    folds
        The folds; each holds the same files of the study.
    name
        What the page calls it.
    """

    folds: tuple[Fold, ...]
    name: str

    @property
    def first(self) -> Fold:
        """The fold whose files stand for the study."""
        return self.folds[0]

    @property
    def trials(self) -> pd.DataFrame:
        """All trials by number."""
        return self.first.trials

    @property
    def complete(self) -> pd.DataFrame:
        """Trials that have a value of their own."""
        trials = self.trials
        kept = (trials["state"] == "complete") & trials["value"].notna()
        if "reason" in trials:
            kept &= ~trials["reason"].astype(str).str.startswith(DUPLICATE)
        return trials[kept]


def studies(run: Run) -> list[Study]:
    """Each study once, in the order of the folds; folds of one name in `best.json` share it."""
    shared = run.mode in ("once", "reserved")
    groups: dict[Any, list[Fold]] = {}
    for fold in run.outer:
        groups.setdefault(fold.best[0].get("study") if shared and fold.best else fold.number, []).append(fold)
    return [Study(tuple(own), _name(run, own)) for own in groups.values()]


def _name(run: Run, folds: list[Fold]) -> str:
    if run.mode == "reserved":
        return "Reserved patients, for all folds"
    if run.mode == "once":
        return "Fold 1's study, for all folds"
    return f"Fold {folds[0].number}"


def space(run: Run) -> dict[str, Range | Choices]:
    """The searched parameters, in the configuration's order."""
    return Model.model_validate(run.config["models"][run.model]).search


def drawn(study: Study, searched: Mapping[str, Range | Choices]) -> list[tuple[int, dict[str, Any], float]]:
    """Number, parameters and value of the complete trials that lie in the search space."""
    found = []
    for row in study.complete.to_dict("records"):
        params = {name: _restored(entry, row.get(f"param_{name}")) for name, entry in searched.items()}
        if None not in params.values():
            found.append((int(row["trial"]), params, float(row["value"])))
    return found


def _restored(entry: Range | Choices, value: Any) -> Any:
    """A table's cell as the search drew it; None if the space does not hold it."""
    if isinstance(entry, Choices):
        return next((choice for choice in entry.choices if _same(choice, value)), None)
    if isinstance(value, bool | str | None) or not math.isfinite(value):
        return None
    # Tables hold 9 digits, which may lie a little beyond an end.
    value = (
        min(max(value, entry.low), entry.high) if math.isclose(value, np.clip(value, entry.low, entry.high)) else value
    )
    if not entry.holds(value):
        return None
    whole = isinstance(entry.low, int) and isinstance(entry.high, int)
    return int(value) if whole else float(value)


def _same(choice: Any, value: Any) -> bool:
    numbers = [isinstance(one, int | float | np.number) and not isinstance(one, bool) for one in (choice, value)]
    return math.isclose(choice, value) if all(numbers) else str(choice) == str(value)


def importances(study: Study, searched: Mapping[str, Range | Choices]) -> dict[str, float] | str:
    """How much each parameter decided of a trial's being among the best, by PED-ANOVA; or why that can't be told."""
    # Optuna takes a second to import, and a report without trials does without.
    import optuna

    from eegwf.tuning.space import distributions

    found = drawn(study, searched)
    if len(searched) < 2:
        return f"{len(searched)} parameter searched, so there is nothing to compare"
    if len(found) < FEWEST:
        return f"fewer than {FEWEST} complete trials lie in the search space"
    if len({value for _, _, value in found}) < 2:
        return "all complete trials have the same value"
    ranges = distributions(Model(search=dict(searched)))
    logged = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        copy = optuna.create_study(direction="maximize")
        for _, params, value in found:
            copy.add_trial(optuna.trial.create_trial(params=params, distributions=ranges, value=value))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return optuna.importance.get_param_importances(copy)
    finally:
        optuna.logging.set_verbosity(logged)
