"""Pruning of trials: by epoch, and by inner fold."""

import statistics
import warnings

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
        values = [value for other in finished if (value := self._value_at(other, step)) is not None]
        return bool(values) and trial.intermediate_values[step] < statistics.median(values)

    def _value_at(self, trial: FrozenTrial, step: int) -> float | None:
        """Last value of a trial up to a step, within the inner fold of that step."""
        first = step - step % self.epochs
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

    Notes
    -----
    Successive halving is asynchronous (ASHA, Li et al. 2020). Hyperband (Li et al. 2018) applies it in brackets with
    different minimum resources, and draws the parameters of each bracket from the trials of that bracket alone.
    """
    if tuning.pruner == "median":
        return MedianPruner(tuning.pruner_n_startup_trials, epochs)
    max_epochs = epochs * tuning.inner_folds
    # Steps count from 0: as with the median, a trial may be pruned from the first epoch after the warm-up on.
    min_resource = min(max(tuning.pruner_n_warmup_epochs, 1), max_epochs)
    if tuning.pruner == "asha":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=min_resource)
    if tuning.pruner == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=min_resource, max_resource=max_epochs)
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
