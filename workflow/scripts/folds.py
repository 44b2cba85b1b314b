"""Make the folds by patient, and stop the run if they would leak.

Example: python workflow/scripts/folds.py --settings '{"folds": 5, "n_folds": 5, "seed": 1}' --windows windows.tsv
--arrays windows.npy --folds folds.tsv --leakage leakage.json
"""

import argparse
from pathlib import Path

from eegwf.config.stages.data import FoldsSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=FoldsSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--windows", type=Path, required=True, help="table of the windows")
    parser.add_argument("--arrays", type=Path, required=True, help="samples of the windows, .npy")
    parser.add_argument("--recordings", type=Path, help="table of the recordings, to name patients without windows")
    parser.add_argument("--given", help="table of folds that came with the data")
    parser.add_argument("--folds", type=Path, required=True, help="table of folds to write")
    parser.add_argument("--leakage", type=Path, required=True, help="results of the leakage checks to write, JSON")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import folds
    folds.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
