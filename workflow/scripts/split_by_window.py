"""Score the classical baseline with folds by patient and by window, to show what a leak would have claimed.

Example: python workflow/scripts/split_by_window.py --settings "$JSON" --windows windows.tsv --folds folds.tsv
--arrays mel.npy --output split_by_window_3class.json
"""

import argparse
from pathlib import Path

from eegwf.config.stages.evaluation import SplitByWindowSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=SplitByWindowSettings.parse, required=True, help="settings of the stage")
    parser.add_argument("--windows", type=Path, required=True, help="table of the windows")
    parser.add_argument("--folds", type=Path, required=True, help="table of the folds")
    parser.add_argument("--arrays", type=Path, nargs="+", required=True, help="spectrograms, .npy")
    parser.add_argument("--output", type=Path, required=True, help="file to write, .json")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import split_by_window
    split_by_window.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
