"""What a study tunes."""

from dataclasses import dataclass

from eegwf.config.training import Training
from eegwf.config.tuning import Model, Tuning
from eegwf.data.splits import Cohort
from eegwf.training.spectrogram_dataset import Inputs
from eegwf.tuning.budget import Budget


@dataclass(frozen=True)
class Task:
    """A model on the windows that its tuning may see.

    Attributes
    ----------
    name
        Name of the study, such as `vit_mel_3class_fold1`.
    model
        Name in the registry, or of a backbone.
    space
        Fixed parameters and search space.
    cohort
        Windows without the test fold's.
    test_fold
        The outer fold; 0 if the cohort is in none.
    """

    name: str
    model: str
    space: Model
    inputs: Inputs
    cohort: Cohort
    test_fold: int
    training: Training
    tuning: Tuning
    budget: Budget
    seed: int
    device: str

    @property
    def inner_folds(self) -> range:
        """Numbers of the inner folds that each trial validates on."""
        return range(1, self.tuning.inner_folds + 1)
