"""Search of hyperparameters: a worker runs trials until the budget of the Optuna study is used."""

import time
from pathlib import Path

import optuna
from optuna.trial import TrialState

from eegwf.training.console import Console
from eegwf.tuning.budget import succeeded
from eegwf.tuning.claims import claim_trial
from eegwf.tuning.journal import open_study
from eegwf.tuning.pruning import epoch_pruner
from eegwf.tuning.task import TuningTask
from eegwf.tuning.trial import run_trial


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
    console = Console(task.name)
    pruner = epoch_pruner(task.tuning, task.training.epochs)
    study = open_study(folder, task.name, pruner)
    started, n_trials = time.monotonic(), 0
    while True:
        with claim_trial(study, task, folder) as trial:
            if trial is None:
                return
            run_trial(study, trial, task, folder, console)
        n_trials += 1
        console.log(_progress(study, task, (time.monotonic() - started) / n_trials))


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
