"""Description of the final models of a study, from its configuration, its data and its cross-validation."""

from typing import Any

import pandas as pd

from eegwf.config.data_paths import DataPaths
from eegwf.config.paths import RunPaths
from eegwf.config.stages.model import FinalizeSettings
from eegwf.data.splits import WindowSet
from eegwf.evaluation.event_metrics import choose_point_of_all_folds
from eegwf.evaluation.predictions import validation_predictions
from eegwf.prediction.description import ChosenPoint, FinalDescription, Reading
from eegwf.storage.files import read_json, read_table
from eegwf.storage.job_state import library_versions

TEXT = ("recording", "patient", "label")
# Scores of cross-validation that the description has.
SCORES = ("balanced_accuracy", "macro_f1", "auroc", "auprc")


def describe_final_models(
    name: str, settings: FinalizeSettings, tables: DataPaths, run: RunPaths, window_set: WindowSet, n_models: int
) -> FinalDescription:
    """Describe the final models of a combination.

    Parameters
    ----------
    name
        Name of the combination.
    settings
        Settings of `finalize`.
    tables
        Tables of the study.
    run
        Files of the combination.
    window_set
        Windows of all patients.
    n_models
        Number of the models.

    Returns
    -------
    FinalDescription
        Content of `models.json`. It names no patient and no recording.

    Notes
    -----
    The operating point is chosen on the validation predictions of all outer folds, as those of the folds are on their
    own: every patient is in the validation set of a fold, and was not in the training set of the models that predict
    there.
    """
    axes = read_json(tables.windows_axes)
    point = _operating_point(settings, tables, run)
    model, spectrogram, _ = name.split("_")
    return FinalDescription(
        run=name,
        model=model,
        spectrogram=spectrogram,
        classes=settings.classes,
        primary=settings.primary,
        models=[run.final.model(number).folder.name for number in range(1, n_models + 1)],
        reading=Reading(
            signals=settings.signals,
            windows=settings.windows,
            channels=settings.channels,
            spectrograms=settings.spectrograms,
            sfreq=axes["sfreq"],
            n_times=axes["n_times"],
            ch_names=axes["ch_names"],
        ),
        operating_point=point and ChosenPoint(**{key: point[key] for key in ChosenPoint.model_fields}),
        trained_on=_trained_on(window_set, tables),
        cross_validation=_cross_validation(read_json(run.metrics)),
        versions={"libraries": library_versions()},
    )


def _operating_point(settings: FinalizeSettings, tables: DataPaths, run: RunPaths) -> dict[str, Any] | None:
    parts = {rank: [run.fold(fold).rank(rank).test for fold in settings.folds] for rank in settings.ranks}
    validation = validation_predictions(parts, list(settings.classes))
    primary = {fold: table[table["member"] == settings.primary] for fold, table in validation.items()}
    recordings = read_table(tables.recordings, text=TEXT)
    found = (read_table(tables.windows, text=TEXT), recordings[recordings["excluded"].isna()])
    events = read_table(tables.events, text=TEXT)
    return choose_point_of_all_folds(primary, (*found, events), settings.classes, settings.operating_point)


def _trained_on(window_set: WindowSet, tables: DataPaths) -> dict[str, Any]:
    recordings = read_table(tables.recordings, text=TEXT)
    used = recordings[recordings["recording"].isin(window_set.recording)]
    label = pd.Series(window_set.label)
    return {
        "n_patients": len(set(window_set.patient)),
        "n_recordings": len(used),
        "hours": round(float(used["duration"].sum()) / 3600, 3),
        "n_windows": {name: int((label == number).sum()) for number, name in enumerate(window_set.classes)},
    }


def _cross_validation(metrics: dict[str, Any]) -> dict[str, Any]:
    """Scores of the primary member, and those of its events, with their intervals."""
    primary = metrics["members"][metrics["primary"]]
    found: dict[str, Any] = {"windows": {name: primary[name] for name in SCORES if name in primary}}
    if metrics["events"] is not None:
        events = metrics["events"]
        scores = events["detectors"][events["primary"]]
        found["events"] = {name: scores[name] for name in ("sensitivity", "precision", "f1", "false_alarms_per_day")}
    return found
