"""Write the report of a combination."""

from pathlib import Path

from eegwf.config.paths import Combination, ResultPaths, RunPaths
from eegwf.config.stages.report import ReportSettings
from eegwf.provenance.run_record import describe_run
from eegwf.report.against_baseline import NO_CHOICE, baseline_section
from eegwf.report.data import collect
from eegwf.report.ledger import ledger
from eegwf.report.page import content, render
from eegwf.report.paper.files import write_paper
from eegwf.report.timing import timing
from eegwf.storage.files import read_json, write_json, write_table, write_text


def run(
    settings: ReportSettings,
    results: Path,
    model: str,
    spectrogram: str,
    classes: str,
    stages: list[str],
    output: Path,
    baseline: Path | None = None,
) -> None:
    """Write the report, `timing.tsv`, `ledger.tsv` and `run.json` beside it, and the files for a paper.

    Parameters
    ----------
    settings
        The configuration of the study.
    results
        Results folder of the study.
    model, spectrogram, classes
        The combination.
    stages
        Names of the stages of the workflow, in their order. They are an argument, since the table of the stages also
        contains resources, which no report depends on.
    output
        The report.
    baseline
        Choice of the classical baseline of the class set, with which the combination is compared; None without one.

    Raises
    ------
    InputError
        If a file is broken, or belongs to another class set.
    """
    combination = Combination(model, spectrogram, classes)
    paths = ResultPaths(results)
    record = describe_run(settings.study, combination)
    spectrograms = settings.study.spectrograms.members(combination.spectrogram)
    times = timing(paths, combination, spectrograms, stages)
    data = collect(settings.study, paths, combination)
    costs = ledger(data, times, stages)
    # With shuffled labels both are at chance level, and their difference has no meaning.
    choice = NO_CHOICE if baseline is None or settings.study.permute_labels else read_json(baseline)
    compared = baseline_section(paths, combination, choice)
    shown = content(data, record, times, costs, compared)
    page = render(shown)
    files = RunPaths(output.parent)
    write_table(files.timing, times)
    write_table(files.ledger, costs)
    write_json(files.run_record, record)
    write_paper(files.paper, data, shown)
    write_text(output, page)
