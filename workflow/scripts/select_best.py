"""Select the best parameter sets of a finished Optuna study for an outer fold.

Example: python workflow/scripts/select_best.py --settings "$JSON" --workers worker1.json worker2.json --state state
--trials trials.tsv --best best.json --timing timing.tsv
"""

import argparse
from pathlib import Path

from eegwf.config.stages.model import SelectBestSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=SelectBestSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--workers", type=Path, nargs="+", required=True, help="files of the study's workers, JSON")
    parser.add_argument("--state", type=Path, required=True, help="folder of unfinished work")
    parser.add_argument("--trials", type=Path, required=True, help="table of the trials to write")
    parser.add_argument("--best", type=Path, required=True, help="best parameter sets to write, JSON")
    parser.add_argument("--timing", type=Path, required=True, help="cost of the trials to write")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import select_best
    select_best.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
