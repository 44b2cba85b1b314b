"""Data and settings of an Optuna study."""

from dataclasses import dataclass

from eegwf.config.training import Training
from eegwf.config.tuning import Model, TrialSettings
from eegwf.data.splits import WindowSet
from eegwf.training.initial_weights import InitialWeights
from eegwf.training.spectrogram_dataset import SpectrogramDataset
from eegwf.tuning.budget import TrialBudget


@dataclass(frozen=True)
class TuningTask:
    """Tuning of a model on the windows that it may use.

    Attributes
    ----------
    name
        Name of the Optuna study, such as `vit_mel_3class_fold1`.
    model
        Name in the table of models, or of a network of timm.
    space
        Fixed parameters and search space.
    dataset
        Spectrograms of the study.
    window_set
        Windows without those of the test fold.
    test_fold
        The outer fold; 0 if the windows are of reserved patients, who are in no outer fold.
    training, tuning
        Settings of training and tuning.
    budget
        Budget of the Optuna study.
    seed
        Configured random seed.
    device
        `cpu` or `cuda`.
    initial
        Initial weights of every training; None for random ones.
    """

    name: str
    model: str
    space: Model
    dataset: SpectrogramDataset
    window_set: WindowSet
    test_fold: int
    training: Training
    tuning: TrialSettings
    budget: TrialBudget
    seed: int
    device: str
    initial: InitialWeights | None = None

    @property
    def inner_folds(self) -> range:
        """Numbers of the inner folds on which each trial is validated."""
        return range(1, self.tuning.inner_folds + 1)
