"""Settings of the stages that score models."""

from eegwf.config.data import ClassSet
from eegwf.config.evaluation import Evaluation
from eegwf.config.paths import Combination
from eegwf.config.spectrograms import InputGrids
from eegwf.config.stages.base import StageSettings


class EvaluateSettings(StageSettings):
    """Settings of `evaluate`.

    Attributes
    ----------
    subgroups
        Columns of `participants.tsv`, each with the edges of its bands; `evaluation.subgroups` without its default.
    patients
        Ids that belong to the same person, as in `participants.tsv`.
    """

    seed: int
    classes: ClassSet
    evaluation: Evaluation
    subgroups: dict[str, list[float] | None]
    patients: dict[str, str]


class BaselineSettings(StageSettings):
    """Settings of `baseline`.

    Attributes
    ----------
    candidates
        Classical combinations of the class set, in the order of the matrix.
    folds
        Outer folds.
    ranks
        Ranks whose mean probabilities are those of the primary member.
    """

    classes: ClassSet
    candidates: list[Combination]
    folds: list[int]
    ranks: list[int]


class SplitByWindowSettings(StageSettings):
    """Settings of `split_by_window`.

    Attributes
    ----------
    confidence
        Level of the confidence intervals.
    timed
        Whether the onsets of the windows are known.
    on_the_fly
        Spectrograms that are computed of the windows; None if the input is read from arrays.
    """

    seed: int
    classes: ClassSet
    permute_labels: bool
    confidence: float
    timed: bool
    on_the_fly: InputGrids | None = None
