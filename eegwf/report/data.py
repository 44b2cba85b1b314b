"""What the report is made of, read from the files of a combination."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eegwf.data.events import classify
from eegwf.errors import InputError
from eegwf.evaluation.predictions import probability_columns
from eegwf.storage.files import read_array, read_json, read_table

TEXT = ("recording", "patient", "label", "predicted", "member", "path", "excluded", "notes", "state", "reason")


@dataclass(frozen=True)
class Rank:
    """One retrained parameter set of a fold: `model.json` and `history.tsv`."""

    model: dict[str, Any]
    history: pd.DataFrame


@dataclass(frozen=True)
class Maps:
    """The explanation of a fold.

    Attributes
    ----------
    about
        `maps.json`.
    saliency, mean
        `(n_classes, n_chans, n_freqs, n_times)`.
    gradcam
        `(n_classes, n_freqs, n_times)`.
    """

    about: dict[str, Any]
    saliency: np.ndarray
    mean: np.ndarray
    gradcam: np.ndarray


@dataclass(frozen=True)
class Fold:
    """One outer fold; what has not been made is empty.

    Attributes
    ----------
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
class Run:
    """Everything that a report shows of one combination.

    Attributes
    ----------
    config
        The whole configuration of the study.
    model, spectrogram, class_set
        The combination.
    metrics, predictions, per_patient, events
        What evaluation wrote.
    recordings, windows, folds, leakage
        What stands behind all combinations.
    outer
        The outer folds, in order.
    """

    config: dict[str, Any]
    model: str
    spectrogram: str
    class_set: str
    metrics: dict[str, Any]
    predictions: pd.DataFrame
    per_patient: pd.DataFrame
    events: pd.DataFrame
    recordings: pd.DataFrame
    windows: pd.DataFrame
    folds: pd.DataFrame
    leakage: dict[str, Any]
    outer: list[Fold]

    @property
    def classes(self) -> list[str]:
        """Names of the classes, the background first."""
        return self.metrics["classes"]

    @property
    def primary(self) -> str:
        """The member in the headline."""
        return self.metrics["primary"]

    @property
    def headline(self) -> dict[str, Any]:
        """Scores of the primary member."""
        return self.metrics["members"][self.primary]

    @property
    def mode(self) -> str:
        """Who tuned: `per_fold`, `reserved` or `once`."""
        return self.config["tuning"].get("mode", "per_fold")

    @property
    def permuted(self) -> bool:
        """Whether the labels of training and validation were shuffled."""
        return bool(self.config.get("permute_labels", False))

    @property
    def reserved(self) -> set[str]:
        """Patients reserved for tuning, who are in no outer fold."""
        return set(self.folds.loc[self.folds["fold"] == 0, "patient"])

    def scored(self, member: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Truth and prediction as class numbers, probabilities, and fold of a member's labelled windows."""
        table = self.predictions
        table = table[(table["member"] == member) & (table["label"] != "")]
        index = pd.Index(self.classes)
        p = table[probability_columns(self.classes)].to_numpy(dtype=float)
        truth, predicted = index.get_indexer(table["label"]), index.get_indexer(table["predicted"])
        return truth, predicted, p, table["fold"].to_numpy(dtype=int)

    def class_of(self, event_type: str) -> str | None:
        """Class of an event type in this class set; None if it is left out."""
        return classify(event_type, self.config["classes"][self.class_set])


def collect(config: dict[str, Any], results: Path, model: str, spectrogram: str, classes: str) -> Run:
    """Read what evaluation, explanation, retraining and tuning left behind.

    Parameters
    ----------
    config
        The whole configuration of the study.
    results
        Its output folder.
    model, spectrogram, classes
        The combination.

    Raises
    ------
    InputError
        If a file is broken, or metrics were made with another class set than the configuration's.
    """
    folder, data = results / f"{model}_{spectrogram}_{classes}", results / "data"
    metrics = read_json(folder / "metrics.json")
    known = list(config["classes"][classes])
    if metrics["classes"] != known:
        raise InputError(
            f"{folder / 'metrics.json'}: classes {', '.join(metrics['classes'])}, but the configuration's class set "
            f"{classes} has {', '.join(known)}; evaluate again"
        )
    tables = {name: read_table(folder / f"{name}.tsv", text=TEXT) for name in ("predictions", "per_patient", "events")}
    tables |= {name: read_table(data / f"{name}.tsv", text=TEXT) for name in ("recordings", "windows", "folds")}
    # Folds and ranks that were scored: an earlier study with more of them may have left others beside.
    predictions = tables["predictions"]
    numbers = sorted(predictions["fold"].unique().tolist())
    members = [name for name in predictions["member"].unique() if name != "ensemble"]
    return Run(
        config=config,
        model=model,
        spectrogram=spectrogram,
        class_set=classes,
        metrics=metrics,
        leakage=read_json(data / "leakage.json"),
        outer=[_fold(folder / f"fold{number}", number, members) for number in numbers],
        **tables,
    )


def _fold(folder: Path, number: int, members: list[str]) -> Fold:
    trials, best = folder / "tune" / "trials.tsv", folder / "tune" / "best.json"
    ranks = {}
    for path in [folder / "retrain" / member / "model.json" for member in members]:
        if not path.exists():
            continue
        history = path.with_name("history.tsv")
        ranks[int(path.parent.name[4:])] = Rank(
            read_json(path), read_table(history) if history.exists() else pd.DataFrame(columns=["epoch"])
        )
    return Fold(
        number=number,
        trials=read_table(trials, text=TEXT) if trials.exists() else pd.DataFrame(columns=["trial", "state", "value"]),
        best=read_json(best) if best.exists() else [],
        ranks=dict(sorted(ranks.items())),
        maps=_maps(folder / "explain"),
        tuning_cost=_cost(folder / "tune" / "timing.tsv", "trial"),
        retrain_cost=_cost(folder / "retrain" / "timing.tsv", "rank"),
    )


def _cost(path: Path, what: str) -> pd.DataFrame:
    columns = (what, "seconds", "epochs", "windows", "device")
    return read_table(path, columns, text=("device",)) if path.exists() else pd.DataFrame(columns=list(columns))


def _maps(folder: Path) -> Maps | None:
    if not (folder / "maps.json").exists():
        return None
    arrays = {kind: read_array(folder / f"{kind}.npy") for kind in ("saliency", "mean", "gradcam")}
    return Maps(read_json(folder / "maps.json"), **arrays)
