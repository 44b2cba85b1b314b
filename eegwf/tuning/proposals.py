"""What a trial tries: a configured starting set, or what the sampler draws from the trials before."""

import inspect
from collections.abc import Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from eegwf.config.training import TUNABLE, Training
from eegwf.config.tuning import Model, Tuning
from eegwf.models.registry import class_of
from eegwf.tuning.space import suggest


def make_sampler(tuning: Tuning, seed: int) -> optuna.samplers.BaseSampler:
    """The configured sampler; trials that still run count as bad ones to TPE, so that workers keep apart.

    Notes
    -----
    TPE: Bergstra et al. 2011, with constant liar (Ginsbourger et al. 2010) for parallel workers.
    """
    if tuning.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if tuning.sampler == "gp":
        return optuna.samplers.GPSampler(n_startup_trials=tuning.startup, seed=seed)
    return optuna.samplers.TPESampler(n_startup_trials=tuning.startup, constant_liar=True, seed=seed)


def draw(
    trials: Sequence[FrozenTrial],
    sampler: optuna.samplers.BaseSampler,
    model: Model,
    given: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Draw a whole parameter set, without touching the study: on a copy of its trials in memory.

    Parameters
    ----------
    trials
        Those before.
    sampler
        Draws what is not given.
    model
        The space.
    given
        Values of some parameters.
    """
    copy = optuna.create_study(sampler=sampler, direction="maximize")
    copy.add_trials([trial for trial in trials if trial.state != optuna.trial.TrialState.WAITING])
    if given:
        copy.enqueue_trial(given)
    trial = copy.ask()
    suggest(trial, model)
    return trial.params


def starting_set(model: str, space: Model, training: Training, number: int) -> dict[str, Any]:
    """Values that the configuration gives the trial of this number; empty after its starting sets.

    `defaults` are those of the model's constructor and of the settings of training, as far as the space holds them.
    """
    point = space.start[number] if number < len(space.start) else {}
    if point != "defaults":
        return dict(point)
    signature = inspect.signature(class_of(model, space.fixed)).parameters
    known = {name: entry.default for name, entry in signature.items() if entry.default is not entry.empty}
    known |= {name: getattr(training, name) for name in TUNABLE}
    return {name: known[name] for name, entry in space.search.items() if name in known and entry.holds(known[name])}
