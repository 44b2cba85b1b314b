"""Overhead of the trials of a hyperparameter search."""

import contextlib
import io
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench import study
from bench.gpu_sections.context import Context
from bench.gpu_sections.trainings import configure
from eegwf.config.training import Training
from eegwf.config.tuning import Model, Tuning
from eegwf.training.cost_record import read_costs
from eegwf.tuning.budget import TrialBudget
from eegwf.tuning.search import search as run_search
from eegwf.tuning.task import TuningTask

LR = {"low": 1e-5, "high": 1e-3, "log": True}
MODELS: dict[str, dict[str, Any]] = {
    "vit": {
        "fixed": {"patch_freqs": 10, "patch_times": 10},
        "search": {"width": {"choices": [64, 128, 256]}, "depth": {"low": 2, "high": 8}, "lr": LR},
    },
    "transcnn": {"search": {"filters": {"choices": [16, 32]}, "depth": {"low": 2, "high": 6}, "lr": LR}},
}


def search(context: Context) -> None:
    """Run a search of 6 trials and compare its duration with that of the training epochs."""
    configure(context.device, "deterministic")
    n_trials = 2 if context.quick else 6
    n_epochs = 2 if context.quick else 3
    for model in MODELS:
        with context.recorder.guard("search", model), tempfile.TemporaryDirectory() as folder:
            task = _task(context, model, n_trials, n_epochs)
            start = time.perf_counter()
            with contextlib.redirect_stderr(io.StringIO()):
                run_search(task, Path(folder))
            seconds = time.perf_counter() - start
            costs = read_costs(Path(folder))
            figures = {
                "trials": n_trials,
                "seconds": round(seconds, 2),
                "training_seconds": round(float(costs["seconds"].sum()), 2),
                "windows": int(costs["windows"].sum()),
            }
            context.recorder.put("search", {model: figures})
            context.recorder.line(
                f"  {model}: {n_trials} trials of {n_epochs} epochs in {seconds:.1f} s, of which training takes "
                f"{figures['training_seconds']} s; {figures['windows'] / seconds:.0f} windows/s in total"
            )


def _task(context: Context, model: str, n_trials: int, n_epochs: int) -> TuningTask:
    n_windows = 32 if context.quick else 1024
    tuning = Tuning(n_trials=n_trials, pruner="none", n_startup_trials=2)
    training = Training(epochs=n_epochs, patience=n_epochs, batch_size=context.batch_sizes[0])
    folds = np.arange(n_windows) // study.N_OUTPUTS % 4 + 1
    window_set = replace(study.split(n_windows).train, fold=folds, n_folds=4).excluding_fold(1)
    return TuningTask(
        name=f"{model}_mel_3class_fold1",
        model=model,
        space=Model.model_validate(MODELS[model]),
        dataset=context.trainings.datasets["mel"],
        window_set=window_set,
        test_fold=1,
        training=training,
        tuning=tuning,
        budget=TrialBudget(2, tuning),
        seed=1,
        device=context.device,
    )
