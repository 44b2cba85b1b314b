"""Settings of the stages that write the report and the summary."""

from eegwf.config.paths import Combination
from eegwf.config.stages.base import StageSettings
from eegwf.config.study import StudyDesign


class ReportSettings(StageSettings):
    """Settings of `report`: all that the results depend on."""

    study: StudyDesign


class SummarySettings(StageSettings):
    """Settings of `summary`.

    Attributes
    ----------
    combinations
        The combinations that it compares.
    external
        Names of the external data sets on which the combinations of each class set were tested.
    baselines
        Class sets that have a classical baseline.
    """

    combinations: list[Combination]
    external: dict[str, list[str]]
    baselines: list[str]
