"""The complete configuration of a study, and the constraints between its sections."""

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from eegwf.config.channels import Channels
from eegwf.config.cluster import Cluster
from eegwf.config.data import ClassSet, Dataset, Name, Signals
from eegwf.config.evaluation import Evaluation
from eegwf.config.explanation import Explanation
from eegwf.config.patients import normalize_mapping
from eegwf.config.report import Report
from eegwf.config.section import Section
from eegwf.config.spectrograms import Grid, Spectrograms
from eegwf.config.synthetic import PARTICIPANT_COLUMNS
from eegwf.config.training import Retrain, StudyTraining
from eegwf.config.tuning import Model, Tuning
from eegwf.config.windows import Windows


class Matrix(Section):
    """Models, spectrograms and class sets of a run without targets: all combinations that the models accept."""

    models: list[Name] = Field(["vit"], min_length=1, description="Models.")
    spectrograms: list[Name] = Field(["mel"], min_length=1, description="Spectrograms.")
    classes: list[Name] = Field(["3class"], min_length=1, description="Class sets.")


class ExternalSet(Section):
    """A second data set on which the models of the study are tested, once and without any choice."""

    configfile: str = Field(
        min_length=1,
        description="Configuration file of the data set, such as config/datasets/siena.yaml. Its `dataset`, `patients` "
        "and `channels` are used; everything else is that of the study.",
    )
    root: str | None = Field(
        None, min_length=1, description="Folder of the data set; null: `dataset.root` of the file."
    )
    classes: list[Name] | None = Field(
        None,
        description="Class sets that are tested; null: those of the matrix. A class set with a class that the data set "
        "does not have is refused.",
    )


