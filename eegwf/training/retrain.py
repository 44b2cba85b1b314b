"""Retraining of the best parameter sets of an outer fold, and their predictions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from eegwf.compute.device import device_name
from eegwf.config.training import Retrain, Training
from eegwf.data.splits import Cohort, Split, split
from eegwf.errors import InputError
from eegwf.seeds import seed_of
from eegwf.storage.files import write_table
from eegwf.storage.job_state import state_folder
from eegwf.storage.locks import held
from eegwf.training.classifier import needed_axes, predict, save_classifier
from eegwf.training.console import Console
from eegwf.training.cost_record import read_ledger, spending
from eegwf.training.loop import Trained, most_epochs, resolve, train
from eegwf.training.predictions import predictions_table
from eegwf.training.sampling import epoch_size
from eegwf.training.spectrogram_dataset import Inputs
from eegwf.training.trainer import Diverged


@dataclass(frozen=True)
class Refit:
    """What is retrained: a model on one outer fold.

    Attributes
    ----------
    name
        Such as `vit_mel_3class_fold1`.
    identity
        JSON-able values that, with a parameter set, decide the result: configuration, data and code.
    """

    name: str
    model: str
    inputs: Inputs
    cohort: Cohort
    test_fold: int
    training: Training
    retrain: Retrain
    seed: int
    device: str
    identity: list[Any]


def retrain_ranks(task: Refit, best: list[dict[str, Any]], output: Path, state_root: Path) -> None:
    """Train every parameter set of `best.json` and write the files of each rank.

    Parameters
    ----------
    task
        Model, data and settings; early stopping and the choice of the epoch see the validation fold alone.
    best
        Entries with `rank`, `trial`, `value` and `params`.
    output
        Folder that gets `rank1`, `rank2`, ... with `model.safetensors`, `model.json`, `history.tsv`, `validation.tsv`
        and `test.tsv`; and `timing.tsv`.
    state_root
        Folder of unfinished work.
    """
    training = task.training
    if task.retrain.epochs is not None:
        training = training.model_copy(update={"epochs": task.retrain.epochs})
    parts = split(task.cohort, task.test_fold)
    console, spent = Console(task.name), []
    for entry in best:
        state = state_folder(state_root, "retrain", task.identity, entry["rank"], entry["params"])
        with held(state):
            trained = _train(task, entry, len(best), parts, training, state, console)
            _write(task, entry, parts.validation_folds, trained, training, output / f"rank{entry['rank']}")
            spent.append(read_ledger(state))
    write_table(output / "timing.tsv", pd.concat(spent).rename(columns={"what": "rank"}))


def _train(
    task: Refit, entry, n_ranks: int, parts: Split, training: Training, state: Path, console: Console
) -> Trained:
    rank, parameters = entry["rank"], entry["params"]
    n_windows = epoch_size(parts.train.label, training.balance)
    say = console.training(f"rank {rank} of {n_ranks}", most_epochs(task.model, parameters, training), n_windows)
    try:
        with spending(state, rank, n_windows, device_name(task.device), say) as epoch_done:
            return train(
                task.model,
                task.inputs,
                parts,
                parameters,
                training,
                seed=seed_of(task.seed, task.name, "retrain", rank),
                device=task.device,
                checkpoint=state / "checkpoint.safetensors",
                say=epoch_done,
            )
    except (Diverged, torch.OutOfMemoryError) as error:
        raise InputError(
            f"{task.name}: rank {rank} (trial {entry['trial']}, {parameters}) can't be retrained: "
            f"{' '.join(str(error).split())}; narrow models.{task.model}.search, or lower batch_size"
        ) from None


def _write(task: Refit, entry, validation_folds, trained: Trained, training: Training, folder: Path) -> None:
    settings, parameters = resolve(entry["params"], training)
    save_classifier(
        folder,
        trained.classifier.cpu(),
        {
            "model": task.model,
            "shape": {**task.inputs.shape, "n_outputs": len(task.cohort.classes)},
            "parameters": parameters,
            "axes": needed_axes(task.model, parameters, task.inputs),
            "normalisation": trained.classifier.normalisation.kind,
            "classes": list(task.cohort.classes),
            "arrays": [path.stem for path in task.inputs.paths],
            "training": settings.model_dump(mode="json"),
            "seed": task.seed,
            "fold": task.test_fold,
            "validation_folds": list(validation_folds),
            "rank": entry["rank"],
            "trial": entry["trial"],
            "tuned_value": entry["value"],
            "best_epoch": trained.best_epoch,
            "validation_value": trained.value,
        },
    )
    write_table(folder / "history.tsv", pd.DataFrame(trained.history))
    trained.classifier.to(task.device)
    validation = task.cohort.only(*validation_folds)
    test = task.cohort.only(task.test_fold)
    for name, part in (("validation", validation), ("test", test)):
        logits = predict(trained.classifier, task.inputs, part.window)
        write_table(folder / f"{name}.tsv", predictions_table(part, logits))
