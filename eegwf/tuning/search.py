"""The search: trials one after another, each seeded by its number, resumable at any instant."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.trial import FrozenTrial, Trial, TrialState

from eegwf.config.training import Retrain, Training
from eegwf.config.tuning import Model, Tuning
from eegwf.errors import InputError
from eegwf.seeds import seed_of
from eegwf.training.cohort import Cohort, split
from eegwf.training.console import Console
from eegwf.training.inputs import Inputs
from eegwf.training.loop import most_epochs, train
from eegwf.training.sampling import epoch_size
from eegwf.training.schedule import best_epoch, score
from eegwf.training.trainer import Diverged
from eegwf.tuning.journal import open_study
from eegwf.tuning.space import canonical, draw, suggest

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Task:
    """What a study tunes: a model on the windows that it may see.

    Attributes
    ----------
    name
        Name of the study, such as `vit_mel_3class_fold1`.
    model
        Name in the registry.
    space
        Fixed parameters and search space.
    cohort
        Windows without the test fold's.
    test_fold
        The outer fold.
    """

    name: str
    model: str
    space: Model
    inputs: Inputs
    cohort: Cohort
    test_fold: int
    training: Training
    tuning: Tuning
    retrain: Retrain
    seed: int
    device: str


def search(task: Task, folder: Path) -> list[FrozenTrial]:
    """Run or go on with a study until it has its trials.

    Parameters
    ----------
    task
        What to tune; its cohort must not hold windows of the test fold.
    folder
        State folder, held by this process: the journal and the checkpoints of the running trial.

    Returns
    -------
    list of FrozenTrial
        All trials by number.

    Raises
    ------
    InputError
        If most trials fail, or the space has too few distinct sets for `retrain.top`.
    """
    if (task.cohort.fold == task.test_fold).any():
        raise AssertionError("tuning was handed windows of the test fold")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    console = Console(task.name)
    study = open_study(folder / "journal.jsonl", task.name, _pruner(task))
    started, before = time.monotonic(), None
    while True:
        trials = study.get_trials(deepcopy=False)
        ended = [trial for trial in trials if trial.state in ENDED and "duplicate" not in trial.user_attrs]
        before = len(ended) if before is None else before
        failed = [trial for trial in trials if trial.state == TrialState.FAIL]
        complete = [trial for trial in ended if trial.state == TrialState.COMPLETE]
        if len(failed) > task.tuning.trials:
            reason = failed[-1].user_attrs.get("reason", "unknown")
            raise InputError(f"{task.name}: {len(failed)} of {len(trials)} trials failed, the last one: {reason}")
        if _enough(trials, task):
            # Of a study that had a larger budget before, what a fresh one with this budget would hold.
            return next(
                study.get_trials()[:number] for number in range(len(trials) + 1) if _enough(trials[:number], task)
            )
        if len(trials) >= 20 * task.tuning.trials:
            raise InputError(
                f"{task.name}: the search space gave {len(complete)} distinct sets in {len(trials)} trials, "
                f"retrain.top asks for {task.retrain.top}; widen models.{task.model}.search or lower retrain.top"
            )
        trial = _next_trial(study, task)
        _run_trial(study, trial, task, folder, console)
        _say(study, task, len(ended) + 1, (time.monotonic() - started) / (len(ended) + 1 - before), console)


def _enough(trials: list[FrozenTrial], task: Task) -> bool:
    ended = [trial for trial in trials if trial.state in ENDED and "duplicate" not in trial.user_attrs]
    complete = [trial for trial in ended if trial.state == TrialState.COMPLETE]
    return len(ended) >= task.tuning.trials and len(complete) >= task.retrain.top


def _pruner(task: Task) -> optuna.pruners.BasePruner:
    if task.tuning.pruning == "none":
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(
        n_startup_trials=task.retrain.top, n_warmup_steps=task.tuning.pruning_warmup, n_min_trials=1
    )


def _next_trial(study: optuna.Study, task: Task) -> Trial:
    """The trial that a killed process left, or a new one, all of its parameters drawn before it starts.

    A trial enters the journal with its whole parameter set in one record: no kill can leave half a set, whose rest
    would be drawn by a sampler that has lost its place.
    """
    trials = study.get_trials(deepcopy=False)
    running = [trial for trial in trials if trial.state == TrialState.RUNNING]
    if not running and not any(trial.state == TrialState.WAITING for trial in trials):
        seed = seed_of(task.seed, task.name, "sampler", len(trials)) % 2**32
        sampler = optuna.samplers.TPESampler(n_startup_trials=task.tuning.startup, seed=seed)
        study.enqueue_trial(draw(study, sampler, task.space))
    trial = Trial(study, running[0]._trial_id) if running else study.ask()
    suggest(trial, task.space)
    return trial


def _run_trial(study: optuna.Study, trial: Trial, task: Task, folder: Path, console: Console) -> None:
    """Train a trial on each inner fold; what it reports and how it ends is told to the study."""
    parameters = {**task.space.fixed, **trial.params}
    known = {
        canonical({**task.space.fixed, **other.params}): other.number
        for other in study.get_trials(deepcopy=False)
        if other.state in ENDED and other.number != trial.number
    }
    twin = known.get(canonical(parameters))
    if twin is not None:
        trial.set_user_attr("duplicate", twin)
        study.tell(trial, state=TrialState.PRUNED)
        return
    values, epochs, epochs_each = [], 0, most_epochs(task.model, parameters, task.training)
    checkpoints = [folder / f"trial{trial.number}.inner{inner}.safetensors" for inner in _inner_folds(task)]
    try:
        for inner, checkpoint in zip(_inner_folds(task), checkpoints, strict=True):
            parts = split(task.cohort, task.test_fold, inner)
            what = f"trial {trial.number}" + (f", inner fold {inner}" if task.tuning.inner_folds > 1 else "")
            trained = train(
                task.model,
                task.inputs,
                parts,
                parameters,
                task.training,
                seed=seed_of(task.seed, task.name, "trial", trial.number, inner),
                device=task.device,
                checkpoint=checkpoint,
                on_epoch=_reporter(study, trial, task, values, epochs),
                say=console.training(what, epochs_each, epoch_size(parts.train.label, task.training.balance)),
            )
            values.append(trained.value)
            epochs += len(trained.history)
            trial.set_user_attr("values", values)
            trial.set_user_attr("epochs", epochs)
        study.tell(trial, sum(values) / len(values))
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except (Diverged, torch.OutOfMemoryError, ValueError) as error:
        trial.set_user_attr("reason", " ".join(f"{type(error).__name__}: {error}".split()))
        study.tell(trial, state=TrialState.FAIL)
    for checkpoint in checkpoints:
        checkpoint.unlink(missing_ok=True)


def _inner_folds(task: Task) -> range:
    return range(1, task.tuning.inner_folds + 1)


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


def _say(study: optuna.Study, task: Task, ended: int, each: float, console: Console) -> None:
    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state == TrialState.COMPLETE]
    best = f"best {max(trial.value for trial in complete):.3f}" if complete else "no value yet"
    left = max(task.tuning.trials - ended, 0) * each
    console.line(f"trial {ended} of {task.tuning.trials}, {best}, {int(left) // 60}:{int(left) % 60:02d} left")