class StudyDesign(Section):
    """All settings of a study that its results depend on."""

    results: str = Field("results", min_length=1, description="Folder of all files that the study writes.")
    seed: int = Field(1, ge=0, lt=2**31, description="Random seed of the study.")
    threads: int = Field(1, ge=1, description="Threads of a training; the weights depend on their number.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Device of the models; `auto`: a GPU if there is one."
    )
    deterministic: bool = Field(
        True,
        description="Use deterministic algorithms on a GPU, which are slower; the CPU is always deterministic.",
    )
    dataset: Dataset = Field(description="Source of the recordings: `synthetic`, `bids`, `files` or `fold_arrays`.")
    patients: dict[str, str] = Field(
        {},
        description="Ids that belong to the same person, such as `sub-21: sub-01`. An id that the data set does not "
        "have is no error; in a later file, `null` removes an entry.",
    )
    max_similarity: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Similarity above which recordings of two patients in different folds are taken for copies of one, "
        "which stops the run; null: 0.5, and 0.75 for fewer than 4 channels; 1: no limit.",
    )
    permute_labels: bool = Field(
        False,
        description="Permutation control: shuffle the labels of the training and validation windows of each fold. Test "
        "scores must then be at chance level; by how much the tuned values exceed it is the optimism of tuning.",
    )
    channels: Channels = Channels()
    signals: Signals = Signals()
    windows: Windows = Windows()
    folds: int | str = Field(
        5,
        description="Number of folds (3 or more), `leave-one-patient-out`, or a table with `patient` and `fold`.",
    )
    classes: dict[Name, ClassSet] = Field(
        min_length=1, description="Class sets: the event types of each class, the background class first."
    )
    spectrograms: Spectrograms = Spectrograms()
    models: dict[Name, Model] = Field(min_length=1, description="Models with their fixed parameters and search spaces.")
    training: StudyTraining = StudyTraining()
    tuning: Tuning = Tuning()
    retrain: Retrain = Retrain()
    evaluation: Evaluation = Evaluation()
    explanation: Explanation = Explanation()
    report: Report = Report()
    matrix: Matrix = Matrix()
    external: dict[Name, ExternalSet] = Field(
        {},
        description="Further data sets on which the models are tested, by name: "
        "`siena: {configfile: config/datasets/siena.yaml, root: /data/siena}`; in a later file, `null` removes one.",
    )

    @field_validator("folds")
    @classmethod
    def _no_number_as_text(cls, value: int | str) -> int | str:
        if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9._]*[0-9](e[-+]?[0-9]+)?", value, re.IGNORECASE):
            raise ValueError(
                f"{value!r} is text in YAML, which is the path of a table here; write the number as in `folds: 5`"
            )
        return value

    @field_validator("patients")
    @classmethod
    def _one_name_per_person(cls, value: dict[str, str]) -> dict[str, str]:
        return normalize_mapping(value)

    @model_validator(mode="after")
    def _agree(self):
        if isinstance(self.folds, int) and self.folds < 3:
            raise ValueError(f"folds: {self.folds} is too few; test, validation and training need 3 folds")
        self._agree_on_tuning()
        self._agree_on_averages()
        for name, classes in self.classes.items():
            if len(classes) < 2:
                raise ValueError(f"classes.{name}: a class set needs at least two classes")
            entries = [entry for members in classes.values() for entry in members]
            doubled = sorted({entry for entry in entries if entries.count(entry) > 1})
            if doubled:
                raise ValueError(f"classes.{name}: {doubled[0]!r} is in two classes")
        if self.evaluation.primary != "ensemble" and int(self.evaluation.primary[4:]) not in self.retrain.ranks:
            seeds = f" and retrain.n_seeds {self.retrain.n_seeds}" if self.retrain.n_seeds > 1 else ""
            raise ValueError(
                f"evaluation.primary: {self.evaluation.primary} is not retrained, "
                f"retrain.n_best is {self.retrain.n_best}{seeds}"
            )
        self._agree_on_context()
        self._agree_on_subgroups()
        self._agree_on_initial_weights()
        self._agree_on_external()
        self._agree_on_spectrograms()
        return self

    @property
    def subgroups(self) -> dict[str, list[float] | None]:
        """Columns of `participants.tsv` that define subgroups, each with the edges of its bands."""
        if self.evaluation.subgroups is None:
            return {column: None for column in PARTICIPANT_COLUMNS if self.dataset.kind == "synthetic"}
        return self.evaluation.subgroups

    def external_sets(self, classes: str) -> list[str]:
        """Names of the external data sets on which combinations of a class set are tested."""
        return [name for name, given in self.external.items() if given.classes is None or classes in given.classes]

    def _agree_on_context(self) -> None:
        if self.dataset.kind == "fold_arrays":
            if self.windows.context:
                raise ValueError(
                    f"windows.context: {self.windows.context:g} s, but the windows of 'fold_arrays' are already cut; "
                    "write 0"
                )
            return
        seconds = self.windows.length + 2 * self.windows.context
        for name, grid in self.spectrograms:
            if isinstance(grid, Grid) and grid.span is not None and grid.span > seconds * (1 + 1e-9):
                raise ValueError(
                    f"spectrograms.{name}.span: {grid.span:g} s is longer than windows.length + 2 * windows.context, "
                    f"{seconds:g} s; shorten it, or raise windows.context"
                )

    def _agree_on_external(self) -> None:
        if self.external and self.dataset.kind == "fold_arrays":
            raise ValueError(
                f"external.{min(self.external)}: a study of 'fold_arrays' has no recordings whose reading another data "
                "set could share; remove it, or use a study of recordings"
            )
        for name, given in self.external.items():
            unknown = [classes for classes in given.classes or [] if classes not in self.classes]
            if unknown:
                raise ValueError(
                    f"external.{name}.classes: no class set {unknown[0]!r}; known are {', '.join(self.classes)}"
                )

    def _agree_on_spectrograms(self) -> None:
        if self.spectrograms.on_the_fly and self.dataset.kind == "fold_arrays":
            raise ValueError(
                "spectrograms.on_the_fly: a data set of 'fold_arrays' has no signals of which spectrograms could be "
                "computed; write false"
            )

    def _agree_on_subgroups(self) -> None:
        unknown = [column for column in self.subgroups if column not in PARTICIPANT_COLUMNS]
        if self.dataset.kind == "synthetic" and unknown:
            raise ValueError(
                f"evaluation.subgroups: {unknown[0]!r}, but participants.tsv of the synthetic data set only has "
                f"{', '.join(PARTICIPANT_COLUMNS)}"
            )
        if self.dataset.kind == "fold_arrays" and self.subgroups:
            raise ValueError(
                "evaluation.subgroups: a data set of 'fold_arrays' has no participants.tsv, so it must be empty"
            )

    def _agree_on_averages(self) -> None:
        for name, model in self.models.items():
            disabled_up_to = {"ema_decay": 0, "swa_epochs": 1}
            if all(self._may_exceed(model, key, bound) for key, bound in disabled_up_to.items()):
                key = "swa_epochs" if "swa_epochs" in {**model.search, **model.fixed} else "ema_decay"
                part = "search" if key in model.search else "fixed"
                raise ValueError(
                    f"models.{name}.{part}.{key}: a trial could have both ema_decay and swa_epochs, of which only one "
                    "can average the weights; choose one of them, and write 0 for the other in models and in training"
                )

    def _may_exceed(self, model: Model, setting: str, bound: float) -> bool:
        """Whether a trial can have a larger value of a setting of training."""
        _, values = model.setting_values(setting, getattr(self.training, setting))
        return any(isinstance(value, int | float) and value > bound for value in values)

    def _agree_on_initial_weights(self) -> None:
        if self.training.init is not None and self.dataset.kind == "fold_arrays":
            raise ValueError(
                "training.init: the patients of 'fold_arrays' can't be compared with those of another study, since "
                "their recordings are not there; write null"
            )

    def _agree_on_tuning(self) -> None:
        tuning = self.tuning
        if (tuning.n_trials, tuning.n_epochs, tuning.timeout_minutes) == (None, None, None):
            raise ValueError(
                "tuning.n_trials: no limit; set tuning.n_trials, tuning.n_epochs or tuning.timeout_minutes"
            )
        if tuning.n_trials is not None and tuning.n_trials < self.retrain.n_best:
            raise ValueError(
                f"tuning.n_trials: {tuning.n_trials} trials are fewer than the {self.retrain.n_best} parameter sets of "
                "retrain.n_best"
            )
        if tuning.wilcoxon_p_threshold and not tuning.can_prune_between_folds():
            raise ValueError(
                f"tuning.wilcoxon_p_threshold: at {tuning.wilcoxon_p_threshold:g} the test can't stop a trial before "
                f"the last of {tuning.inner_folds} inner folds (n folds have a p value of at least 0.5**n, n from 2); "
                "write 0, or raise the threshold or tuning.inner_folds"
            )
        if self.training.compile and (tuning.trials_per_gpu != 1 or self.retrain.ranks_per_gpu != 1):
            raise ValueError(
                "training.compile: networks are compiled anew for each training, which those that run at once prevent; "
                "write tuning.trials_per_gpu: 1 and retrain.ranks_per_gpu: 1, or training.compile: false"
            )
        if tuning.mode == "once" and not tuning.allow_optimistic:
            raise ValueError(
                "tuning.mode: 'once' tunes on patients that folds 2 to K test, so their scores are biased upward; use "
                "per_fold or reserved, or set tuning.allow_optimistic: true, which the report will mention"
            )
        if tuning.mode == "reserved" and self.dataset.kind == "fold_arrays":
            raise ValueError(
                "tuning.mode: the folds of 'fold_arrays' are fixed, so no patients can be reserved; use per_fold"
            )


class Study(StudyDesign):
    """The complete configuration of a study: its design, and the limits of its jobs on a cluster."""

    cluster: Cluster = Cluster()

    def design(self) -> StudyDesign:
        """The settings that results depend on: all but those of the cluster."""
        return StudyDesign.model_construct(**{name: getattr(self, name) for name in StudyDesign.model_fields})
