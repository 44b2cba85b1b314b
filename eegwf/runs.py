"""A finished combination, opened from Python."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from eegwf.config.study import Study
from eegwf.errors import InputError
from eegwf.storage.files import read_json, read_table
from eegwf.training.classifier import Classifier, load_classifier


@dataclass(frozen=True)
class Run:
    """What a combination has left.

    Attributes
    ----------
    folder
        Its folder.
    config
        The configuration of the study.
    predictions
        `predictions.tsv`: a row for each member and window.
    metrics
        A row for each member and score: `value`, `low` and `high`.
    per_patient
        `per_patient.tsv`.
    """

    folder: Path
    config: Study
    predictions: pd.DataFrame
    metrics: pd.DataFrame
    per_patient: pd.DataFrame

    def model(self, fold: int, rank: int = 1, device: str = "cpu") -> Classifier:
        """A retrained model in evaluation mode: log power `(batch, n_chans, n_freqs, n_times)` to logits.

        Raises
        ------
        InputError
            If there is no such fold or rank.
        """
        folder = self.folder / f"fold{fold}" / "retrain" / f"rank{rank}"
        if not (folder / "model.json").exists():
            found = sorted(path.parent.relative_to(self.folder) for path in self.folder.glob("*/retrain/*/model.json"))
            raise InputError(f"{folder}: no model; there are {', '.join(map(str, found)) or 'none'}")
        return load_classifier(folder, device)[0]

    @property
    def models(self) -> dict[tuple[int, int], Classifier]:
        """All retrained models by (fold, rank), in evaluation mode."""
        scored = self.predictions[self.predictions["member"] != "ensemble"]
        pairs = scored[["fold", "member"]].drop_duplicates().itertuples(index=False)
        numbers = sorted((int(fold), int(member.removeprefix("rank"))) for fold, member in pairs)
        return {(fold, rank): self.model(fold, rank) for fold, rank in numbers}


def load_run(folder: Path | str) -> Run:
    """Open what a run has left in `results/<model>_<spectrogram>_<classes>`.

    Raises
    ------
    InputError
        If the run has not ended.

    Examples
    --------
    >>> run = eegwf.load_run("results/vit_mel_3class")  # doctest: +SKIP
    >>> run.metrics.query("member == 'ensemble'")  # doctest: +SKIP
    >>> logits = run.model(fold=1, rank=1)(log_power)  # doctest: +SKIP
    """
    folder = Path(folder)
    missing = [name for name in ("run.json", "predictions.tsv", "metrics.json") if not (folder / name).exists()]
    if missing:
        raise InputError(f"{folder}: no {missing[0]}; run `snakemake {folder}/report.html` first")
    text = ("member", "patient", "recording", "label", "predicted")
    return Run(
        folder,
        Study.model_validate(read_json(folder / "run.json")["config"]),
        read_table(folder / "predictions.tsv", ("member", "window"), text=text),
        _metrics_table(read_json(folder / "metrics.json")),
        read_table(folder / "per_patient.tsv", ("patient",), text=("patient",)),
    )


def _metrics_table(metrics: dict[str, Any]) -> pd.DataFrame:
    rows = [
        {"member": member, "score": score, **{key: entry[key] for key in ("value", "low", "high")}}
        for member, scores in metrics["members"].items()
        for score, entry in scores.items()
        if isinstance(entry, dict) and "value" in entry
    ]
    return pd.DataFrame(rows)
