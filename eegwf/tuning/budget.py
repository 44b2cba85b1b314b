"""Budget of an Optuna study: limits on trials, epochs and minutes, and what its trials have used of them."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import takewhile

from optuna.trial import FrozenTrial, TrialState

from eegwf.config.tuning import Budget

FINISHED_STATES = (TrialState.COMPLETE, TrialState.PRUNED)
ACTIVE_STATES = (TrialState.RUNNING, TrialState.WAITING)
# User attribute of a trial: what the Optuna study had used when the trial started.
USAGE_AT_START = "usage_at_start"
# User attribute of a trial: number of the earlier trial that has the same parameters.
DUPLICATE = "duplicate"
# Number of consecutive duplicates after which the search space is taken to have no other parameter sets.
MAX_CONSECUTIVE_DUPLICATES = 50
# Number of failed trials below which they do not end an Optuna study.
MIN_FAILURES = 5


@dataclass(frozen=True)
class BudgetUsage:
    """What an Optuna study has used of its budget.

    Attributes
    ----------
    trials
        Number of complete, pruned and active trials.
    epochs, seconds
        Epochs and duration of all trials.
    complete
        Number of complete and active trials.
    """

    trials: int = 0
    epochs: int = 0
    seconds: float = 0.0
    complete: int = 0

    @property
    def record(self) -> list[float]:
        """The values in their order, to be stored with a trial."""
        return list(astuple(self))


@dataclass(frozen=True)
class TrialBudget:
    """Budget of an Optuna study, which ends at the first limit reached.

    Attributes
    ----------
    n_best
        Minimum number of complete trials, which takes precedence over the limits.
    limits
        Limits on trials, epochs and minutes.
    """

    n_best: int
    limits: Budget

    def allows_trial(self, usage: BudgetUsage) -> bool:
        """Whether another trial may start after this usage."""
        limits = (
            (usage.trials, self.limits.n_trials),
            (usage.epochs, self.limits.n_epochs),
            (usage.seconds / 60, self.limits.timeout_minutes),
        )
        return usage.complete < self.n_best or not any(limit is not None and value >= limit for value, limit in limits)

    def within(self, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Trials that an Optuna study with this budget would have, of one whose budget may have been larger."""
        return list(takewhile(lambda trial: self.allows_trial(BudgetUsage(*trial.user_attrs[USAGE_AT_START])), trials))


def budget_usage(trials: Sequence[FrozenTrial], seconds: Mapping[int, float]) -> BudgetUsage:
    """Compute what trials have used of the budget.

    Parameters
    ----------
    trials
        Trials of an Optuna study.
    seconds
        Duration of the trials by number; 0 for a missing one.

    Returns
    -------
    BudgetUsage
        Sums over the trials.
    """
    active = [trial for trial in trials if trial.state in ACTIVE_STATES]
    counted = [trial for trial in trials if succeeded(trial)]
    complete = sum(trial.state == TrialState.COMPLETE for trial in counted)
    return BudgetUsage(
        trials=len(counted) + len(active),
        epochs=sum(map(epochs_of, trials)),
        seconds=float(sum(seconds.get(trial.number, 0.0) for trial in trials)),
        complete=complete + len(active),
    )


def succeeded(trial: FrozenTrial) -> bool:
    """Whether the trial is complete or pruned, and not a duplicate."""
    return trial.state in FINISHED_STATES and DUPLICATE not in trial.user_attrs


def epochs_of(trial: FrozenTrial) -> int:
    """Number of epochs of a trial, summed over its inner folds; for an active trial, of those reported so far."""
    return trial.user_attrs.get("epochs", len(trial.intermediate_values))


def exhausted(trials: Sequence[FrozenTrial]) -> bool:
    """Whether the last `MAX_CONSECUTIVE_DUPLICATES` trials are all duplicates."""
    return len(trials) >= MAX_CONSECUTIVE_DUPLICATES and all(
        DUPLICATE in trial.user_attrs for trial in trials[-MAX_CONSECUTIVE_DUPLICATES:]
    )


def mostly_failed(trials: Sequence[FrozenTrial]) -> bool:
    """Whether more trials have failed than succeeded, and at least `MIN_FAILURES`."""
    n_failed = sum(trial.state == TrialState.FAIL for trial in trials)
    return n_failed >= MIN_FAILURES and n_failed > sum(map(succeeded, trials))


def finished(trials: Sequence[FrozenTrial], budget: TrialBudget, seconds: Mapping[int, float]) -> bool:
    """Whether no trial is active and no other trial may start.

    Parameters
    ----------
    trials
        Trials of an Optuna study.
    budget
        Its budget.
    seconds
        Duration of the trials by number.

    Returns
    -------
    bool
        Whether the Optuna study is finished.
    """
    if any(trial.state in ACTIVE_STATES for trial in trials):
        return False
    return exhausted(trials) or not budget.allows_trial(budget_usage(trials, seconds))
