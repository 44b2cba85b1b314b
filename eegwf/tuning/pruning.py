"""Which trials are not worth their end: by their epochs, and by their inner folds."""

import warnings

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState, create_trial

from eegwf.config.tuning import Tuning


def epoch_pruner(tuning: Tuning, max_epochs: int) -> optuna.pruners.BasePruner:
    """The pruner that looks at a trial after each epoch.

    Parameters
    ----------
    tuning
        Settings.
    max_epochs
        Most epochs of a trial, its inner folds together.

    Notes
    -----
    Median: Golovin et al. 2017 (Vizier). Hyperband: Li et al. 2018, as asynchronous rounds of halving.
    """
    if tuning.pruning == "median":
        return optuna.pruners.MedianPruner(
            n_startup_trials=tuning.pruning_startup, n_warmup_steps=tuning.pruning_warmup, n_min_trials=1
        )
    if tuning.pruning == "hyperband":
        # Steps count from 0: as with the median, the first epoch that may be the last is that after the warm-up.
        least = min(max(tuning.pruning_warmup, 1), max_epochs)
        return optuna.pruners.HyperbandPruner(min_resource=least, max_resource=max_epochs)
    return optuna.pruners.NopPruner()


def worse_than_best(study: optuna.Study, values: list[float], level: float) -> bool:
    """Whether a trial with these values on its first inner folds is worse than the best one, fold against fold.

    By Wilcoxon's signed-rank test, one-sided; folds of one study are not independent, so `level` is a dial and not an
    error rate.
    """
    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state == TrialState.COMPLETE]
    if not level or not complete:
        return False
    best = max(complete, key=lambda trial: (trial.value, -trial.number))
    shadow = optuna.create_study(direction="maximize")
    steps = dict(enumerate(best.user_attrs["values"]))
    shadow.add_trial(create_trial(value=best.value, intermediate_values=steps))
    trial = create_trial(state=TrialState.RUNNING, intermediate_values=dict(enumerate(values)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        pruner = optuna.pruners.WilcoxonPruner(p_threshold=level)
    return pruner.prune(shadow, trial)
