"""Work of the jobs of a stage, in millions of values that pass through them, and where they record their own time.

A training passes its windows through the network once an epoch. Pruned trials and early stopping make it less; since
they did so in the runs that were measured too, the measured rates contain their effect.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eegwf.config.data import FoldArrays
from eegwf.config.fold_paths import FoldPaths
from eegwf.config.study import Study
from eegwf.config.tuning import Model
from eegwf.models.registry import draws_random_numbers, entry_of
from eegwf.plan.sizes import Sizes

MILLION = 1e6
GRADIENT_PASSES = 3
"""Time of a gradient, in forward passes, about."""
N_VIEWS = 2
"""Views of a window that pass through the network in pretraining."""
N_BANDS = 5
"""Clinical bands of a cell (`eegwf.attribution.bands`)."""
N_RANDOMIZED = 4
"""Networks with partly random weights (`eegwf.attribution.randomization`)."""
PASSES_OF_EVIDENCE = 200
"""Forward passes of deletion and insertion for a window and all methods, about."""


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
    pretrainings = epochs / study.training.epochs
    values = epochs * _trained(wildcards, sizes) + pretrainings * _pretrained(wildcards, sizes)
    return values / study.tuning.n_workers / MILLION


def retraining(wildcards: Mapping[str, str], sizes: Sizes) -> float:
    """Values that the retraining of an outer fold reads, at most."""
    study = sizes.study
    epochs = study.retrain.epochs or study.training.epochs
    n_trainings = len(study.retrain.ranks) + _n_further_seeds(study, wildcards["model"])
    return n_trainings * (epochs * _trained(wildcards, sizes) + _pretrained(wildcards, sizes)) / MILLION


def finalizing(wildcards: Mapping[str, str], sizes: Sizes) -> float:
    """Values that the training of the final models reads, at most: windows of all folds, without validation."""
    study = sizes.study
    epochs = study.retrain.epochs or study.training.epochs
    labeled = sizes.labeled(wildcards["classes"]) * sizes.values(wildcards["spectrogram"])
    pretrained = _pretrained(wildcards, sizes, n_excluded=0)
    return len(study.retrain.ranks) * (epochs * labeled + pretrained) / MILLION


def _n_further_seeds(study: Study, model: str) -> int:
    """Number of further trainings of rank 1."""
    n_further = study.evaluation.seeds - 1
    if n_further and not draws_random_numbers(model, study.models[model].fixed, study.training.class_balance):
        return 0
    return n_further


def attribution(wildcards: Mapping[str, str], sizes: Sizes) -> float:
    """Values that pass forward through the network in the attribution of an outer fold, at most.

    Maps of all explained windows are computed once, and those of some again with other models and for other classes.
    The network for which labels are permuted is trained like the retrained ones.
    """
    study = sizes.study
    spectrogram, n_classes = wildcards["spectrogram"], len(study.classes[wildcards["classes"]])
    available = sizes.labeled(wildcards["classes"]) / sizes.n_folds / n_classes
    n_explained = n_classes * min(study.explanation.max_windows_per_class, available)
    n_compared = n_classes * min(study.explanation.max_similarity_windows_per_class, available)
    n_other_classes = n_classes - 1 if n_classes > 2 else 0
    n_models = 1 + N_RANDOMIZED + study.explanation.label_randomization + len(study.retrain.ranks) - 1
    n_maps = n_explained + n_compared * (n_models + n_other_classes)
    passes = n_maps * _passes_of_maps(study, sizes, spectrogram) + n_explained * PASSES_OF_EVIDENCE
    values = passes * sizes.values(spectrogram)
    if study.explanation.label_randomization:
        epochs = study.retrain.epochs or study.training.epochs
        values += GRADIENT_PASSES * (epochs * _trained(wildcards, sizes) + _pretrained(wildcards, sizes))
    return values / MILLION


def _passes_of_maps(study: Study, sizes: Sizes, spectrogram: str) -> float:
    """Forward passes of the slow methods for a map of a window; the others need a few."""
    settings = study.explanation
    seconds = study.windows.length + 2 * study.windows.context
    if isinstance(study.dataset, FoldArrays):
        seconds = study.dataset.window_length
    n_bands = 1 if spectrogram == "raw" else N_BANDS
    n_chans = sizes.n_chans * len(study.spectrograms.members(spectrogram))
    passes = {
        "smoothgrad": GRADIENT_PASSES * settings.n_samples,
        "integrated_gradients": GRADIENT_PASSES * settings.n_baselines * settings.n_steps,
        "shapley_gradients": GRADIENT_PASSES * settings.n_baselines * settings.n_samples,
        "occlusion": n_chans * n_bands * max(seconds / settings.cell_seconds, 1.0),
    }
    return sum(n for method, n in passes.items() if settings.methods is None or method in settings.methods)


def _trained(wildcards: Mapping[str, str], sizes: Sizes) -> float:
    """Values of the windows that an epoch trains on: those of all folds but the test and the validation fold."""
    labeled = sizes.labeled(wildcards["classes"]) * max(sizes.n_folds - 2, 1) / sizes.n_folds
    return labeled * sizes.values(wildcards["spectrogram"])


def _pretrained(wildcards: Mapping[str, str], sizes: Sizes, n_excluded: int = 2) -> float:
    """Values of the views in the pretraining of a training, at most: of the windows of all folds but those excluded."""
    model = sizes.study.models.get(wildcards["model"], Model())
    epochs = max(model.setting_values("pretrain_epochs", sizes.study.training.pretrain_epochs)[1])
    if not epochs or not entry_of(wildcards["model"], model.fixed).gradient_trained:
        return 0.0
    n_windows = sizes.labeled(wildcards["classes"]) + sizes.unlabeled()
    used = n_windows * max(sizes.n_folds - n_excluded, 1) / sizes.n_folds
    return N_VIEWS * epochs * used * sizes.values(wildcards["spectrogram"])


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
