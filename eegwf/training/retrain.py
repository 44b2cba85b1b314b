"""Retraining of the best parameter sets of an outer fold, with predictions on its validation and test folds.

Rank 1 can be trained with further random seeds, of which the predictions on the test fold alone are kept.
"""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch

from eegwf.compute.device import device_name, effective_precision
from eegwf.config.fold_paths import RankPaths, RetrainPaths
from eegwf.config.training import Training
from eegwf.data.splits import Split, WindowSet, split
from eegwf.errors import InputError
from eegwf.models.registry import draws_random_numbers
from eegwf.seeds import seed_of
from eegwf.storage.files import write_json, write_table
from eegwf.storage.job_state import state_folder
from eegwf.storage.locks import LOCK, exclusive_lock, try_lock
from eegwf.training.calibration import fit_calibration
from eegwf.training.classifier import needed_axes, save_classifier
from eegwf.training.concurrency import Concurrency, Turns
from eegwf.training.console import Console
from eegwf.training.cost_record import read_costs, record_cost
from eegwf.training.inference import predict_rows
from eegwf.training.initial_weights import InitialWeights
from eegwf.training.loop import TrainingResult, max_epochs, split_parameters, training_turns
from eegwf.training.memory_errors import free_gpu_memory, lacks_memory
from eegwf.training.predictions import predictions_table
from eegwf.training.sampling import epoch_size
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Diverged

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetrainTask:
    """Retraining of a model on one outer fold.

    Attributes
    ----------
    name
        Name of the combination with its outer fold, such as `vit_mel_3class_fold1`.
    model
        Name in the table of models, or of a network of timm.
    dataset
        Spectrograms of the study.
    window_set
        Windows of all folds.
    test_fold
        The outer fold.
    training, epochs
        Settings of training, and the maximum number of epochs; None for that of the settings.
    seed
        Configured random seed.
    device
        `cpu` or `cuda`.
    n_seeds
        Number of random seeds with which rank 1 is trained.
    at_once
        Number of trainings that run at once.
    identity
        JSON-able values that, with a rank and its parameters, decide the result: configuration, data and code.
    initial
        Initial weights of every training; None for random ones.
    """

    name: str
    model: str
    dataset: SpectrogramDataset
    window_set: WindowSet
    test_fold: int
    training: Training
    epochs: int | None
    seed: int
    device: str
    n_seeds: int
    at_once: int
    identity: list[Any]
    initial: InitialWeights | None = None


class _Training(NamedTuple):
    """A training: an entry of `best.json`, and the number of its seed, 1 for the ordinary training of the rank."""

    entry: dict[str, Any]
    seed: int

    @property
    def rank(self) -> int:
        return self.entry["rank"]

    @property
    def name(self) -> str:
        return f"rank {self.rank}" if self.seed == 1 else f"rank {self.rank} with seed {self.seed}"

    @property
    def purpose(self) -> tuple[str | int, ...]:
        """What tells its seed and its state folder apart from those of other trainings."""
        return () if self.seed == 1 else ("seed", self.seed)


def retrain_ranks(task: RetrainTask, best: list[dict[str, Any]], files: RetrainPaths, state_root: Path) -> None:
    """Train each parameter set of `best.json` and write the files of its rank.

    Parameters
    ----------
    task
        Model, data and settings. Early stopping and the selection of the best epoch use the validation folds only.
    best
        Entries with `rank`, `trial`, `value` and `params`, rank 1 first.
    files
        Files to write: `timing.tsv`, and the folders `rank1`, `rank2`, ..., each with `model.safetensors`,
        `model.json`, `history.tsv`, `validation.tsv`, `calibration.json` and `test.tsv`; for further seeds the folders
        `rank1_seed2`, ..., with `test.tsv`. It has no rows if the training draws no random numbers.
    state_root
        Folder of unfinished work.

    Raises
    ------
    InputError
        If a training diverges or has too little GPU memory.
    """
    _Retraining(task, best, files, state_root).run()


