"""Settings of the stages that score and report a combination."""

from eegwf.config.data import ClassSet
from eegwf.config.evaluation import Evaluation
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
