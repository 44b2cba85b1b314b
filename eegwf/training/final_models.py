"""Training of the final models: the chosen parameter sets, on the windows of all patients of the study."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.compute.device import device_name, effective_precision
from eegwf.config.final_paths import FinalPaths
from eegwf.config.paths import RunPaths
from eegwf.config.training import Training
from eegwf.data.splits import Split, WindowSet
from eegwf.errors import InputError
from eegwf.progress import Progress
from eegwf.seeds import seed_of
from eegwf.storage.files import read_table, write_json, write_table
from eegwf.storage.job_state import state_folder
from eegwf.storage.locks import exclusive_lock
from eegwf.training.calibration import fit_calibration
from eegwf.training.classifier import needed_axes, save_classifier
from eegwf.training.final_sets import FinalSet
from eegwf.training.history import History
from eegwf.training.initial_weights import InitialWeights
from eegwf.training.loop import TrainingResult, split_parameters, train
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.training.trainer import Diverged


@dataclass(frozen=True)
class FinalTask:
    """Training of the final models of a combination.

    Attributes
    ----------
    name
        Name of the combination.
    model
        Name in the table of models, or of a network of timm.
    dataset
        Spectrograms of the study.
    window_set
        Windows of all patients.
    training
        Settings of training, with the maximum number of epochs of retraining.
    run
        Files of the combination, with those of cross-validation.
    folds
        Numbers of the outer folds.
    seed, device
        Configured random seed, and `cpu` or `cuda`.
    identity
        JSON-able values that, with a parameter set, decide the weights: configuration, data and code.
    initial
        Initial weights of every training; None for random ones.
    """

    name: str
    model: str
    dataset: SpectrogramDataset
    window_set: WindowSet
    training: Training
    run: RunPaths
    folds: Sequence[int]
    seed: int
    device: str
    identity: list[Any]
    initial: InitialWeights | None = None


def train_final_models(task: FinalTask, sets: Sequence[FinalSet], paths: FinalPaths, state_root: Path) -> None:
    """Train the chosen parameter sets on all patients, and write the folder of each model.

    Parameters
    ----------
    task
        Model, data and settings.
    sets
        The chosen parameter sets.
    paths
        Files to write: the folders `model1`, `model2`, ..., each with `model.safetensors`, `model.json`, `history.tsv`
        and `calibration.json`.
    state_root
        Folder of unfinished work.

    Raises
    ------
    InputError
        If a training diverges.

    Notes
    -----
    No patient is left for validation. The number of epochs and the learning rates are those of the same parameter set
    in cross-validation, up to its best epoch. The temperature is fitted to the validation predictions of the same rank
    in all outer folds, which together contain every patient.
    """
    scored = task.window_set.scored()
    nobody = scored.select(np.zeros(len(scored.label), dtype=bool))
    parts = Split(scored, nobody, (), task.window_set.borderline().window)
    progress = Progress(f"final models of {task.name}", len(sets))
    for number, chosen in enumerate(sets, 1):
        history = _history(task.run, chosen)
        state = state_folder(state_root, "finalize", task.identity, number, chosen.parameters, history)
        with exclusive_lock(state):
            result = _train(task, number, chosen, parts, history, state)
        _write(task, number, chosen, result, scored, paths)
        progress.step(f"model {number}, {len(history)} epochs")


def _history(run: RunPaths, chosen: FinalSet) -> History:
    """Epochs of the training in cross-validation that is repeated, up to its best epoch."""
    repeated = chosen.repeated
    table = read_table(run.fold(repeated.fold).rank(repeated.rank).history)
    records = table.head(repeated.best_epoch).to_dict("records")
    return [{str(key): value for key, value in record.items()} for record in records]


def _train(
    task: FinalTask, number: int, chosen: FinalSet, parts: Split, history: History, state: Path
) -> TrainingResult:
    try:
        return train(
            task.model,
            task.dataset,
            parts,
            chosen.parameters,
            task.training,
            seed=seed_of(task.seed, task.name, "finalize", number),
            device=task.device,
            initial=task.initial,
            checkpoint=state / "checkpoint.safetensors",
            repeated=history,
        )
    except Diverged as error:
        raise InputError(
            f"{task.name}: final model {number} ({chosen.parameters}) can't be trained on all patients: {error}; "
            f"narrow models.{task.model}.search"
        ) from None


def _write(
    task: FinalTask, number: int, chosen: FinalSet, result: TrainingResult, scored: WindowSet, paths: FinalPaths
) -> None:
    settings, parameters = split_parameters(chosen.parameters, task.training)
    if task.initial:
        parameters = task.initial.complete(parameters)
    files = paths.model(number)
    save_classifier(
        files.folder,
        result.classifier.cpu(),
        {
            "model": task.model,
            "shape": {**task.dataset.shape, "n_outputs": len(scored.classes)},
            "parameters": parameters,
            "axes": needed_axes(task.model, parameters, task.dataset),
            "normalization": result.classifier.normalization.kind,
            "input_clip": result.classifier.normalization.clip,
            "classes": list(scored.classes),
            "arrays": task.dataset.names,
            "training": settings.model_dump(mode="json"),
            "init": task.initial.summary if task.initial else None,
            "device": device_name(task.device),
            "precision": effective_precision(task.device, settings.precision),
            "seed": task.seed,
            "scored": False,
            "epochs": result.best_epoch,
            "chosen_in": [{"fold": item.fold, "rank": item.rank} for item in chosen.trainings],
            "epochs_of": {"fold": chosen.repeated.fold, "rank": chosen.repeated.rank},
            "tuned_value": chosen.value,
        },
    )
    write_table(files.history, pd.DataFrame(result.history))
    validated = _validated(task, chosen.rank)
    label = pd.Index(scored.classes).get_indexer(pd.Index(validated["label"]))
    p = validated[[f"p_{name}" for name in scored.classes]].to_numpy(dtype=float)
    balance = settings.class_balance
    patient = validated["patient"].to_numpy(object)
    write_json(files.calibration, fit_calibration(label, p, patient, scored.label, balance, scored.classes))


def _validated(task: FinalTask, rank: int) -> pd.DataFrame:
    """Validation predictions of a rank in all outer folds."""
    text = ("patient", "recording", "label", "predicted")
    tables = [read_table(task.run.fold(fold).rank(rank).validation, text=text) for fold in task.folds]
    return pd.concat(tables, ignore_index=True)


def windows_of_all_patients(outer: WindowSet, reserved: WindowSet | None) -> WindowSet:
    """Join the windows of the outer folds with those of the patients that were reserved for tuning.

    Parameters
    ----------
    outer
        Windows of the outer folds.
    reserved
        Windows of reserved patients; None if there are none.

    Returns
    -------
    WindowSet
        Windows in the order of the arrays, with `fold` 0 for reserved patients.
    """
    if reserved is None:
        return outer
    inner = replace(reserved, fold=np.zeros_like(reserved.fold))
    joined = replace(
        outer,
        window=np.concatenate([outer.window, inner.window]),
        label=np.concatenate([outer.label, inner.label]),
        fold=np.concatenate([outer.fold, inner.fold]),
        patient=np.concatenate([outer.patient, inner.patient]),
        recording=np.concatenate([outer.recording, inner.recording]),
        onset=np.concatenate([outer.onset, inner.onset]),
    )
    return joined.select(np.argsort(joined.window, kind="stable"))
