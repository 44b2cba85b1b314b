"""Compare the finished combinations of a study."""

from pathlib import Path

from eegwf.config.paths import ResultPaths
from eegwf.config.stages.report import SummarySettings
from eegwf.report.summary import summarize


def run(settings: SummarySettings, results: Path, table: Path, comparison: Path, page: Path) -> None:
    """Write the tables and the page that compare the combinations.

    Parameters
    ----------
    settings
        The combinations, and the external data sets.
    results
        Results folder of the study.
    table, comparison, page
        Files to write.

    Raises
    ------
    InputError
        If a file is broken.
    """
    summarize(ResultPaths(results), settings.combinations, table, comparison, page, settings.external)
