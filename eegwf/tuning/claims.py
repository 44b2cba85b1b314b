"""Who runs which trial: each by one living worker, none lost with a dead one, none twice."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import optuna
from optuna.trial import Trial, TrialState

from eegwf.errors import InputError
from eegwf.seeds import seed_of
from eegwf.storage.locks import held, try_lock
from eegwf.training.cost_record import read_ledger
from eegwf.tuning.budget import BEFORE, DUPLICATE, ENDED, exhausted, mostly_failed, spent
from eegwf.tuning.proposals import draw, make_sampler, starting_set
from eegwf.tuning.space import canonical, suggest
from eegwf.tuning.task import Task


@contextmanager
def claimed(study: optuna.Study, task: Task, folder: Path) -> Iterator[Trial | None]:
    """Claim a trial for this process: one that a dead worker left, or else a new one; None if none is to begin.

    A worker holds the lock of its trial as long as it lives. A trial that runs although nobody holds its lock was left
    by a dead worker: it goes on under its number, from its last checkpoint.

    Raises
    ------
    InputError
        If most trials fail, or the space has too few distinct sets.
    """
    # One worker at a time looks and decides, so that the trials are as many as the budget has.
    with held(folder, "claim.lock", say=None):
        lock, trial = _claim(study, task, folder)
        if trial is None:
            _sweep(study, folder)
    try:
        yield trial
    finally:
        if trial is not None:
            # While the lock is held, so that whoever finds no file finds no running trial either.
            if study._storage.get_trial(trial._trial_id).state.is_finished():
                with suppress(FileNotFoundError):
                    _lock_of(folder, trial.number).unlink()
            os.close(lock)


def _claim(study: optuna.Study, task: Task, folder: Path) -> tuple[int, Trial] | tuple[None, None]:
    """A trial that is no duplicate, and its lock."""
    while True:
        lock, trial = _orphan(study, folder)
        if trial is None:
            lock, trial = _begin(study, task, folder)
        if trial is None:
            return None, None
        suggest(trial, task.space)
        twin = _twin(study, trial, task)
        if twin is None:
            return lock, trial
        trial.set_user_attr(DUPLICATE, twin)
        study.tell(trial, state=TrialState.PRUNED)
        _lock_of(folder, trial.number).unlink(missing_ok=True)
        os.close(lock)


def _sweep(study: optuna.Study, folder: Path) -> None:
    """Remove what a worker left that died between the end of its trial and its own sweeping."""
    for trial in study.get_trials(deepcopy=False):
        if trial.state.is_finished():
            for left in (_lock_of(folder, trial.number), *folder.glob(f"trial{trial.number}.*.safetensors")):
                left.unlink(missing_ok=True)


def _lock_of(folder: Path, number: int) -> Path:
    return folder / f"trial{number}.lock"


def _orphan(study: optuna.Study, folder: Path) -> tuple[int, Trial] | tuple[None, None]:
    """A trial that a dead worker left."""
    for left in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        lock = try_lock(_lock_of(folder, left.number))
        if lock is None:
            continue
        # Its worker may have ended it between the look and the lock.
        if study._storage.get_trial(left._trial_id).state == TrialState.RUNNING:
            return lock, Trial(study, left._trial_id)
        _lock_of(folder, left.number).unlink(missing_ok=True)
        os.close(lock)
    return None, None


def _begin(study: optuna.Study, task: Task, folder: Path) -> tuple[int, Trial] | tuple[None, None]:
    """A new trial, if the budget has one left.

    A trial enters the journal with its whole parameter set in one record: no kill can leave half a set, whose rest
    would be drawn by a sampler that has lost its place.
    """
    trials = study.get_trials(deepcopy=False)
    so_far = spent(trials, read_ledger(folder).groupby("what")["seconds"].sum())
    _check(trials, task)
    if not any(trial.state == TrialState.WAITING for trial in trials):
        if not task.budget.open(so_far) or exhausted(trials):
            return None, None
        seed = seed_of(task.seed, task.name, "sampler", len(trials)) % 2**32
        given = starting_set(task.model, task.space, task.training, len(trials))
        drawn = draw(trials, make_sampler(task.tuning, seed), task.space, given)
        study.enqueue_trial(drawn, user_attrs={BEFORE: so_far.record})
    trial = study.ask()
    return try_lock(_lock_of(folder, trial.number)), trial


def _twin(study: optuna.Study, trial: Trial, task: Task) -> int | None:
    """Number of the earlier trial that has, or is trying, the same parameters."""
    own = canonical({**task.space.fixed, **trial.params})
    for other in study.get_trials(deepcopy=False)[: trial.number]:
        tried = other.state in (*ENDED, TrialState.RUNNING) and DUPLICATE not in other.user_attrs
        if tried and canonical({**task.space.fixed, **other.params}) == own:
            return other.number
    return None


def _check(trials: list[optuna.trial.FrozenTrial], task: Task) -> None:
    if mostly_failed(trials):
        failed = [trial for trial in trials if trial.state == TrialState.FAIL]
        reason = failed[-1].user_attrs.get("reason", "unknown")
        raise InputError(f"{task.name}: {len(failed)} of {len(trials)} trials failed, the last one: {reason}")
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if exhausted(trials) and len(complete) < task.budget.top:
        raise InputError(
            f"{task.name}: the search space gave {len(complete)} distinct sets in {len(trials)} trials, "
            f"retrain.top asks for {task.budget.top}; widen models.{task.model}.search or lower retrain.top"
        )
