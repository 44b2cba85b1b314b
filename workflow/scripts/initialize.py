"""Copy the initial weights of fine-tuning, and stop the run if a patient of this study trained them.

Example: python workflow/scripts/initialize.py --settings "$JSON" --windows windows.tsv --arrays windows.npy
--recordings recordings.tsv --output init
"""

import argparse
from pathlib import Path

from eegwf.config.stages.data import InitializeSettings
from eegwf.errors import run_script
from eegwf.jobs import fast_imports


def main() -> None:
    """Read the arguments and run the job."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=InitializeSettings.parse, required=True, help="settings of the stage, JSON")
    parser.add_argument("--windows", type=Path, required=True, help="table of the windows")
    parser.add_argument("--arrays", type=Path, required=True, help="samples of the windows, .npy")
    parser.add_argument("--recordings", type=Path, required=True, help="table of the recordings")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()
    with fast_imports():
        from eegwf.jobs import initialize
    initialize.run(**vars(arguments))


if __name__ == "__main__":
    run_script(main)
