"""The search space of a model as Optuna's distributions."""

from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from eegwf.config.tuning import Choices, Model, Range


def distributions(model: Model) -> dict[str, BaseDistribution]:
    """Optuna's distribution of each parameter of the search space, in the config's order."""
    return {name: _distribution(entry) for name, entry in model.search.items()}


def _distribution(entry: Range | Choices) -> BaseDistribution:
    if isinstance(entry, Choices):
        return CategoricalDistribution(entry.choices)
    if isinstance(entry.low, int) and isinstance(entry.high, int):
        return IntDistribution(entry.low, entry.high, log=entry.log, step=int(entry.step or 1))
    return FloatDistribution(entry.low, entry.high, log=entry.log, step=entry.step)


def suggest(trial: optuna.Trial, model: Model) -> None:
    """Make the trial's parameters known to the study."""
    for name, entry in model.search.items():
        distribution = _distribution(entry)
        if isinstance(distribution, CategoricalDistribution):
            trial.suggest_categorical(name, entry.choices)
        elif isinstance(distribution, IntDistribution):
            trial.suggest_int(name, entry.low, entry.high, log=entry.log, step=distribution.step)
        else:
            trial.suggest_float(name, entry.low, entry.high, log=entry.log, step=entry.step)


def canonical(parameters: dict[str, Any]) -> tuple:
    """A parameter set as a value that is equal for equal sets."""
    return tuple(sorted((name, repr(value)) for name, value in parameters.items()))
