"""Content of a report, read from the files of a combination."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.config.fold_paths import FoldPaths
from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.study import StudyDesign
from eegwf.data.events import classify
from eegwf.errors import InputError
from eegwf.evaluation.predictions import raw_columns
from eegwf.report.eeg_samples import WindowSamples, read_samples
from eegwf.report.map_files import Maps, read_maps
from eegwf.storage.files import read_json, read_table
from eegwf.training.cost_record import ENERGY_COLUMNS

TEXT = (
    "recording",
    "patient",
    "label",
    "predicted",
    "member",
    "path",
    "excluded",
    "notes",
    "dropped",
    "state",
    "reason",
)


@dataclass(frozen=True)
class Rank:
    """One retrained parameter set of a fold.

    Attributes
    ----------
    model
        `model.json`.
    history
        `history.tsv`.
    """

    model: dict[str, Any]
    history: pd.DataFrame


@dataclass(frozen=True)
class Fold:
    """Files of an outer fold; empty if a file does not exist.

    Attributes
    ----------
    number
        Number of the fold, from 1.
    trials
        `trials.tsv`.
    best
        `best.json`.
    ranks
        Retrained parameter sets by rank.
    maps
        Attribution maps.
    tuning_cost, retrain_cost
        `timing.tsv` of tuning and of retraining.
    """

    number: int
    trials: pd.DataFrame
    best: list[dict[str, Any]]
    ranks: dict[int, Rank]
    maps: Maps | None
    tuning_cost: pd.DataFrame
    retrain_cost: pd.DataFrame


@dataclass(frozen=True)
class ReportData:
    """Content of the report of a combination.

    Attributes
    ----------
    study
        The configuration.
    model, spectrogram, class_set
        The combination.
    metrics, predictions, per_patient, events
        Results of the evaluation.
    annotations, recordings, windows, folds, leakage
        Annotated events, tables of the data and results of the leakage checks, the same for all combinations.
    outer
        The outer folds, in order.
    init
        Source of the initial weights (`source.json`); None if they are random.
    samples
        Samples of the windows, or the reason why the report shows none.
    """

    study: StudyDesign
    model: str
    spectrogram: str
    class_set: str
    metrics: dict[str, Any]
    predictions: pd.DataFrame
    per_patient: pd.DataFrame
    events: pd.DataFrame
    annotations: pd.DataFrame
    recordings: pd.DataFrame
    windows: pd.DataFrame
    folds: pd.DataFrame
    leakage: dict[str, Any]
    outer: list[Fold]
    init: dict[str, Any] | None = None
    samples: WindowSamples | str = ""

    @property
    def classes(self) -> list[str]:
        """Names of the classes, the background first."""
        return self.metrics["classes"]

    @property
    def primary(self) -> str:
        """Name of the primary member."""
        return self.metrics["primary"]

    @property
    def headline(self) -> dict[str, Any]:
        """Scores of the primary member."""
        return self.metrics["members"][self.primary]

    @property
    def mode(self) -> str:
        """Mode of tuning: `per_fold`, `reserved` or `once`."""
        return self.study.tuning.mode

    @property
    def permuted(self) -> bool:
        """Whether the labels of training and validation windows were shuffled."""
        return self.study.permute_labels

    @property
    def reserved(self) -> set[str]:
        """Patients reserved for tuning, who are in no outer fold."""
        return set(self.folds.loc[self.folds["fold"] == 0, "patient"])

    def scored(self, member: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """True class numbers, predicted class numbers, raw probabilities and folds of a member's labeled windows."""
        table = self.predictions
        table = table[(table["member"] == member) & (table["label"] != "")]
        index = pd.Index(self.classes)
        p = table[raw_columns(self.classes)].to_numpy(dtype=float)
        truth = index.get_indexer(pd.Index(table["label"]))
        predicted = index.get_indexer(pd.Index(table["predicted"]))
        return truth, predicted, p, table["fold"].to_numpy(dtype=int)

    def class_of(self, event_type: str) -> str | None:
        """Class of an event type in this class set; None if the class set excludes it."""
        return classify(event_type, self.study.classes[self.class_set])


def collect(study: StudyDesign, paths: ResultPaths, combination: Combination) -> ReportData:
    """Read the files of a combination.

    Parameters
    ----------
    study
        The configuration.
    paths
        Files of the study.
    combination
        Model, spectrogram and class set.

    Returns
    -------
    ReportData
        Content of the report.

    Raises
    ------
    InputError
        If a file is invalid, or the metrics belong to another class set than that of the configuration.
    """
    run, data = paths.run(combination), paths.data
    metrics = read_json(run.metrics)
    expected = list(study.classes[combination.classes])
    if metrics["classes"] != expected:
        raise InputError(
            f"{run.metrics}: classes {', '.join(metrics['classes'])}, but the class set {combination.classes} of the "
            f"configuration has {', '.join(expected)}; rerun the evaluation"
        )
    predictions = read_table(run.predictions, text=TEXT)
    # Only the folds and ranks that were scored: an earlier run with more of them may have left files.
    numbers = sorted(predictions["fold"].unique().tolist())
    windows = read_table(data.windows, text=TEXT)
    members = [name for name in predictions["member"].unique() if name != "ensemble"]
    return ReportData(
        study=study,
        model=combination.model,
        spectrogram=combination.spectrogram,
        class_set=combination.classes,
        metrics=metrics,
        predictions=predictions,
        per_patient=read_table(run.per_patient, text=TEXT),
        events=read_table(run.events, text=TEXT),
        annotations=read_table(data.events, text=TEXT),
        recordings=read_table(data.recordings, text=TEXT),
        windows=windows,
        folds=read_table(data.folds, text=TEXT),
        leakage=read_json(data.leakage),
        outer=[_fold(run.fold(number), number, members) for number in numbers],
        init=read_json(paths.init.record) if study.training.init else None,
        samples=read_samples(study, data, windows),
    )


def _fold(paths: FoldPaths, number: int, members: list[str]) -> Fold:
    ranks = {}
    for rank in sorted(int(member.removeprefix("rank")) for member in members):
        files = paths.rank(rank)
        if files.model.exists():
            history = read_table(files.history) if files.history.exists() else pd.DataFrame(columns=["epoch"])
            ranks[rank] = Rank(read_json(files.model), history)
    no_trials = pd.DataFrame(columns=["trial", "state", "value"])
    return Fold(
        number=number,
        trials=read_table(paths.trials, text=TEXT) if paths.trials.exists() else no_trials,
        best=read_json(paths.best) if paths.best.exists() else [],
        ranks=ranks,
        maps=read_maps(paths.attribution),
        tuning_cost=_cost(paths.tuning_timing, "trial"),
        retrain_cost=_cost(paths.retrained.timing, "rank"),
    )


def _cost(path: Path, unit: str) -> pd.DataFrame:
    columns = (unit, "seconds", "epochs", "windows", "device")
    table = read_table(path, columns, text=("device",)) if path.exists() else pd.DataFrame(columns=list(columns))
    # Tables of earlier versions lack the energy, and those of tuning a seed.
    return table.reindex(columns=[unit, "seed", *columns[1:], *ENERGY_COLUMNS]).astype(
        dict.fromkeys(ENERGY_COLUMNS, float)
    )
