"""Choose the classical baseline of a class set by the validation predictions.

Example: python workflow/scripts/baseline.py --settings "$JSON" --results results --output baseline_3class.json
"""

import argparse
from pathlib import Path

from eegwf.config.stages.evaluation import BaselineSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=BaselineSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--output", type=Path, required=True, help="file to write, .json")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import baseline
    baseline.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
