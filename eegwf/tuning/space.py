"""Search space of a model as Optuna's distributions."""

from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from eegwf.config.tuning import Choices, Model, Range

Distribution = CategoricalDistribution | IntDistribution | FloatDistribution


def distributions(model: Model) -> dict[str, Distribution]:
    """Optuna's distribution of each parameter of the search space, in the order of the configuration."""
    return {name: _distribution(entry) for name, entry in model.search.items()}


def _distribution(entry: Range | Choices) -> Distribution:
    if isinstance(entry, Choices):
        return CategoricalDistribution(entry.choices)
    if isinstance(entry.low, int) and isinstance(entry.high, int):
        return IntDistribution(entry.low, entry.high, log=entry.log, step=int(entry.step or 1))
    return FloatDistribution(entry.low, entry.high, log=entry.log, step=entry.step)


def suggest(trial: optuna.Trial, model: Model) -> None:
    """Draw each parameter of the search space, unless the trial has it already.

    Parameters
    ----------
    trial
        Trial of an Optuna study.
    model
        Model with the search space.
    """
    for name, entry in distributions(model).items():
        if isinstance(entry, CategoricalDistribution):
            trial.suggest_categorical(name, entry.choices)
        elif isinstance(entry, IntDistribution):
            trial.suggest_int(name, entry.low, entry.high, log=entry.log, step=entry.step)
        else:
            trial.suggest_float(name, entry.low, entry.high, log=entry.log, step=entry.step)


def canonical(parameters: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Convert a parameter set to a hashable value that is equal for equal sets."""
    return tuple(sorted((name, repr(value)) for name, value in parameters.items()))
