"""Settings of the stages that score and report a combination."""

from eegwf.config.data import ClassSet
from eegwf.config.evaluation import Evaluation
from eegwf.config.stages.base import StageSettings


class EvaluateSettings(StageSettings):
    """Settings of `evaluate`."""

    seed: int
    classes: ClassSet
    evaluation: Evaluation
