"""Parameters of new trials: the configured starting sets, then draws of the sampler."""

import inspect
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from eegwf.config.training import TUNABLE, Training
from eegwf.config.tuning import Model, TrialSettings
from eegwf.models.registry import class_of
from eegwf.tuning.space import suggest


def make_sampler(tuning: TrialSettings, seed: int) -> optuna.samplers.BaseSampler:
    """Make the configured sampler.

    Parameters
    ----------
    tuning
        Settings of tuning.
    seed
        Seed of the sampler.

    Returns
    -------
    optuna.samplers.BaseSampler
        Random, Gaussian process or TPE sampler.

    Notes
    -----
    TPE: Bergstra et al. 2011, with the constant liar (Ginsbourger et al. 2010): running trials are assigned a low
    value, so that parallel workers draw different parameters.
    """
    if tuning.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if tuning.sampler == "gp":
        return optuna.samplers.GPSampler(n_startup_trials=tuning.n_startup_trials, seed=seed)
    return optuna.samplers.TPESampler(n_startup_trials=tuning.n_startup_trials, constant_liar=True, seed=seed)


def draw(
    trials: Sequence[FrozenTrial],
    sampler: optuna.samplers.BaseSampler,
    model: Model,
    given: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Draw a parameter set without changing the Optuna study, on a copy of its trials in memory.

    Parameters
    ----------
    trials
        Trials so far.
    sampler
        Sampler of the parameters that are not given.
    model
        Model with the search space.
    given
        Values of some parameters.

    Returns
    -------
    dict
        Value of each parameter of the search space.
    """
    copy = optuna.create_study(sampler=sampler, direction="maximize")
    copy.add_trials([trial for trial in trials if trial.state != optuna.trial.TrialState.WAITING])
    if given:
        copy.enqueue_trial(given)
    trial = copy.ask()
    suggest(trial, model)
    return trial.params


def starting_set(model: str, space: Model, training: Training, number: int) -> dict[str, Any]:
    """Values that the configuration sets for a trial.

    Parameters
    ----------
    model
        Name of the model.
    space
        Model with the search space and the starting sets.
    training
        Settings of training.
    number
        Number of the trial from 0.

    Returns
    -------
    dict
        The starting set of this number, empty if there is none. `defaults` are the default values of the model's
        constructor and the settings of training, as far as the search space contains them.
    """
    point = space.start[number] if number < len(space.start) else {}
    if point != "defaults":
        return dict(point)
    signature = inspect.signature(class_of(model, space.fixed)).parameters
    defaults = {name: entry.default for name, entry in signature.items() if entry.default is not entry.empty}
    defaults |= {name: getattr(training, name) for name in TUNABLE}
    return {
        name: defaults[name] for name, entry in space.search.items() if name in defaults and entry.holds(defaults[name])
    }
