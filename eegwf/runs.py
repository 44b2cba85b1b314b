"""Results of a finished combination of model, spectrogram and classes, opened from Python."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from eegwf.config.load import validate_record
from eegwf.config.paths import RunPaths
from eegwf.config.study import StudyDesign
from eegwf.errors import InputError
from eegwf.storage.files import read_json, read_table
from eegwf.training.calibration import Calibration, read_calibration
from eegwf.training.classifier import Classifier, load_classifier


@dataclass(frozen=True)
class Run:
    """Results of a finished combination, as opened by `load_run`.

    Attributes
    ----------
    folder
        Results folder of the combination.
    config
        Configuration of the study.
    predictions
        `predictions.tsv`: one row for each member of the ensemble and each window.
    metrics
        One row for each member and score: `value`, and the limits `low` and `high` of the confidence interval.
    per_patient
        `per_patient.tsv`: scores of each patient.
    """

    folder: Path
    config: StudyDesign
    predictions: pd.DataFrame
    metrics: pd.DataFrame
    per_patient: pd.DataFrame

    def model(self, fold: int, rank: int = 1, device: str = "cpu") -> Classifier:
        """Load a retrained model.

        Parameters
        ----------
        fold
            Test fold of the model, from 1 on.
        rank
            Rank of its hyperparameters in the tuning, from 1 on.
        device
            Device to load it on, such as `cpu` or `cuda`.

        Returns
        -------
        Classifier
            The model in evaluation mode; it maps spectrograms `(batch, n_chans, n_freqs, n_frames)` to logits
            `(batch, n_outputs)`. If its `normalization.kind` is by recording, it expects the windows as
            `eegwf.training.recording_normalization.input_for` reads them.

        Raises
        ------
        InputError
            If there is no model of this fold and rank.
        """
        paths = RunPaths(self.folder).fold(fold).rank(rank)
        if not paths.model.exists():
            pattern = RunPaths(Path()).fold("*").rank("*").model.as_posix()
            existing = sorted(path.parent.relative_to(self.folder) for path in self.folder.glob(pattern))
            raise InputError(f"{paths.folder}: no model; existing models: {', '.join(map(str, existing)) or 'none'}")
        return load_classifier(paths.folder, device)[0]

    def calibration(self, fold: int, rank: int = 1) -> Calibration:
        """Read the calibration of a retrained model.

        Parameters
        ----------
        fold, rank
            As in `model`.

        Returns
        -------
        Calibration
            Its `apply` maps the softmax of the logits `(n_windows, n_classes)` to calibrated probabilities.
        """
        return read_calibration(RunPaths(self.folder).fold(fold).rank(rank).calibration)

    @property
    def models(self) -> dict[tuple[int, int], Classifier]:
        """All retrained models, in evaluation mode, by (fold, rank)."""
        members = self.predictions[self.predictions["member"] != "ensemble"]
        pairs = members[["fold", "member"]].drop_duplicates().itertuples(index=False)
        numbers = sorted((int(fold), int(member.removeprefix("rank"))) for fold, member in pairs)
        return {(fold, rank): self.model(fold, rank) for fold, rank in numbers}


def load_run(folder: Path | str) -> Run:
    """Open the results of a finished combination.

    Parameters
    ----------
    folder
        Results folder of the combination, `results/<model>_<spectrogram>_<classes>`.

    Returns
    -------
    Run
        Configuration, predictions, scores and models.

    Raises
    ------
    InputError
        If the run is not finished, or another version of eegwf wrote it.

    Examples
    --------
    >>> run = eegwf.load_run("results/vit_mel_3class")  # doctest: +SKIP
    >>> run.metrics.query("member == 'ensemble'")  # doctest: +SKIP
    >>> logits = run.model(fold=1, rank=1)(log_power)  # doctest: +SKIP
    """
    paths = RunPaths(Path(folder))
    missing = [path.name for path in (paths.run_record, paths.predictions, paths.metrics) if not path.exists()]
    if missing:
        raise InputError(f"{folder}: no {missing[0]}; run `snakemake {paths.report}` first")
    text = ("member", "patient", "recording", "label", "predicted")
    return Run(
        paths.folder,
        validate_record(read_json(paths.run_record)["config"], paths.run_record),
        read_table(paths.predictions, ("member", "window"), text=text),
        _metrics_table(read_json(paths.metrics)),
        read_table(paths.per_patient, ("patient",), text=("patient",)),
    )


def _metrics_table(metrics: dict[str, Any]) -> pd.DataFrame:
    rows = [
        {"member": member, "score": score, **{key: entry[key] for key in ("value", "low", "high")}}
        for member, scores in metrics["members"].items()
        for score, entry in scores.items()
        if isinstance(entry, dict) and "value" in entry
    ]
    return pd.DataFrame(rows)
