"""Settings of a stage's job, built from the configuration of the study, and the digest of the data set's files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from eegwf.config.data import Dataset, FoldArrays, RecordedDataset
from eegwf.config.external import ExternalData
from eegwf.config.paths import Combination, ResultPaths, RunPaths
from eegwf.config.sample_settings import sample_settings
from eegwf.config.stages.base import StageSettings
from eegwf.config.study import Study
from eegwf.config.training import Training
from eegwf.config.tuning import Budget, TrialSettings
from eegwf.dag.combinations import classical
from eegwf.dag.input_arrays import computed_grids
from eegwf.dag.stages import STAGES
from eegwf.data.bids import data_files
from eegwf.data.fold_count import count_folds
from eegwf.models.registry import entry_of
from eegwf.storage.files import digest

BudgetPart = TypeVar("BudgetPart", bound=Budget)
# Minimum number of folds of the reserved patients: one validates, the others train.
MIN_RESERVED_FOLDS = 3


def stage_config(
    study: Study,
    stage: str,
    wildcards: Any,
    combinations: Sequence[Combination] = (),
    external: ExternalData | None = None,
) -> StageSettings:
    """The part of the configuration that decides the result of a stage's job, and nothing else.

    Parameters
    ----------
    study
        The configuration.
    stage
        Name of the stage.
    wildcards
        Wildcards of the job, as attributes.
    combinations
        Combinations of the matrix, which the summary compares, and among which the classical baselines are chosen.
    external
        External data set of the job, whose sections replace those of the study; None for the study's own data.

    Returns
    -------
    StageSettings
        Of the class that the table of stages names. A field that the configuration has too is taken from there; of
        the others, and of those whose value depends on the job, `_of_job` says the value.
    """
    settings = STAGES[stage].settings
    values = {name: getattr(study, name) for name in settings.model_fields if hasattr(study, name)}
    if external is not None:
        values |= {name: getattr(external, name) for name in type(external).model_fields}
    values |= _of_job(study, stage, wildcards)
    if isinstance(dataset := values.get("dataset"), RecordedDataset):
        # They are compared with the annotations, and decide nothing that is read.
        values["dataset"] = dataset.model_copy(update={"expected_seizures": {}})
    if stage == "summary":
        tested = {one.classes: study.external_sets(one.classes) for one in combinations}
        baselines = [classes for classes in tested if classical(study, combinations, classes)]
        values |= {"combinations": list(combinations), "external": tested, "baselines": baselines}
    if stage == "baseline":
        values |= {"candidates": classical(study, combinations, wildcards.classes)}
    return settings(**{name: value for name, value in values.items() if name in settings.model_fields})


def _of_job(study: Study, stage: str, wildcards: Any) -> dict[str, Any]:
    """Values of the fields that are no key of the configuration, or depend on the job."""
    if stage == "folds":
        return {"n_folds": count_folds(study), **_reserved(study)}
    if stage == "initialize":
        sections = {
            name: getattr(study, name).model_dump(mode="json", warnings=False)
            for name in ("signals", "windows", "channels")
        }
        place = {name: getattr(study.training, name) for name in ("init", "init_same_ids")}
        return {**place, "samples": sample_settings(sections)}
    if STAGES[stage].script == "spectrogram":
        name = wildcards.spectrogram
        return {"device": study.spectrograms.device, name: getattr(study.spectrograms, name, None)}
    if stage == "baseline":
        primary = study.evaluation.primary
        return {
            "classes": study.classes[wildcards.classes],
            "folds": list(range(1, count_folds(study) + 1)),
            "ranks": list(study.retrain.ranks) if primary == "ensemble" else [_explained_rank(study)],
        }
    if stage == "split_by_window":
        return {
            "classes": study.classes[wildcards.classes],
            "confidence": study.evaluation.confidence,
            "timed": not isinstance(study.dataset, FoldArrays),
            "on_the_fly": computed_grids(wildcards.spectrogram, study.spectrograms),
        }
    if stage == "report":
        return {"study": study.design()}
    if not hasattr(wildcards, "model"):
        return {}
    model = study.models[wildcards.model]
    entry = entry_of(wildcards.model, model.fixed)
    return {
        "model": wildcards.model,
        "classes": study.classes[wildcards.classes],
        # Without the place of the initial weights: their digest decides.
        "training": Training.model_construct(**{name: getattr(study.training, name) for name in Training.model_fields}),
        # A model that is not trained by gradient descent has no use for a GPU.
        "device": study.device if entry is None or entry.gradient_trained else "cpu",
        "tuning": _only(TrialSettings, study.tuning),
        "budget": _only(Budget, study.tuning),
        "inner_folds": study.tuning.inner_folds,
        "space": model,
        "fixed": model.fixed,
        "n_best": study.retrain.n_best,
        "n_seeds": study.retrain.n_seeds,
        "folds": list(range(1, count_folds(study) + 1)),
        "ranks": list(study.retrain.ranks),
        "reserved": study.tuning.mode == "reserved",
        "primary": study.evaluation.primary,
        "operating_point": study.evaluation.operating_point,
        "epochs": study.retrain.epochs,
        "ranks_per_gpu": study.retrain.ranks_per_gpu,
        "seeds": study.evaluation.seeds,
        "on_the_fly": computed_grids(wildcards.spectrogram, study.spectrograms),
        "rank": _explained_rank(study),
    }


def _explained_rank(study: Study) -> int:
    """Rank that is explained: the primary member; for the ensemble, the best rank, since the maps need one model."""
    primary = study.evaluation.primary
    return 1 if primary == "ensemble" else int(primary.removeprefix("rank"))


def _only(part: type[BudgetPart], tuning: Budget) -> BudgetPart:
    return part(**{name: getattr(tuning, name) for name in part.model_fields})


def _reserved(study: Study) -> dict[str, Any]:
    """Fields of patients that are reserved for tuning."""
    if study.tuning.mode != "reserved":
        return {}
    return {
        "reserved": study.tuning.reserved,
        "n_inner_folds": max(study.tuning.inner_folds, MIN_RESERVED_FOLDS),
    }


def data_digest(dataset: Dataset) -> str:
    """Digest of the names, sizes and times of a data set's files; empty for a synthetic data set."""
    if isinstance(dataset, RecordedDataset):
        root = Path(dataset.root)
        files = data_files(root, dataset.annotations, dataset.layout, dataset.exclude)
        return digest(sorted([_relative(path, root), *_stamp(path)] for path in files))
    if isinstance(dataset, FoldArrays):
        return digest([[str(file), *_stamp(file)] for file in dataset.files()])
    return ""


def source_digest(study: Study) -> str:
    """Digest of the names, sizes and times of the files of `training.init`; empty without it."""
    if not study.training.init:
        return ""
    root = Path(study.training.init)
    if root.is_file():
        return digest(_stamp(root))
    data = ResultPaths(root.parent).data
    files = sorted(path for path in RunPaths(root).final.folder.rglob("*") if path.is_file())
    return digest([[path.name, *_stamp(path)] for path in [*files, data.windows, data.windows_axes, data.recordings]])


def _relative(path: Path, root: Path) -> str:
    """Path relative to the data set, in which annotations need not be."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _stamp(path: Path) -> list[int]:
    """Size and time of a file; -1 if it can't be reached, as a link to a missing file, which its reader reports."""
    try:
        status = path.stat()
    except OSError:
        return [-1, -1]
    return [status.st_size, status.st_mtime_ns]
