"""Assignment of trials to workers: each trial has one worker, also if workers are killed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from eegwf.errors import InputError
from eegwf.seeds import seed_of
from eegwf.storage.locks import exclusive_lock, try_lock
from eegwf.training.cost_record import read_costs, seconds_per_unit
from eegwf.tuning.budget import DUPLICATE, FINISHED_STATES, USAGE_AT_START, budget_usage, exhausted, mostly_failed
from eegwf.tuning.failures import fail_trial, has_killed_its_workers, mark_stopped
from eegwf.tuning.proposals import draw, make_sampler, starting_set
from eegwf.tuning.space import canonical, suggest
from eegwf.tuning.task import TuningTask
from eegwf.tuning.trial import remove_checkpoints


@dataclass(frozen=True)
class Claim:
    """A trial that this process runs: it holds the lock of the trial.

    Attributes
    ----------
    study
        The Optuna study.
    folder
        State folder of the Optuna study.
    trial
        The trial.
    lock
        Descriptor of its lock.
    """

    study: optuna.Study
    folder: Path
    trial: Trial
    lock: int

    @contextmanager
    def held(self) -> Iterator[None]:
        """Release the trial at the end of the context; an unfinished one may then be claimed again."""
        try:
            yield
        except (SystemExit, KeyboardInterrupt, GeneratorExit, OSError, InputError):
            # Not the fault of the trial. On a full disk the mark can't be written either.
            with suppress(OSError):
                mark_stopped(self.folder, self.trial.number)
            raise
        finally:
            self.release(finished=self.study._storage.get_trial(self.trial._trial_id).state.is_finished())

    def release(self, finished: bool) -> None:
        """Release the lock, and remove its file if the trial is finished."""
        # The file is removed before the lock is released: a running trial always has its file.
        if finished:
            _lock_file(self.folder, self.trial.number).unlink(missing_ok=True)
        os.close(self.lock)


def claim_trial(study: optuna.Study, task: TuningTask, folder: Path) -> Claim | None:
    """Claim a trial for this process: one that a killed worker has left, else a new one.

    A worker holds the lock of its trial while its process exists. A running trial whose lock is free was left by a
    killed worker; it is resumed under its number, from its last checkpoint.

    Parameters
    ----------
    study
        The Optuna study.
    task
        Model, data, settings and budget.
    folder
        State folder of the Optuna study.

    Returns
    -------
    Claim or None
        None if no trial is left to claim and the budget allows no new one.

    Raises
    ------
    InputError
        If most trials failed, or the search space has too few distinct parameter sets.
    """
    # One worker claims at a time, so that the budget is not exceeded.
    with exclusive_lock(folder, "claim.lock", wait_message=None):
        claim = _claim(study, task, folder)
        if claim is None:
            _remove_stale_files(study, folder)
    return claim


def _claim(study: optuna.Study, task: TuningTask, folder: Path) -> Claim | None:
    """Claim trials until one is not a duplicate."""
    while True:
        claim = _adopt_orphaned_trial(study, task, folder) or _start_trial(study, task, folder)
        if claim is None:
            return None
        trial = claim.trial
        suggest(trial, task.space)
        duplicate = _find_duplicate(study, trial, task)
        if duplicate is None:
            return claim
        trial.set_user_attr(DUPLICATE, duplicate)
        study.tell(trial, state=TrialState.PRUNED)
        claim.release(finished=True)


def _remove_stale_files(study: optuna.Study, folder: Path) -> None:
    """Remove the files of finished trials whose worker was killed before it removed them."""
    for trial in study.get_trials(deepcopy=False):
        if trial.state.is_finished():
            remove_checkpoints(folder, trial.number)
            _lock_file(folder, trial.number).unlink(missing_ok=True)


def _lock_file(folder: Path, number: int) -> Path:
    return folder / f"trial{number}.lock"


def _adopt_orphaned_trial(study: optuna.Study, task: TuningTask, folder: Path) -> Claim | None:
    """Claim a trial that a killed worker has left; one that has killed several is failed."""
    for running in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        lock = try_lock(_lock_file(folder, running.number))
        if lock is None:
            continue
        # Its worker may have finished it after the trials were read and before the lock was free.
        if study._storage.get_trial(running._trial_id).state == TrialState.RUNNING:
            trial = Trial(study, running._trial_id)
            limit = task.tuning.max_killed_workers
            if not has_killed_its_workers(trial, running, folder, limit):
                return Claim(study, folder, trial, lock)
            fail_trial(study, trial, f"{limit} workers ended in its epoch {len(running.intermediate_values) + 1}")
        _lock_file(folder, running.number).unlink(missing_ok=True)
        os.close(lock)
    return None


def _start_trial(study: optuna.Study, task: TuningTask, folder: Path) -> Claim | None:
    """Start a new trial, if the budget allows it.

    A trial enters the journal with all its parameters in one record. Otherwise a kill could leave some of them, and the
    sampler would draw the others from another state of its generator.
    """
    trials = study.get_trials(deepcopy=False)
    usage = budget_usage(trials, seconds_per_unit(read_costs(folder)))
    _check_trials(trials, task)
    if not any(trial.state == TrialState.WAITING for trial in trials):
        if not task.budget.allows_trial(usage) or exhausted(trials):
            return None
        seed = seed_of(task.seed, task.name, "sampler", len(trials)) % 2**32
        given = starting_set(task.model, task.space, task.training, len(trials))
        parameters = draw(trials, make_sampler(task.tuning, seed), task.space, given)
        study.enqueue_trial(parameters, user_attrs={USAGE_AT_START: usage.record})
    trial = study.ask()
    lock = try_lock(_lock_file(folder, trial.number))
    if lock is None:
        raise AssertionError(f"another process holds the lock of the new trial {trial.number}")
    return Claim(study, folder, trial, lock)


def _find_duplicate(study: optuna.Study, trial: Trial, task: TuningTask) -> int | None:
    """Number of an earlier trial with the same parameters that is running, complete or pruned."""
    parameters = canonical({**task.space.fixed, **trial.params})
    for earlier in study.get_trials(deepcopy=False)[: trial.number]:
        tried = earlier.state in (*FINISHED_STATES, TrialState.RUNNING) and DUPLICATE not in earlier.user_attrs
        if tried and canonical({**task.space.fixed, **earlier.params}) == parameters:
            return earlier.number
    return None


def _check_trials(trials: list[FrozenTrial], task: TuningTask) -> None:
    """Raise an error if most trials failed, or the search space has too few distinct parameter sets."""
    if mostly_failed(trials):
        failed = [trial for trial in trials if trial.state == TrialState.FAIL]
        reason = failed[-1].user_attrs.get("reason", "unknown")
        raise InputError(f"{task.name}: {len(failed)} of {len(trials)} trials failed, the last one: {reason}")
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if exhausted(trials) and len(complete) < task.budget.n_best:
        raise InputError(
            f"{task.name}: {len(complete)} distinct parameter sets are complete after {len(trials)} trials, "
            f"retrain.n_best is {task.budget.n_best}; widen models.{task.model}.search or lower retrain.n_best"
        )
