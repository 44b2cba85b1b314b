"""Pruning of trials: by epoch, and by inner fold."""

import itertools
import math
import statistics
import warnings
import zlib

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState, create_trial

from eegwf.config.training import Training
from eegwf.config.tuning import TrialSettings
from eegwf.training.schedule import warmup_epochs


class MedianPruner(optuna.pruners.BasePruner):
    """Prune a trial whose value is below the median of the others at the same inner fold and epoch.

    A trial is compared with the complete and the pruned trials that were trained on the same inner fold. One that ended
    before the epoch, by early stopping or because it was pruned, keeps its last value: without the pruned trials, only
    the better ones would be left in later epochs.

    Parameters
    ----------
    n_startup_trials
        Number of complete trials before any is pruned.
    epochs
        Maximum number of epochs of an inner fold: step `s` is epoch `s % epochs` of inner fold `s // epochs`.

    Notes
    -----
    Golovin et al. 2017 (Vizier). Optuna's own median pruner compares the best value of all steps, in which a later
    inner fold can't be told from the first one.
    """

    def __init__(self, n_startup_trials: int, epochs: int):
        self.n_startup_trials, self.epochs = n_startup_trials, epochs

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether a trial is below the median at its last step.

        Parameters
        ----------
        study
            The Optuna study.
        trial
            The trial, with a value for each epoch.

        Returns
        -------
        bool
            Whether it is pruned.
        """
        step = trial.last_step
        if step is None:
            return False
        others = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        if sum(other.state == TrialState.COMPLETE for other in others) < self.n_startup_trials:
            return False
        finished = [other for other in others if other.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        values = [value for other in finished if (value := _value_at(other, step, self.epochs)) is not None]
        return bool(values) and trial.intermediate_values[step] < statistics.median(values)


class SuccessiveHalvingPruner(optuna.pruners.BasePruner):
    """Prune a trial that is not among the best at the last rung that it has reached.

    Rungs are numbers of epochs, each a multiple of the former one. Trials are compared by their values at the epoch of
    the rung, and of those that have reached it, one in `reduction_factor` continues. Nothing but the values of epochs
    decides, so that a trial that is resumed is pruned at the same epoch.

    Parameters
    ----------
    min_resource
        Epochs of the first rung, counted over all inner folds.
    reduction_factor
        Ratio of two rungs.
    epochs
        Maximum number of epochs of an inner fold.
    max_resource
        Maximum number of epochs of a trial, for the brackets of Hyperband, in which the first rungs differ; None for
        one bracket.

    Notes
    -----
    Asynchronous successive halving: Li et al. 2020. Hyperband: Li et al. 2018; as in Optuna, a bracket is drawn for
    each trial from a hash of the name of the study and its number, with the proportions of the paper.
    """

    def __init__(self, min_resource: int, reduction_factor: int, epochs: int, max_resource: int | None = None):
        self.min_resource, self.reduction_factor, self.epochs = min_resource, reduction_factor, epochs
        n_brackets = 1
        while max_resource is not None and min_resource * reduction_factor**n_brackets <= max_resource:
            n_brackets += 1
        self.proportions = [
            math.ceil(n_brackets * reduction_factor ** (n_brackets - 1 - bracket) / (n_brackets - bracket))
            for bracket in range(n_brackets)
        ]

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether a trial is not among the best at its last rung.

        Parameters
        ----------
        study
            The Optuna study.
        trial
            The trial, with a value for each epoch.

        Returns
        -------
        bool
            Whether it is pruned.
        """
        bracket = self.bracket(study.study_name, trial.number)
        rung = self.min_resource * self.reduction_factor**bracket
        if trial.last_step is None or trial.last_step + 1 < rung:
            return False
        while rung * self.reduction_factor <= trial.last_step + 1:
            rung *= self.reduction_factor
        own = _value_at(trial, rung - 1, self.epochs)
        values = [
            value
            for other in study.get_trials(deepcopy=False)
            if other.number != trial.number and self.bracket(study.study_name, other.number) == bracket
            if other.state == TrialState.COMPLETE or (other.last_step is not None and other.last_step + 1 >= rung)
            if (value := _value_at(other, rung - 1, self.epochs)) is not None
        ]
        if own is None:  # the trial stopped early in the inner fold of this rung
            return False
        n_kept = max(1, (len(values) + 1) // self.reduction_factor)
        return sum(value > own for value in values) >= n_kept

    def bracket(self, name: str, number: int) -> int:
        """Bracket of a trial.

        Parameters
        ----------
        name
            Name of the Optuna study.
        number
            Number of the trial.

        Returns
        -------
        int
            0 for the bracket with the first rung at `min_resource`.
        """
        position = zlib.crc32(f"{name}_{number}".encode()) % sum(self.proportions)
        return next(bracket for bracket, end in enumerate(itertools.accumulate(self.proportions)) if position < end)


def _value_at(trial: FrozenTrial, step: int, epochs: int) -> float | None:
    """Last value of a trial up to a step, within the inner fold of that step; None if it has none there."""
    first = step - step % epochs
    reached = [number for number in trial.intermediate_values if first <= number <= step]
    return trial.intermediate_values[max(reached)] if reached else None


def epoch_pruner(tuning: TrialSettings, epochs: int) -> optuna.pruners.BasePruner:
    """Make the configured pruner, which is applied after each epoch of a trial.

    Parameters
    ----------
    tuning
        Settings of tuning.
    epochs
        Maximum number of epochs of an inner fold.

    Returns
    -------
    optuna.pruners.BasePruner
        Median, successive halving, Hyperband, or one that prunes no trial.
    """
    if tuning.pruner == "median":
        return MedianPruner(tuning.pruner_n_startup_trials, epochs)
    max_epochs = epochs * tuning.inner_folds
    min_resource = min(max(tuning.pruner_n_warmup_epochs, 1), max_epochs)
    if tuning.pruner == "asha":
        return SuccessiveHalvingPruner(min_resource, 4, epochs)
    if tuning.pruner == "hyperband":
        return SuccessiveHalvingPruner(min_resource, 3, epochs, max_epochs)
    return optuna.pruners.NopPruner()


def n_unpruned_epochs(tuning: TrialSettings, training: Training) -> int:
    """Number of epochs at the start of each inner fold in which a trial is not pruned.

    Parameters
    ----------
    tuning
        Settings of tuning.
    training
        Settings of training, with those of the trial.

    Returns
    -------
    int
        The configured number, but no less than the warm-up of the trial's learning rate, whose first epochs say little
        about its last ones.
    """
    return max(tuning.pruner_n_warmup_epochs, warmup_epochs(training))


def worse_than_best(study: optuna.Study, values: list[float], p_threshold: float) -> bool:
    """Whether a trial is worse than the best one on the inner folds so far, by Wilcoxon's signed-rank test.

    Parameters
    ----------
    study
        The Optuna study.
    values
        Values of the trial on its first inner folds.
    p_threshold
        Threshold of the one-sided p value; 0 disables the test. The folds of a study are not independent, so it is a
        setting of the pruner and not an error rate.

    Returns
    -------
    bool
        Whether the trial is worse.
    """
    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state == TrialState.COMPLETE]
    if not p_threshold or not complete:
        return False
    best = max(complete, key=lambda trial: (trial.value, -trial.number))
    # Optuna's pruner compares intermediate values: the inner folds are its steps.
    copy = optuna.create_study(direction="maximize")
    steps = dict(enumerate(best.user_attrs["values"]))
    copy.add_trial(create_trial(value=best.value, intermediate_values=steps))
    trial = create_trial(state=TrialState.RUNNING, intermediate_values=dict(enumerate(values)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        pruner = optuna.pruners.WilcoxonPruner(p_threshold=p_threshold)
    return pruner.prune(copy, trial)