class _Retraining:
    """A process that retrains parameter sets, one or several at once."""

    def __init__(self, task: RetrainTask, best: list[dict[str, Any]], files: RetrainPaths, state_root: Path):
        self.task, self.files, self.state_root = task, files, state_root
        self.training = task.training
        if task.epochs is not None:
            self.training = task.training.model_copy(update={"epochs": task.epochs})
        self.parts = split(task.window_set, task.test_fold)
        self.console = Console(task.name)
        self.concurrency = Concurrency(task.device, task.at_once)
        self.n_ranks = len(best)
        at_random = draws_random_numbers(task.model, best[0]["params"], self.training.class_balance)
        seeds = range(2, task.n_seeds + 1) if at_random else ()
        self.waiting = [_Training(entry, 1) for entry in best] + [_Training(best[0], seed) for seed in seeds]
        self.costs: dict[tuple[int, int], pd.DataFrame] = {}

    def run(self) -> None:
        self._write_skipped_seeds()
        self.concurrency.run(self._start)
        costs = pd.concat([self.costs[key].assign(seed=key[1]) for key in sorted(self.costs)])
        costs.insert(1, "seed", costs.pop("seed"))
        write_table(self.files.timing, costs.rename(columns={"unit": "rank"}))

    def _write_skipped_seeds(self) -> None:
        """Write tables without rows for seeds that would give the same classifier: a rule declares them."""
        skipped = set(range(2, self.task.n_seeds + 1)) - {training.seed for training in self.waiting}
        if skipped:
            logger.info("training draws no random numbers, so that further seeds of rank 1 are skipped")
        nothing = self.task.window_set.in_folds()
        table = predictions_table(nothing, torch.empty(0))
        for seed in sorted(skipped):
            write_table(self.files.seed(seed), table)

    def _start(self) -> Turns[None] | None:
        while self.waiting:
            for training in self.waiting:
                lock = try_lock(self._state(training) / LOCK)
                if lock is not None:
                    self.waiting.remove(training)
                    return self._run(training, lock)
            if self.concurrency.n_running:
                return None
            # Another process has all of them.
            with exclusive_lock(self._state(self.waiting[0])):
                pass
        return None

    def _state(self, training: _Training) -> Path:
        parts = (training.rank, training.entry["params"], *training.purpose)
        return state_folder(self.state_root, "retrain", self.task.identity, *parts)

    def _run(self, training: _Training, lock: int) -> Turns[None]:
        """Train a parameter set and write its files; one that lacked memory beside others waits again."""
        task, entry, state = self.task, training.entry, self._state(training)
        reason = ""
        try:
            try:
                result = yield from self._train(training, state)
            except (Diverged, MemoryError, RuntimeError) as error:
                lacked_memory = lacks_memory(error)
                if not lacked_memory and not isinstance(error, Diverged):
                    raise
                reason = " ".join(str(error).split())
                if not (lacked_memory and self.concurrency.lower_limit()):
                    raise InputError(
                        f"{task.name}: {training.name} (trial {entry['trial']}, {entry['params']}) can't be retrained: "
                        f"{reason}; narrow models.{task.model}.search, or lower batch_size"
                    ) from None
            if reason:
                free_gpu_memory()
                self.waiting.append(training)
                logger.warning("%s lacked memory and is trained again beside fewer others: %s", training.name, reason)
                return
            if training.seed == 1:
                _write(task, entry, self.parts, result, self.training, self.files.rank(training.rank))
            else:
                write_table(self.files.seed(training.seed), _predictions(task, result, task.test_fold))
            self.costs[training.rank, training.seed] = read_costs(state)
        finally:
            os.close(lock)

    def _train(self, training: _Training, state: Path) -> Turns[TrainingResult]:
        task, rank, parameters = self.task, training.rank, training.entry["params"]
        n_windows = epoch_size(self.parts.train.label, self.training.class_balance)
        n_epochs = max_epochs(task.model, parameters, self.training)
        title = f"rank {rank} of {self.n_ranks}"
        if training.seed > 1:
            title = f"rank {rank}, seed {training.seed} of {task.n_seeds}"
        log_epoch = self.console.training(title, n_epochs, n_windows)
        clock = self.concurrency.clock
        with record_cost(state, rank, n_windows, device_name(task.device), log_epoch, clock) as on_trained_epoch:
            return (
                yield from training_turns(
                    task.model,
                    task.dataset,
                    self.parts,
                    parameters,
                    self.training,
                    seed=seed_of(task.seed, task.name, "retrain", rank, *training.purpose),
                    device=task.device,
                    initial=task.initial,
                    checkpoint=state / "checkpoint.safetensors",
                    on_trained_epoch=on_trained_epoch,
                    clock=clock,
                )
            )


def _write(
    task: RetrainTask,
    entry: dict[str, Any],
    parts: Split,
    result: TrainingResult,
    training: Training,
    paths: RankPaths,
) -> None:
    settings, parameters = split_parameters(entry["params"], training)
    if task.initial:
        parameters = task.initial.complete(parameters)
    save_classifier(
        paths.folder,
        result.classifier.cpu(),
        {
            "model": task.model,
            "shape": {**task.dataset.shape, "n_outputs": len(task.window_set.classes)},
            "parameters": parameters,
            "axes": needed_axes(task.model, parameters, task.dataset),
            "normalization": result.classifier.normalization.kind,
            "input_clip": result.classifier.normalization.clip,
            "classes": list(task.window_set.classes),
            "arrays": [path.stem for path in task.dataset.paths],
            "training": settings.model_dump(mode="json"),
            "init": task.initial.summary if task.initial else None,
            "device": device_name(task.device),
            "precision": effective_precision(task.device, settings.precision),
            "seed": task.seed,
            "fold": task.test_fold,
            "validation_folds": list(parts.validation_folds),
            "rank": entry["rank"],
            "trial": entry["trial"],
            "tuned_value": entry["value"],
            "best_epoch": result.best_epoch,
            "validation_value": result.value,
        },
    )
    write_table(paths.history, pd.DataFrame(result.history))
    result.classifier.to(task.device)
    validation = task.window_set.in_folds(*parts.validation_folds)
    validated = _predictions(task, result, *parts.validation_folds)
    write_table(paths.validation, validated)
    write_table(paths.test, _predictions(task, result, task.test_fold))
    # The written probabilities, so that the fit can be repeated from the table.
    p = validated[[f"p_{name}" for name in validation.classes]].to_numpy(dtype=float)
    balance = settings.class_balance
    write_json(
        paths.calibration,
        fit_calibration(validation.label, p, validation.patient, parts.train.label, balance, validation.classes),
    )


def _predictions(task: RetrainTask, result: TrainingResult, *folds: int) -> pd.DataFrame:
    part = task.window_set.in_folds(*folds)
    return predictions_table(part, predict_rows(result.classifier, task.dataset, part.window))
