"""When a study ends: a number of trials, of epochs, of minutes, and what each trial found spent when it began."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import takewhile

from optuna.trial import FrozenTrial, TrialState

from eegwf.config.tuning import Tuning

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
GOING = (TrialState.RUNNING, TrialState.WAITING)
BEFORE = "before"  # user attribute: what was spent when the trial began
DUPLICATE = "duplicate"  # user attribute: number of the trial that has the same parameters
EXHAUSTED = 50  # duplicates in a row, after which a space is taken to have no other sets
FEW = 5  # failed trials that may be bad luck


@dataclass(frozen=True)
class Spent:
    """What a study has spent: trials ended well or going on, epochs, seconds; and those complete or yet to be so."""

    trials: int = 0
    epochs: int = 0
    seconds: float = 0.0
    complete: int = 0

    @property
    def record(self) -> list[float]:
        """As it is kept with a trial."""
        return list(astuple(self))


@dataclass(frozen=True)
class Budget:
    """Where a study ends: at the first of its limits, but not before `top` trials are complete."""

    top: int
    trials: int | None = None
    epochs: int | None = None
    minutes: float | None = None

    @classmethod
    def of(cls, tuning: Tuning, top: int) -> "Budget":
        """The budget of a configuration."""
        return cls(top, tuning.trials, tuning.epochs, tuning.minutes)

    def open(self, spent: Spent) -> bool:
        """Whether another trial may begin."""
        limits = (
            (spent.trials, self.trials),
            (spent.epochs, self.epochs),
            (spent.seconds / 60, self.minutes),
        )
        return spent.complete < self.top or not any(limit is not None and value >= limit for value, limit in limits)

    def within(self, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """The trials that a fresh study with this budget would hold, of one that may have had a larger one."""
        return list(takewhile(lambda trial: self.open(Spent(*trial.user_attrs[BEFORE])), trials))


def spent(trials: Sequence[FrozenTrial], seconds: Mapping[int, float]) -> Spent:
    """What these trials took; `seconds` of each trial by number."""
    going = [trial for trial in trials if trial.state in GOING]
    ended = [trial for trial in trials if ended_well(trial)]
    complete = sum(trial.state == TrialState.COMPLETE for trial in ended)
    return Spent(
        trials=len(ended) + len(going),
        epochs=sum(map(epochs_of, trials)),
        seconds=float(sum(seconds.get(trial.number, 0.0) for trial in trials)),
        complete=complete + len(going),
    )


def ended_well(trial: FrozenTrial) -> bool:
    """Whether the trial counts: complete or pruned, and no duplicate."""
    return trial.state in ENDED and DUPLICATE not in trial.user_attrs


def epochs_of(trial: FrozenTrial) -> int:
    """Epochs of a trial, of all its inner folds; of one that is going on, those it has told of."""
    return trial.user_attrs.get("epochs", len(trial.intermediate_values))


def exhausted(trials: Sequence[FrozenTrial]) -> bool:
    """Whether the last proposals were all duplicates."""
    return len(trials) >= EXHAUSTED and all(DUPLICATE in trial.user_attrs for trial in trials[-EXHAUSTED:])


def mostly_failed(trials: Sequence[FrozenTrial]) -> bool:
    """Whether more trials have failed than ended well, and not just a few."""
    failed = sum(trial.state == TrialState.FAIL for trial in trials)
    return failed >= FEW and failed > sum(map(ended_well, trials))


def finished(trials: Sequence[FrozenTrial], budget: Budget, seconds: Mapping[int, float]) -> bool:
    """Whether no trial is going on and none is to begin."""
    if any(trial.state in GOING for trial in trials):
        return False
    return exhausted(trials) or not budget.open(spent(trials, seconds))
