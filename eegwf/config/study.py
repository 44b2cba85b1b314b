"""The whole configuration of a study, and what must agree between its sections."""

from typing import Literal

from pydantic import Field, model_validator

from eegwf.config.cluster import Cluster
from eegwf.config.data import ClassSet, Dataset, Name, Signals, Windows
from eegwf.config.section import Section
from eegwf.config.spectrograms import Spectrograms
from eegwf.config.training import Retrain, Training
from eegwf.config.tuning import Model, Tuning


class Matrix(Section):
    """What a plain `snakemake` builds: every sensible combination of these."""

    models: list[Name] = Field(["vit"], min_length=1, description="Models.")
    spectrograms: list[Name] = Field(["mel"], min_length=1, description="Spectrograms.")
    classes: list[Name] = Field(["3class"], min_length=1, description="Class sets.")


class Evaluation(Section):
    """What is reported, fixed before the run."""

    primary: str = Field("ensemble", pattern=r"^(ensemble|rank[1-9][0-9]?)$", description="Member in the headline.")
    bootstrap: int = Field(1000, ge=100, description="Bootstrap replicates over patients.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of the intervals.")


class Explanation(Section):
    """Saliency and Grad-CAM."""

    windows: int = Field(200, ge=1, description="Most windows of a class and fold that enter the mean maps.")


class Study(Section):
    """A study: what stands in the config files, merged and complete."""

    results: str = Field("results", min_length=1, description="Folder of everything this study writes.")
    seed: int = Field(1, ge=0, lt=2**31, description="Seed of every random draw.")
    threads: int = Field(1, ge=1, description="Threads of a training; another number gives other weights.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where models run; auto: a GPU if there is one.")
    deterministic: bool = Field(
        True,
        description="On a GPU: the same bytes from the same seed, if slower. The CPU always gives them.",
    )
    dataset: Dataset = Field(description="Where the recordings come from: `synthetic`, `bids` or `fold_arrays`.")
    patients: dict[str, str] = Field({}, description="Ids that are one person: `sub-21: sub-01`.")
    permute_labels: bool = Field(
        False,
        description="A control: shuffle the labels of the training and validation windows of each fold. Test scores "
        "must then be at chance, and what tuning found above it is its optimism.",
    )
    signals: Signals = Signals()
    windows: Windows = Windows()
    folds: int | str = Field(
        5,
        description="Number of folds (3 or more), `leave-one-patient-out`, or a table with `patient` and `fold`.",
    )
    classes: dict[Name, ClassSet] = Field(
        min_length=1, description="Class sets: for each class the event types it holds, background first."
    )
    spectrograms: Spectrograms = Spectrograms()
    models: dict[Name, Model] = Field(min_length=1, description="Models with their search spaces.")
    training: Training = Training()
    tuning: Tuning = Tuning()
    retrain: Retrain = Retrain()
    evaluation: Evaluation = Evaluation()
    explanation: Explanation = Explanation()
    matrix: Matrix = Matrix()
    cluster: Cluster = Cluster()

    @model_validator(mode="after")
    def _agree(self):
        if isinstance(self.folds, int) and self.folds < 3:
            raise ValueError(f"folds: {self.folds} is too few; test, validation and training need 3")
        self._agree_on_tuning()
        for name, classes in self.classes.items():
            if len(classes) < 2:
                raise ValueError(f"classes.{name}: a class set needs at least two classes")
            entries = [entry for members in classes.values() for entry in members]
            doubled = sorted({entry for entry in entries if entries.count(entry) > 1})
            if doubled:
                raise ValueError(f"classes.{name}: {doubled[0]!r} stands in two classes")
        if self.evaluation.primary != "ensemble" and int(self.evaluation.primary[4:]) > self.retrain.top:
            raise ValueError(
                f"evaluation.primary: {self.evaluation.primary} is not among the retrained, "
                f"retrain.top is {self.retrain.top}"
            )
        return self

    def _agree_on_tuning(self) -> None:
        tuning = self.tuning
        if (tuning.trials, tuning.epochs, tuning.minutes) == (None, None, None):
            raise ValueError("tuning.trials: no end; set tuning.trials, tuning.epochs or tuning.minutes")
        if tuning.trials is not None and tuning.trials < self.retrain.top:
            raise ValueError(
                f"tuning.trials: {tuning.trials} trials can't give retrain.top: {self.retrain.top} parameter sets"
            )
        if tuning.mode == "once" and not tuning.allow_optimistic:
            raise ValueError(
                "tuning.mode: 'once' tunes on patients that folds 2 to K then test, so their scores come out too good; "
                "use per_fold or reserved, or set tuning.allow_optimistic: true, and the report will say so"
            )
        if tuning.mode == "reserved" and self.dataset.kind == "fold_arrays":
            raise ValueError("tuning.mode: the folds of 'fold_arrays' are fixed, nobody can be reserved; use per_fold")
