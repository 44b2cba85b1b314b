"""Work of the jobs of a stage, in millions of values that pass through them, and where they record their own time.

A training passes its windows through the network once an epoch. Pruned trials and early stopping make it less; since
they did so in the runs that were measured too, the measured rates contain their effect.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eegwf.config.paths import FoldPaths
from eegwf.config.study import Study
from eegwf.models.registry import draws_random_numbers
from eegwf.plan.sizes import Sizes

MILLION = 1e6


def windows(wildcards: Mapping[str, str], sizes: Sizes) -> float:
    """Samples of all windows."""
    return sizes.n_windows * sizes.values("raw") / MILLION


def tuning(wildcards: Mapping[str, str], sizes: Sizes) -> float:
    """Values that one worker's trials read, at most."""
    study = sizes.study
    limits = [
        study.tuning.n_trials and study.tuning.n_trials * study.tuning.inner_folds * study.training.epochs,
        study.tuning.n_epochs,
    ]
    epochs = min((limit for limit in limits if limit), default=0)
    return epochs * _trained(wildcards, sizes) / study.tuning.n_workers / MILLION


def retraining(wildcards: Mapping[str, str], sizes: Sizes) -> float:
    """Values that the retraining of an outer fold reads, at most."""
    study = sizes.study
    epochs = study.retrain.epochs or study.training.epochs
    n_trainings = study.retrain.n_best + _n_further_seeds(study, wildcards["model"])
    return n_trainings * epochs * _trained(wildcards, sizes) / MILLION


def _n_further_seeds(study: Study, model: str) -> int:
    """Number of further trainings of rank 1."""
    n_further = study.evaluation.seeds - 1
    if n_further and not draws_random_numbers(model, study.models[model].fixed, study.training.class_balance):
        return 0
    return n_further


def attribution(wildcards: Mapping[str, str], sizes: Sizes) -> float:
    """Values of the windows that the attribution of an outer fold explains, at most."""
    study = sizes.study
    n_classes = len(study.classes[wildcards["classes"]])
    labeled = sizes.labeled(wildcards["classes"])
    each = min(study.explanation.max_windows_per_class, labeled / sizes.n_folds / n_classes)
    return n_classes * each * sizes.values(wildcards["spectrogram"]) / MILLION


def _trained(wildcards: Mapping[str, str], sizes: Sizes) -> float:
    """Values of the windows that an epoch trains on: those of all folds but the test and the validation fold."""
    labeled = sizes.labeled(wildcards["classes"]) * max(sizes.n_folds - 2, 1) / sizes.n_folds
    return labeled * sizes.values(wildcards["spectrogram"])


def tuning_timeout(study: Study) -> float | None:
    """Seconds of a worker where only `tuning.timeout_minutes` limits it; None otherwise."""
    tuning = study.tuning
    if tuning.timeout_minutes is None or tuning.n_trials is not None:
        return None
    return 60 * tuning.timeout_minutes / tuning.n_workers


def tuning_timing(fold: FoldPaths, record: Mapping[str, Any]) -> tuple[Path, int]:
    """Table with the cost of a fold's trials, and the number of jobs that shared them.

    Parameters
    ----------
    fold
        Files of the outer fold.
    record
        Content of `run.json`.

    Returns
    -------
    tuple of Path and int
        Table and number.
    """
    return fold.tuning_timing, record["config"]["tuning"]["n_workers"]


def retraining_timing(fold: FoldPaths, record: Mapping[str, Any]) -> tuple[Path, int]:
    """Table with the cost of a fold's retrainings, which are one job.

    Parameters
    ----------
    fold
        Files of the outer fold.
    record
        Content of `run.json`.

    Returns
    -------
    tuple of Path and int
        Table and number.
    """
    return fold.retrained.timing, 1
