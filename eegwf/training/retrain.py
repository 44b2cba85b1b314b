"""Retraining of the best parameter sets of an outer fold, and their predictions."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from eegwf.config.training import Retrain, Training
from eegwf.errors import InputError
from eegwf.files import write_table
from eegwf.seeds import seed_of
from eegwf.state import held, state_folder
from eegwf.training.classifier import needed_axes, predict, save_classifier
from eegwf.training.cohort import Cohort, split
from eegwf.training.console import Console
from eegwf.training.inputs import Inputs
from eegwf.training.loop import Trained, most_epochs, resolve, train
from eegwf.training.predictions import predictions_table
from eegwf.training.sampling import epoch_size
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
        and `test.tsv`.
    state_root
        Folder of unfinished work.
    """
    training = task.training
    if task.retrain.epochs is not None:
        training = training.model_copy(update={"epochs": task.retrain.epochs})
    parts = split(task.cohort, task.test_fold)
    console, n_windows = Console(task.name), epoch_size(parts.train.label, training.balance)
    for entry in best:
        epochs = most_epochs(task.model, entry["params"], training)
        state = state_folder(state_root, "retrain", task.identity, entry["rank"], entry["params"])
        with held(state):
            try:
                trained = train(
                    task.model,
                    task.inputs,
                    parts,
                    entry["params"],
                    training,
                    seed=seed_of(task.seed, task.name, "retrain", entry["rank"]),
                    device=task.device,
                    checkpoint=state / "checkpoint.safetensors",
                    say=console.training(f"rank {entry['rank']} of {len(best)}", epochs, n_windows),
                )
            except (Diverged, torch.OutOfMemoryError) as error:
                raise InputError(
                    f"{task.name}: rank {entry['rank']} (trial {entry['trial']}, {entry['params']}) can't be "
                    f"retrained: {' '.join(str(error).split())}; narrow models.{task.model}.search, or lower batch_size"
                ) from None
            _write(task, entry, parts.validation_folds, trained, training, output / f"rank{entry['rank']}")


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
