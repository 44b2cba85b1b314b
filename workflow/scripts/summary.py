"""Compare the finished combinations of a study.

Example: python workflow/scripts/summary.py --settings '{"combinations": [["vit", "mel", "3class"]]}' --results results
--table results/summary.tsv --comparison results/comparison.tsv --page results/summary.html
"""

import argparse
from pathlib import Path

from eegwf.config.stages.report import SummarySettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=SummarySettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--table", type=Path, required=True, help="table to write, .tsv")
    parser.add_argument("--comparison", type=Path, required=True, help="table of all pairs to write, .tsv")
    parser.add_argument("--page", type=Path, required=True, help="page to write, .html")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import summary
    summary.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
