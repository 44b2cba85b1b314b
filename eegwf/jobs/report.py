"""The report job of a combination: from files to one page."""

from pathlib import Path
from typing import Any

from eegwf.report.data import collect
from eegwf.report.ledger import ledger
from eegwf.report.page import render
from eegwf.report.provenance import describe_run, timing
from eegwf.storage.files import write_json, write_table, write_text


def report_combination(
    config: dict[str, Any], results: str | Path, model: str, spectrogram: str, classes: str, output: str | Path
) -> None:
    """Write the report, and `timing.tsv`, `ledger.tsv` and `run.json` beside it.

    Parameters
    ----------
    config
        The whole configuration of the study.
    results
        Its output folder.
    model, spectrogram, classes
        The combination.
    output
        The page, `report.html`.

    Raises
    ------
    InputError
        If what it reads is broken or belongs to another class set.
    """
    results, output = Path(results), Path(output)
    about = describe_run(config, model, spectrogram, classes)
    took = timing(results, model, spectrogram, classes)
    run = collect(config, results, model, spectrogram, classes)
    cost = ledger(run, took)
    page = render(run, about, took, cost)
    write_table(output.parent / "timing.tsv", took)
    write_table(output.parent / "ledger.tsv", cost)
    write_json(output.parent / "run.json", about)
    write_text(output, page)
