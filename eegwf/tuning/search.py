"""Search of hyperparameters: a worker runs trials until the budget of the Optuna study is used."""

import logging
import time
from pathlib import Path

import optuna
from optuna.trial import TrialState

from eegwf.training.concurrency import Concurrency, Turns
from eegwf.training.console import Console
from eegwf.training.memory_errors import free_gpu_memory, lacks_memory
from eegwf.training.trainer import Diverged
from eegwf.tuning.budget import succeeded
from eegwf.tuning.claims import Claim, claim_trial
from eegwf.tuning.failures import caused_by_parameters, fail_trial, mark_stopped, was_killed
from eegwf.tuning.journal import open_study
from eegwf.tuning.pruning import epoch_pruner
from eegwf.tuning.task import TuningTask
from eegwf.tuning.trial import remove_checkpoints, trial_turns
from eegwf.tuning.trials_at_once import trials_at_once

logger = logging.getLogger(__name__)


def search(task: TuningTask, folder: Path) -> None:
    """Run trials until none is left to claim; other workers may still be running the last ones.

    Parameters
    ----------
    task
        Model, data, settings and budget. Its windows must not include the test fold.
    folder
        State folder, shared by the workers of the Optuna study: its journal and the checkpoints of running trials.

    Raises
    ------
    InputError
        If most trials fail, or the search space has fewer distinct parameter sets than `retrain.n_best`.
    """
    if (task.window_set.fold == task.test_fold).any():
        raise AssertionError("the windows for tuning include the test fold")
    _Worker(task, folder).run()


class _Worker:
    """A process that runs trials of an Optuna study, one or several at once."""

    def __init__(self, task: TuningTask, folder: Path):
        self.task, self.folder = task, folder
        self.console = Console(task.name)
        self.study = open_study(folder, task.name, epoch_pruner(task.tuning, task.training.epochs))
        self.concurrency = Concurrency(task.device, trials_at_once(task, folder))
        self.started, self.n_ended = time.monotonic(), 0
        self.postponed: Turns[None] | None = None

    def run(self) -> None:
        try:
            self.concurrency.run(self._start)
        finally:
            if self.postponed:
                self.postponed.close()

    def _start(self) -> Turns[None] | None:
        """Start a trial. One that may have ended its worker runs alone, so that it ends no other trial."""
        if self.postponed is None:
            claim = claim_trial(self.study, self.task, self.folder)
            if claim is None:
                return None
            turns = self._run(claim)
            next(turns)
            self.concurrency.one_at_a_time = was_killed(claim.trial)
            if not (self.concurrency.one_at_a_time and self.concurrency.n_running):
                return turns
            self.postponed = turns
        if self.concurrency.n_running:
            return None
        turns, self.postponed = self.postponed, None
        return turns

    def _run(self, claim: Claim) -> Turns[None]:
        """Run a claimed trial; one that lacked memory beside others is left to be claimed again."""
        trial, failure, repeat = claim.trial, "", False
        with claim.held():
            yield  # after the start, so that the trial is released whatever happens
            try:
                yield from trial_turns(self.study, trial, self.task, self.folder, self.console, self.concurrency.clock)
            except (Diverged, MemoryError, RuntimeError, ValueError) as error:
                repeat = lacks_memory(error) and self.concurrency.lower_limit()
                if not (repeat or caused_by_parameters(error)):
                    raise
                failure = " ".join(f"{type(error).__name__}: {error}".split())
            if failure:
                free_gpu_memory()
            if repeat:
                mark_stopped(self.folder, trial.number)
                logger.warning("trial %d lacked memory and is run again beside fewer others: %s", trial.number, failure)
                return
            if failure:
                fail_trial(self.study, trial, failure)
                remove_checkpoints(self.folder, trial.number)
        self.n_ended += 1
        self.console.log(_progress(self.study, self.task, (time.monotonic() - self.started) / self.n_ended))


def _progress(study: optuna.Study, task: TuningTask, seconds_per_trial: float) -> str:
    trials = study.get_trials(deepcopy=False)
    n_finished = sum(map(succeeded, trials))
    values = [trial.value for trial in trials if trial.state == TrialState.COMPLETE and trial.value is not None]
    best = f"best value {max(values):.3f}" if values else "no complete trial"
    n_trials = task.budget.limits.n_trials
    if n_trials is None:
        return f"{n_finished} trials finished, {best}"
    # An upper bound: the trials of other workers are not taken into account.
    left = int(max(n_trials - n_finished, 0) * seconds_per_trial)
    return f"{n_finished} of {n_trials} trials finished, {best}, at most {left // 60}:{left % 60:02d} left"
