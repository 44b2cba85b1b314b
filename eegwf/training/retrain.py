"""Retraining of the best parameter sets of an outer fold, with predictions on its validation and test folds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from eegwf.compute.device import device_name, effective_precision
from eegwf.config.paths import RankPaths, RetrainPaths
from eegwf.config.training import Training
from eegwf.data.splits import Split, WindowSet, split
from eegwf.errors import InputError
from eegwf.seeds import seed_of
from eegwf.storage.files import write_table
from eegwf.storage.job_state import state_folder
from eegwf.storage.locks import exclusive_lock
from eegwf.training.classifier import needed_axes, predict, save_classifier
from eegwf.training.console import Console
from eegwf.training.cost_record import read_costs, record_cost
from eegwf.training.loop import TrainingResult, max_epochs, split_parameters, train
from eegwf.training.predictions import predictions_table
from eegwf.training.sampling import epoch_size
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Diverged


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
    identity
        JSON-able values that, with a rank and its parameters, decide the result: configuration, data and code.
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
    identity: list[Any]


def retrain_ranks(task: RetrainTask, best: list[dict[str, Any]], files: RetrainPaths, state_root: Path) -> None:
    """Train each parameter set of `best.json` and write the files of its rank.

    Parameters
    ----------
    task
        Model, data and settings. Early stopping and the selection of the best epoch use the validation folds only.
    best
        Entries with `rank`, `trial`, `value` and `params`.
    files
        Files to write: `timing.tsv`, and the folders `rank1`, `rank2`, ..., each with `model.safetensors`,
        `model.json`, `history.tsv`, `validation.tsv` and `test.tsv`.
    state_root
        Folder of unfinished work.

    Raises
    ------
    InputError
        If a training diverges or has too little GPU memory.
    """
    training = task.training
    if task.epochs is not None:
        training = training.model_copy(update={"epochs": task.epochs})
    parts = split(task.window_set, task.test_fold)
    console, costs = Console(task.name), []
    for entry in best:
        state = state_folder(state_root, "retrain", task.identity, entry["rank"], entry["params"])
        with exclusive_lock(state):
            result = _train(task, entry, len(best), parts, training, state, console)
            _write(task, entry, parts.validation_folds, result, training, files.rank(entry["rank"]))
            costs.append(read_costs(state))
    write_table(files.timing, pd.concat(costs).rename(columns={"unit": "rank"}))


def _train(
    task: RetrainTask,
    entry: dict[str, Any],
    n_ranks: int,
    parts: Split,
    training: Training,
    state: Path,
    console: Console,
) -> TrainingResult:
    rank, parameters = entry["rank"], entry["params"]
    n_windows = epoch_size(parts.train.label, training.class_balance)
    n_epochs = max_epochs(task.model, parameters, training)
    log_epoch = console.training(f"rank {rank} of {n_ranks}", n_epochs, n_windows)
    try:
        with record_cost(state, rank, n_windows, device_name(task.device), log_epoch) as on_trained_epoch:
            return train(
                task.model,
                task.dataset,
                parts,
                parameters,
                training,
                seed=seed_of(task.seed, task.name, "retrain", rank),
                device=task.device,
                checkpoint=state / "checkpoint.safetensors",
                on_trained_epoch=on_trained_epoch,
            )
    except (Diverged, torch.OutOfMemoryError) as error:
        raise InputError(
            f"{task.name}: rank {rank} (trial {entry['trial']}, {parameters}) can't be retrained: "
            f"{' '.join(str(error).split())}; narrow models.{task.model}.search, or lower batch_size"
        ) from None


def _write(
    task: RetrainTask,
    entry: dict[str, Any],
    validation_folds: tuple[int, ...],
    result: TrainingResult,
    training: Training,
    paths: RankPaths,
) -> None:
    settings, parameters = split_parameters(entry["params"], training)
    save_classifier(
        paths.folder,
        result.classifier.cpu(),
        {
            "model": task.model,
            "shape": {**task.dataset.shape, "n_outputs": len(task.window_set.classes)},
            "parameters": parameters,
            "axes": needed_axes(task.model, parameters, task.dataset),
            "normalization": result.classifier.normalization.kind,
            "classes": list(task.window_set.classes),
            "arrays": [path.stem for path in task.dataset.paths],
            "training": settings.model_dump(mode="json"),
            "device": device_name(task.device),
            "precision": effective_precision(task.device, settings.precision),
            "seed": task.seed,
            "fold": task.test_fold,
            "validation_folds": list(validation_folds),
            "rank": entry["rank"],
            "trial": entry["trial"],
            "tuned_value": entry["value"],
            "best_epoch": result.best_epoch,
            "validation_value": result.value,
        },
    )
    write_table(paths.history, pd.DataFrame(result.history))
    result.classifier.to(task.device)
    validation = task.window_set.in_folds(*validation_folds)
    test = task.window_set.in_folds(task.test_fold)
    for path, part in ((paths.validation, validation), (paths.test, test)):
        logits = predict(result.classifier, task.dataset, part.window)
        write_table(path, predictions_table(part, logits))
