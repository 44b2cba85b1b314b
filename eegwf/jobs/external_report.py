"""Write the report of the test of a combination on an external data set."""

from pathlib import Path

from eegwf.config.paths import Combination, ResultPaths
from eegwf.config.stages.external import ExternalReportSettings
from eegwf.report.external import render_external
from eegwf.report.external_data import collect_external
from eegwf.storage.files import write_text


def run(settings: ExternalReportSettings, results: Path, name: str, combination: str) -> None:
    """Write the report.

    Parameters
    ----------
    settings
        Class set.
    results
        Results folder of the study.
    name
        Name of the data set.
    combination
        Name of the combination.

    Raises
    ------
    InputError
        If a file is broken.
    """
    paths, tested = ResultPaths(results), Combination.parse(combination)
    report = collect_external(paths, name, tested, settings.classes)
    write_text(paths.run(tested).external(name).report, render_external(report))
