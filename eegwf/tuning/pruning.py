"""Pruning of trials: by epoch, and by inner fold."""

import warnings

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState, create_trial

from eegwf.config.tuning import TrialSettings


def epoch_pruner(tuning: TrialSettings, max_epochs: int) -> optuna.pruners.BasePruner:
    """Make the configured pruner, which is applied after each epoch of a trial.

    Parameters
    ----------
    tuning
        Settings of tuning.
    max_epochs
        Maximum number of epochs of a trial, summed over its inner folds.

    Returns
    -------
    optuna.pruners.BasePruner
        Median, Hyperband, or one that prunes no trial.

    Notes
    -----
    Median: Golovin et al. 2017 (Vizier). Hyperband: Li et al. 2018, with asynchronous successive halving.
    """
    if tuning.pruner == "median":
        return optuna.pruners.MedianPruner(
            n_startup_trials=tuning.pruner_n_startup_trials,
            n_warmup_steps=tuning.pruner_n_warmup_epochs,
            n_min_trials=1,
        )
    if tuning.pruner == "hyperband":
        # Steps count from 0: as with the median, a trial may be pruned from the first epoch after the warm-up on.
        min_resource = min(max(tuning.pruner_n_warmup_epochs, 1), max_epochs)
        return optuna.pruners.HyperbandPruner(min_resource=min_resource, max_resource=max_epochs)
    return optuna.pruners.NopPruner()


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
