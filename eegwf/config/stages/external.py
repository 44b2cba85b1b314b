"""Settings of the stages that test the models of a study on an external data set.

Its recordings are generated, read and transformed with the settings of `synthesize`, `windows` and `spectrogram`.
"""

from typing import Literal

from eegwf.config.data import ClassSet
from eegwf.config.evaluation import Evaluation
from eegwf.config.spectrograms import InputGrids
from eegwf.config.stages.base import StageSettings


class ExternalLeakageSettings(StageSettings):
    """Settings of `external_leakage`.

    Attributes
    ----------
    max_similarity
        Similarity above which two recordings are taken for copies; None for the default.
    """

    max_similarity: float | None = None


class ExternalPredictSettings(StageSettings):
    """Settings of `external_predict`.

    Attributes
    ----------
    on_the_fly
        Spectrograms that are computed of the windows; None if the input is read from arrays.
    """

    device: Literal["auto", "cpu", "cuda"]
    threads: int
    deterministic: bool
    classes: ClassSet
    on_the_fly: InputGrids | None = None


class ExternalEvaluateSettings(StageSettings):
    """Settings of `external_evaluate`."""

    seed: int
    classes: ClassSet
    evaluation: Evaluation


class ExternalReportSettings(StageSettings):
    """Settings of `external_report`."""

    classes: ClassSet
