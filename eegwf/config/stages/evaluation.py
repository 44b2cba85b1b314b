"""Settings of the stages that score models."""

from eegwf.config.data import ClassSet
from eegwf.config.evaluation import Evaluation
from eegwf.config.stages.base import StageSettings


class EvaluateSettings(StageSettings):
    """Settings of `evaluate`."""

    seed: int
    classes: ClassSet
    evaluation: Evaluation


class SplitByWindowSettings(StageSettings):
    """Settings of `split_by_window`.

    Attributes
    ----------
    confidence
        Level of the confidence intervals.
    timed
        Whether the onsets of the windows are known.
    """

    seed: int
    classes: ClassSet
    permute_labels: bool
    confidence: float
    timed: bool
