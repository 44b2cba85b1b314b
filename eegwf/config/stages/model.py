"""Settings of the stages that tune, retrain and explain a model."""

from typing import Any, Literal

from eegwf.config.channels import Channels
from eegwf.config.data import ClassSet, Signals, Windows
from eegwf.config.evaluation import OperatingPointSettings
from eegwf.config.explanation import Explanation
from eegwf.config.spectrograms import Spectrograms
from eegwf.config.stages.base import StageSettings
from eegwf.config.training import Training
from eegwf.config.tuning import Budget, Model, TrialSettings, Value


class DeviceSettings(StageSettings):
    """Settings of every stage that runs a model."""

    device: Literal["auto", "cpu", "cuda"]
    threads: int
    deterministic: bool
    seed: int
    classes: ClassSet


class LearningSettings(DeviceSettings):
    """Settings of the stages that train a model."""

    model: str
    training: Training
    permute_labels: bool


class TuneSettings(LearningSettings):
    """Settings of `tune`.

    Attributes
    ----------
    space
        Fixed parameters and search space of the model.
    n_best
        Number of complete trials without which a study does not end.
    """

    tuning: TrialSettings
    space: Model
    n_best: int

    def identity(self) -> dict[str, Any]:
        """What decides the trials; a larger budget continues a study instead of starting another one."""
        found = super().identity()
        del found["n_best"]
        for name in (*Budget.model_fields, "max_killed_workers", "trials_per_gpu"):
            del found["tuning"][name]
        return found


class SelectBestSettings(StageSettings):
    """Settings of `select_best`.

    Attributes
    ----------
    budget
        Limits of the study.
    n_best, n_seeds
        Number of parameter sets that are retrained, and with how many random seeds each.
    fixed
        Fixed parameters of the model.
    """

    budget: Budget
    inner_folds: int
    n_best: int
    n_seeds: int
    fixed: dict[str, Value]


class RetrainSettings(LearningSettings):
    """Settings of `retrain`.

    Attributes
    ----------
    epochs
        Maximum number of epochs; None for that of `training`.
    ranks_per_gpu
        Number of parameter sets that are retrained at once on a GPU.
    seeds
        Number of random seeds with which rank 1 is trained; 1 for the ordinary training alone.
    """

    epochs: int | None
    ranks_per_gpu: int
    seeds: int

    def identity(self) -> dict[str, Any]:
        """What decides the weights; with another number of seeds, no training is repeated."""
        found = super().identity()
        del found["ranks_per_gpu"], found["seeds"]
        return found


class FinalizeSettings(LearningSettings):
    """Settings of `finalize`.

    Attributes
    ----------
    epochs
        Maximum number of epochs of retraining; None for that of `training`.
    n_best, n_seeds
        Number of parameter sets of the final models, and with how many random seeds each is trained.
    folds, ranks
        Outer folds, and ranks that were retrained in each.
    reserved
        Whether patients were reserved for tuning.
    primary
        Member that predicts.
    operating_point
        Target of the operating point.
    signals, windows, channels, spectrograms
        How recordings are read and transformed.
    """

    epochs: int | None
    n_best: int
    n_seeds: int
    folds: list[int]
    ranks: list[int]
    reserved: bool
    primary: str
    operating_point: OperatingPointSettings
    signals: Signals
    windows: Windows
    channels: Channels
    spectrograms: Spectrograms

    def training_identity(self) -> dict[str, Any]:
        """What decides the weights."""
        return self.model_dump(mode="json", include={*LearningSettings.model_fields, "epochs"})


class ExplainSettings(DeviceSettings):
    """Settings of `explain`.

    Attributes
    ----------
    rank
        Rank of the retrained model that is explained.
    """

    explanation: Explanation
    rank: int
