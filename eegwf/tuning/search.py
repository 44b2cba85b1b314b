"""The search: a worker runs one trial after another until the study has no more to begin."""

import time
from pathlib import Path

import optuna
from optuna.trial import TrialState

from eegwf.training.console import Console
from eegwf.tuning.budget import ended_well
from eegwf.tuning.claims import claimed
from eegwf.tuning.journal import open_study
from eegwf.tuning.pruning import epoch_pruner
from eegwf.tuning.task import Task
from eegwf.tuning.trial import run_trial


def search(task: Task, folder: Path) -> None:
    """Work on a study until nothing is left to begin: other workers may still be running its last trials.

    Parameters
    ----------
    task
        What to tune; its cohort must not hold windows of the test fold.
    folder
        State folder, shared by the study's workers: the journal and the checkpoints of running trials.

    Raises
    ------
    InputError
        If most trials fail, or the space has too few distinct sets for `retrain.top`.
    """
    if (task.cohort.fold == task.test_fold).any():
        raise AssertionError("tuning was handed windows of the test fold")
    console = Console(task.name)
    pruner = epoch_pruner(task.tuning, task.training.epochs * task.tuning.inner_folds)
    study = open_study(folder, task.name, pruner)
    started, own = time.monotonic(), 0
    while True:
        with claimed(study, task, folder) as trial:
            if trial is None:
                return
            run_trial(study, trial, task, folder, console)
        own += 1
        console.line(_progress(study, task, (time.monotonic() - started) / own))


def _progress(study: optuna.Study, task: Task, each: float) -> str:
    trials = study.get_trials(deepcopy=False)
    ended = sum(map(ended_well, trials))
    complete = [trial.value for trial in trials if trial.state == TrialState.COMPLETE]
    best = f"best {max(complete):.3f}" if complete else "no value yet"
    if task.budget.trials is None:
        return f"trial {ended}, {best}"
    # As if this worker were alone; others make it less.
    left = max(task.budget.trials - ended, 0) * each
    return f"trial {ended} of {task.budget.trials}, {best}, {int(left) // 60}:{int(left) % 60:02d} left at most"
