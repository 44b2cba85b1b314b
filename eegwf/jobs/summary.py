"""Compare the finished combinations of a study."""

from pathlib import Path

from eegwf.config.paths import ResultPaths
from eegwf.config.stages.report import SummarySettings
from eegwf.report.summary import summarize
from eegwf.storage.files import read_json


def run(settings: SummarySettings, results: Path, table: Path, comparison: Path, page: Path) -> None:
    """Write the tables and the page that compare the combinations.

    Parameters
    ----------
    settings
        The combinations, the external data sets, and the class sets that have a classical baseline.
    results
        Results folder of the study.
    table, comparison, page
        Files to write.

    Raises
    ------
    InputError
        If a file is broken.
    """
    paths = ResultPaths(results)
    choices = {classes: read_json(paths.baseline(classes)) for classes in settings.baselines}
    summarize(paths, settings.combinations, table, comparison, page, settings.external, choices)
