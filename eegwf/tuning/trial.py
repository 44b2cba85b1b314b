"""One trial: a training on each inner fold, resumable at any instant, and how it ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.trial import Trial, TrialState

from eegwf.compute.device import device_name
from eegwf.data.splits import split
from eegwf.seeds import seed_of
from eegwf.training.console import Console
from eegwf.training.cost_record import spending
from eegwf.training.loop import Trained, most_epochs, train
from eegwf.training.sampling import epoch_size
from eegwf.training.schedule import best_epoch, score
from eegwf.training.trainer import Diverged
from eegwf.tuning.pruning import worse_than_best
from eegwf.tuning.task import Task

# What torch says, in a plain RuntimeError, when the host has no memory left.
NO_MEMORY = ("can't allocate memory", "not enough memory")


def run_trial(study: optuna.Study, trial: Trial, task: Task, folder: Path, console: Console) -> None:
    """Train a trial on each inner fold; what it reports and how it ends is told to the study."""
    checkpoints = [folder / f"trial{trial.number}.inner{inner}.safetensors" for inner in task.inner_folds]
    values: list[float] = []
    epochs = 0
    try:
        for inner, checkpoint in zip(task.inner_folds, checkpoints, strict=True):
            trained = _train(study, trial, task, inner, checkpoint, values, epochs, console)
            values.append(trained.value)
            epochs += len(trained.history)
            trial.set_user_attr("values", values)
            trial.set_user_attr("epochs", epochs)
            last = inner == task.tuning.inner_folds
            if not last and worse_than_best(study, values, task.tuning.pruning_folds):
                raise optuna.TrialPruned
        study.tell(trial, sum(values) / len(values))
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except (Diverged, MemoryError, RuntimeError, ValueError) as error:
        if not _is_the_sets_fault(error):
            raise
        trial.set_user_attr("reason", " ".join(f"{type(error).__name__}: {error}".split()))
        study.tell(trial, state=TrialState.FAIL)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    for checkpoint in checkpoints:
        checkpoint.unlink(missing_ok=True)


def _is_the_sets_fault(error: Exception) -> bool:
    """Whether other parameters may do better: it diverged, did not fit into memory, or does not agree."""
    if isinstance(error, Diverged | MemoryError | ValueError | torch.OutOfMemoryError):
        return True
    return any(words in str(error) for words in NO_MEMORY)


def _train(
    study: optuna.Study,
    trial: Trial,
    task: Task,
    inner: int,
    checkpoint: Path,
    values: list[float],
    epochs: int,
    console: Console,
) -> Trained:
    parameters = {**task.space.fixed, **trial.params}
    parts = split(task.cohort, task.test_fold, inner)
    n_windows = epoch_size(parts.train.label, task.training.balance)
    what = f"trial {trial.number}" + (f", inner fold {inner}" if task.tuning.inner_folds > 1 else "")
    say = console.training(what, most_epochs(task.model, parameters, task.training), n_windows)
    with spending(checkpoint.parent, trial.number, n_windows, device_name(task.device), say) as epoch_done:
        return train(
            task.model,
            task.inputs,
            parts,
            parameters,
            task.training,
            seed=seed_of(task.seed, task.name, "trial", trial.number, inner),
            device=task.device,
            checkpoint=checkpoint,
            on_epoch=_reporter(study, trial, task, values, epochs),
            say=epoch_done,
        )


def _reporter(
    study: optuna.Study, trial: Trial, task: Task, values: list[float], epochs: int
) -> Callable[[list[dict[str, Any]]], None]:
    """Report the mean of the inner folds' best scores so far, by epoch, and prune."""
    settings = task.training
    known = max(study.get_trials(deepcopy=False)[trial.number].intermediate_values, default=-1)

    def report(history: list[dict[str, Any]]) -> None:
        best = score(history[best_epoch(history, settings)], settings)
        step = len(values) * settings.epochs + len(history) - 1
        if step < known:  # of a resumed trial; the pruner, which looks at the last step, has let it pass
            return
        if step > known:
            trial.report(sum([*values, best]) / (len(values) + 1), step)
        if trial.should_prune():
            trial.set_user_attr("values", [*values, best])
            trial.set_user_attr("epochs", epochs + len(history))
            raise optuna.TrialPruned

    return report
