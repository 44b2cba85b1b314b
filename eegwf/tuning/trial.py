"""A trial: a training on each inner fold, resumed from checkpoints after a kill."""

import time
from collections.abc import Callable
from pathlib import Path

import optuna
from optuna.trial import Trial, TrialState

from eegwf.compute.device import device_name, effective_precision
from eegwf.data.splits import split
from eegwf.seeds import seed_of
from eegwf.training.concurrency import Turns
from eegwf.training.console import Console
from eegwf.training.cost_record import record_cost
from eegwf.training.history import EpochCallback, History
from eegwf.training.loop import TrainingResult, max_epochs, split_parameters, training_turns
from eegwf.training.sampling import epoch_size
from eegwf.training.schedule import best_epoch, score
from eegwf.tuning.pruning import n_unpruned_epochs, worse_than_best
from eegwf.tuning.task import TuningTask


def trial_turns(
    study: optuna.Study,
    trial: Trial,
    task: TuningTask,
    folder: Path,
    console: Console,
    clock: Callable[[], float] = time.monotonic,
) -> Turns[None]:
    """Train a trial on each inner fold, and set its value and state in the Optuna study.

    Parameters
    ----------
    study
        The Optuna study.
    trial
        Trial that this process has claimed, with its parameters.
    task
        Model, data and settings.
    folder
        State folder, for the checkpoints.
    console
        Log messages of the job.
    clock
        Time of the trial in seconds, by which its cost is recorded.

    Yields
    ------
    None
        Where another trial of this process may continue.

    Raises
    ------
    Exception
        If a training fails; see `eegwf.tuning.failures.caused_by_parameters`. The trial is still running then.
    """
    try:
        value = yield from _value(study, trial, task, folder, console, clock)
        study.tell(trial, value)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    remove_checkpoints(folder, trial.number)


def remove_checkpoints(folder: Path, number: int) -> None:
    """Remove the checkpoints of a trial.

    Parameters
    ----------
    folder
        State folder.
    number
        Number of the trial.
    """
    for checkpoint in folder.glob(f"trial{number}.*.safetensors"):
        checkpoint.unlink(missing_ok=True)


def _value(
    study: optuna.Study,
    trial: Trial,
    task: TuningTask,
    folder: Path,
    console: Console,
    clock: Callable[[], float],
) -> Turns[float]:
    """Train on each inner fold; return the mean of their values."""
    values: list[float] = []
    epochs = 0
    for inner in task.inner_folds:
        result = yield from _train(study, trial, task, inner, folder, values, epochs, console, clock)
        values.append(result.value)
        epochs += len(result.history)
        trial.set_user_attr("values", values)
        trial.set_user_attr("epochs", epochs)
        last = inner == task.tuning.inner_folds
        if not last and worse_than_best(study, values, task.tuning.wilcoxon_p_threshold):
            raise optuna.TrialPruned
    return sum(values) / len(values)


def _train(
    study: optuna.Study,
    trial: Trial,
    task: TuningTask,
    inner: int,
    folder: Path,
    values: list[float],
    epochs: int,
    console: Console,
    clock: Callable[[], float],
) -> Turns[TrainingResult]:
    parameters = {**task.space.fixed, **trial.params}
    parts = split(task.window_set, task.test_fold, inner)
    n_windows = epoch_size(parts.train.label, task.training.class_balance)
    title = f"trial {trial.number}" + (f", inner fold {inner}" if task.tuning.inner_folds > 1 else "")
    log_epoch = console.training(title, max_epochs(task.model, parameters, task.training), n_windows)
    device = device_name(task.device)
    settings, _ = split_parameters(parameters, task.training)
    trial.set_user_attr("device", device)
    trial.set_user_attr("precision", effective_precision(task.device, settings.precision))
    with record_cost(folder, trial.number, n_windows, device, log_epoch, clock) as on_trained_epoch:
        return (
            yield from training_turns(
                task.model,
                task.dataset,
                parts,
                parameters,
                task.training,
                seed=seed_of(task.seed, task.name, "trial", trial.number, inner),
                device=task.device,
                initial=task.initial,
                checkpoint=folder / f"trial{trial.number}.inner{inner}.safetensors",
                on_epoch=_reporter(study, trial, task, values, epochs),
                on_trained_epoch=on_trained_epoch,
                clock=clock,
            )
        )


def _reporter(study: optuna.Study, trial: Trial, task: TuningTask, values: list[float], epochs: int) -> EpochCallback:
    """Make the callback that reports the mean of the inner folds' best scores after each epoch, and prunes."""
    settings, _ = split_parameters({**task.space.fixed, **trial.params}, task.training)
    n_unpruned = n_unpruned_epochs(task.tuning, settings)
    last_reported = max(study.get_trials(deepcopy=False)[trial.number].intermediate_values, default=-1)

    def report(history: History) -> None:
        best = score(history[best_epoch(history, settings)], settings)
        step = len(values) * settings.epochs + len(history) - 1
        if step < last_reported:  # the trial is resumed, and was not pruned at this step
            return
        if step > last_reported:
            trial.report(sum([*values, best]) / (len(values) + 1), step)
        if len(history) > n_unpruned and trial.should_prune():
            trial.set_user_attr("values", [*values, best])
            trial.set_user_attr("epochs", epochs + len(history))
            raise optuna.TrialPruned

    return report
